"""Restrictions: the rights of one customer at a glance, setting, announcing and lifting (Art. 18 GDPR)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datamap.holds import HoldRefused
from datamap.keyset import page_of
from privacy import going_on, letters, objecting, restricting
from privacy.access import person_for, restriction_for
from privacy.board import today
from privacy.clock import deadline_for, light_of
from privacy.forms.holds import ReviewForm
from privacy.forms.requests import ALREADY_TOLD, LiftForm, RestrictForm
from privacy.models import Request, RequestLetter, Restriction
from privacy.speaking import removed_from, speaker_by_key
from privacy.steps import StepRefused
from staff.access import permission_required, signed_in


@require_GET
@permission_required("privacy.requests")
def customer(http: HttpRequest, number: str) -> HttpResponse:
    """The rights of one customer: requests, restrictions, advertising."""
    person = person_for(http, number, page="privacy:customer")
    on = today()
    rows = Request.objects.filter(customer=person).order_by("-received_at", "-pk")[:100]
    context = {
        "customer": person,
        "name": letters.named(person),
        "cases": [(row, light_of(row, deadline, on), deadline) for row in rows for deadline in [deadline_for(row)]],
        "standing": restricting.standing_of(person),
        "past": restricting.past_of(person),
        "objected": objecting.customer_objected(person),
        "may_erase": signed_in(http).may("privacy.erase"),
        "contacts": person.contact_persons.order_by("last_name", "pk")[:100],
        "removed": removed_from(person),
    }
    return render(http, "privacy/customer.html", context)


@require_GET
@permission_required("privacy.requests")
def restrictions(http: HttpRequest) -> HttpResponse:
    """The restrictions that stand, oldest first."""
    rows = Restriction.objects.filter(lifted_at__isnull=True).select_related("customer", "set_by")
    if not signed_in(http).may("customers.restricted"):
        rows = rows.none()
    page = page_of(rows, "since", descending=False, cursor=http.GET.get("after", ""))
    next_url = f"?after={page.next_cursor}" if page.next_cursor else ""
    return render(http, "privacy/restrictions.html", {"page": page, "next_url": next_url})


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def restrict(http: HttpRequest, number: str) -> HttpResponse:
    """Restrict the data of one customer; what it does stands before the button."""
    person = person_for(http, number, page="privacy:restrict")
    case = asking_case(http, person.pk) or restricting.asked_by(person, None)
    form = RestrictForm(http.POST or None, initial={"case": "a", "parts": ["all"]})
    if http.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            done = restricting.restrict(
                person, data["case"], data["parts"], data["reason"], by=signed_in(http), request=case
            )
            messages.success(http, _("The data are restricted."))
            return redirect("privacy:restriction", pk=done.pk)
        except StepRefused as refused:
            form.add_error(None, str(refused))
    context = {
        "customer": person,
        "form": form,
        "case": case,
        **effects_before(),
    }
    return render(http, "privacy/restrict.html", context, status=422 if form.errors else 200)


def effects_before(*, speaker: bool = False) -> dict[str, Any]:
    """What a restriction of a customer, or of a contact person, will do: always, and by its case."""
    said = {key: restricting.effects_of(key, speaker=speaker) for key in Restriction.Case.values}
    return {
        "effects": [(Restriction.Case(key).label, words[2]) for key, words in said.items()],
        "always": [words for place, words in enumerate(said["a"]) if place != 2],
    }


@require_GET
@permission_required("privacy.requests")
def restriction(http: HttpRequest, pk: int) -> HttpResponse:
    """One restriction: since when, why, and the two steps that end it."""
    return _show(http, restriction_for(http, pk, page="privacy:restriction"))


@require_POST
@permission_required("privacy.requests")
def restriction_announce(http: HttpRequest, pk: int) -> HttpResponse:
    """Tell the person that the restriction will end."""
    found = restriction_for(http, pk, page="privacy:restriction")
    form = LiftForm(http.POST, case=found.request)
    if not form.is_valid():
        return _show(http, found, form=form, status=422)
    data, by = form.cleaned_data, signed_in(http)
    try:
        with transaction.atomic():
            restricting.announce_lifting(found, data["decision"], by=by, version=_version(http))
            # Afterwards: of what is announced the letter does not say that it stands.
            if data["way"] != ALREADY_TOLD and found.request is not None:
                letters.write(
                    found.request, RequestLetter.Kind.LIFTING, way=data["way"], by=by, reason=data["decision"]
                )
    except StepRefused as refused:
        found.refresh_from_db()
        return _show(http, found, problem=str(refused), status=409)
    messages.success(http, _("The notice is noted. The restriction still stands until you lift it."))
    return redirect("privacy:restriction", pk=found.pk)


@require_POST
@permission_required("privacy.requests")
def restriction_lift(http: HttpRequest, pk: int) -> HttpResponse:
    """End a restriction, after the notice."""
    found = restriction_for(http, pk, page="privacy:restriction")
    try:
        restricting.lift(found, by=signed_in(http), version=_version(http))
    except StepRefused as refused:
        found.refresh_from_db()
        return _show(http, found, problem=str(refused), status=409)
    messages.success(http, _("The restriction is lifted; everything is as before."))
    return redirect("privacy:restriction", pk=found.pk)


@require_POST
@permission_required("privacy.requests")
def restriction_keep(http: HttpRequest, pk: int) -> HttpResponse:
    """Let a restriction go on, with a reason and the next review."""
    found, form = restriction_for(http, pk, page="privacy:restriction"), ReviewForm(http.POST)
    if form.is_valid():
        try:
            going_on.keep_on(found, **form.cleaned_data, by=signed_in(http), version=_version(http))
            messages.success(http, _("The restriction goes on."))
            return redirect("privacy:restriction", pk=found.pk)
        except HoldRefused as refused:
            form.add_error(refused.field, str(refused))
        except StepRefused as refused:
            found.refresh_from_db()
            return _show(http, found, problem=str(refused), status=409)
    return _show(http, found, review=form, status=422)


def _show(
    http: HttpRequest,
    found: Restriction,
    *,
    form: Any = None,
    review: ReviewForm | None = None,
    problem: str = "",
    status: int = 200,
) -> Any:
    next_review = going_on.next_review(found)
    context = {
        "restriction": found,
        "customer": found.customer,
        "person": speaker_by_key(found.contact_person or 0),
        "parts": found.in_words,
        "effects": restricting.effects_of(found.case, speaker=found.contact_person is not None),
        "form": form or LiftForm(case=found.request),
        "review": review or ReviewForm(),
        "reviews": going_on.reviews_of(found),
        "next_review": next_review,
        "overdue": found.lifted_at is None and next_review < today(),
        "problem": problem,
    }
    return render(http, "privacy/restriction.html", context, status=status)


def _version(http: HttpRequest) -> int:
    text = http.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def asking_case(http: HttpRequest, customer_id: int, contact: int | None = None) -> Request | None:
    """The request that asks for it, where the page was opened from one of this customer or contact person."""
    text = http.GET.get("request", "") or http.POST.get("request", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        return None
    return Request.objects.filter(pk=int(text), customer=customer_id, contact_person=contact).first()
