"""The time machine: what was allowed at a moment of the past, as page, PDF and JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from consents.access import person_for
from consents.answering import Answer, answer, as_json, choices_of
from consents.forms import AnswerForm
from consents.models import Purpose
from consents.printing import as_pdf
from customers.models import Customer
from staff.access import permission_required, signed_in


@require_GET
@permission_required("consents.view")
def answer_page(request: HttpRequest, number: str) -> HttpResponse:
    """Ask, and read the answer with its proof."""
    person = person_for(request, number, page="consents:answer", permission="consents.view")
    form, found = _asked(request, person)
    context = {
        "customer": person,
        "form": form,
        "answer": found,
        "query": request.GET.urlencode(),
        "may_ledger": signed_in(request).may("consents.ledger"),
    }
    return render(request, "consents/answer.html", context, status=422 if form.errors else 200)


@require_GET
@permission_required("consents.view")
def answer_json(request: HttpRequest, number: str) -> HttpResponse:
    """The answer with its proof for machines."""
    person = person_for(request, number, page="consents:answer", permission="consents.view")
    form, found = _asked(request, person, always=True)
    if found is None:
        return JsonResponse({"errors": form.errors.get_json_data()}, status=422)
    response = JsonResponse(as_json(found), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="{_name(found)}.json"'
    return response


@require_GET
@permission_required("consents.view")
def answer_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The answer with its proof on paper."""
    person = person_for(request, number, page="consents:answer", permission="consents.view")
    form, found = _asked(request, person)
    if found is None:
        return render(request, "consents/answer.html", {"customer": person, "form": form}, status=422)
    response = HttpResponse(as_pdf(found), content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{_name(found)}.pdf"'
    return response


def _asked(request: HttpRequest, person: Customer, *, always: bool = False) -> tuple[AnswerForm, Answer | None]:
    """The form and its answer; where nothing was asked yet, the empty form, or `always` what it lacks."""
    known = choices_of(person)
    choices = [(choice.key, choice.label) for choice in known]
    if not always and not any(name in request.GET for name in ("purpose", "choice", "at")):
        return AnswerForm(choices=choices), None
    form = AnswerForm(request.GET, choices=choices)
    if not form.is_valid():
        return form, None
    chosen = next(choice for choice in known if choice.key == form.cleaned_data["choice"])
    purpose = Purpose.objects.get(key=form.cleaned_data["purpose"])
    return form, answer(person, purpose, chosen.channel, chosen.value, form.cleaned_data["at"])


def _name(found: Answer) -> str:
    """Nobody is named in the name of a file."""
    return f"obhut-consent-{found.purpose.key}-{found.channel}-{timezone.localtime(found.at):%Y-%m-%dT%H%M}"
