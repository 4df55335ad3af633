"""The steps of a request that need words: identity, extension, answer, refusal, rectification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from privacy import clarifying, copies, handling, identifying, letters, publishing, rectifying, returning
from privacy.access import request_for
from privacy.clock import deadline_for
from privacy.forms.requests import AnswerForm, ClarifyForm, DecideForm, ExtendForm, IdentityForm, RefuseForm, StageForm
from privacy.models import IdentityCopy, Policy, Request, RequestLetter
from privacy.packages.knowing import holds_copy
from privacy.steps import StaleRequest, StepRefused
from privacy.views.requests import act, seen_version, show
from staff.access import permission_required, signed_in

Kind = RequestLetter.Kind


def _step(
    http: HttpRequest,
    case: Request,
    form: forms.Form,
    template: str,
    work: Callable[[], str],
    **more: Any,
) -> HttpResponse:
    """A form page of a step: shown, filled in wrongly (422), stale (409), or done."""
    status = 200
    if http.method == "POST":
        status = 422
        if form.is_valid():
            try:
                messages.success(http, work())
                return redirect("privacy:request", pk=case.pk)
            except StaleRequest:
                case.refresh_from_db()
                words = _("Somebody took a step with this request meanwhile; nothing was changed.")
                return show(http, case, status=409, problem=words)
            except StepRefused as refused:
                form.add_error(None, str(refused))
    context = {"case": case, "form": form, "deadline": deadline_for(case), **more}
    return render(http, f"privacy/{template}.html", context, status=status)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def request_identity(http: HttpRequest, pk: int) -> HttpResponse:
    """Ask the person to show who they are."""
    case = request_for(http, pk, page="privacy:request")
    form = IdentityForm(http.POST or None, case=case)

    def work() -> str:
        data = form.cleaned_data
        identifying.ask(case, data["doubt"], way=data["way"], version=seen_version(http), by=signed_in(http))
        return _("The question is on its way.")

    return _step(http, case, form, "request_identity", work)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def request_clarify(http: HttpRequest, pk: int) -> HttpResponse:
    """Ask what a request is about."""
    case = request_for(http, pk, page="privacy:request")
    form = ClarifyForm(http.POST or None, case=case)

    def work() -> str:
        data = form.cleaned_data
        clarifying.ask(case, data["words"], way=data["way"], version=seen_version(http), by=signed_in(http))
        return _("The question is on its way.")

    return _step(http, case, form, "request_clarify", work)


@require_POST
@permission_required("privacy.requests")
def request_clarified(http: HttpRequest, pk: int) -> HttpResponse:
    """Note what the person answered."""
    case, words = request_for(http, pk, page="privacy:request"), http.POST.get("reason", "")[:2000]
    return act(
        http,
        case,
        lambda: clarifying.settle(case, words, version=seen_version(http), by=signed_in(http)),
        _("Noted; the clock runs on."),
    )


@require_POST
@permission_required("privacy.requests")
def request_published(http: HttpRequest, pk: int) -> HttpResponse:
    """Note that something about the person had been made public."""
    case, what = request_for(http, pk, page="privacy:request"), http.POST.get("what", "")[:1000]
    return act(
        http,
        case,
        lambda: publishing.note(case, what, version=seen_version(http), by=signed_in(http)),
        _("Noted; the case stays open until others were told."),
    )


@require_POST
@permission_required("privacy.requests")
def published_settle(http: HttpRequest, pk: int, published: int) -> HttpResponse:
    """Note what was done so that others learn of the erasure."""
    case, steps = request_for(http, pk, page="privacy:request"), http.POST.get("steps", "")[:2000]
    if not case.published.filter(pk=published).exists():
        raise Http404
    state, by = http.POST.get("state", ""), signed_in(http)
    return act(
        http,
        case,
        lambda: publishing.settle(published, state, steps, version=seen_version(http), by=by),
        _("Noted."),
    )


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def request_extend(http: HttpRequest, pk: int) -> HttpResponse:
    """Announce an extension."""
    case = request_for(http, pk, page="privacy:request")
    form = ExtendForm(http.POST or None, case=case)

    def work() -> str:
        data = form.cleaned_data
        in_time = handling.extend(
            case,
            data["reasons"],
            way=form.chosen_way,
            announced_on=data["announced_on"],
            version=seen_version(http),
            by=signed_in(http),
        )
        return _("The request is extended.") if in_time else _("The notice came too late and extends nothing.")

    return _step(http, case, form, "request_extend", work)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def request_answer(http: HttpRequest, pk: int) -> HttpResponse:
    """Answer a request; the letter is shown before it goes out."""
    case = request_for(http, pk, page="privacy:request")
    form = AnswerForm(http.POST or None, case=case)

    def work() -> str:
        data = form.cleaned_data
        handling.answer(
            case,
            data["decision"],
            way=form.chosen_way,
            partly=data["partly"],
            version=seen_version(http),
            by=signed_in(http),
        )
        return _("The request is answered.")

    ways = letters.ways_for(case)
    copy = copies.foreseen(case, http.POST.get("way", "") or (ways[0][0] if ways else ""))
    draft = letters.compose(case, Kind.ANSWER, reason=http.POST.get("decision", ""), copy=copy)
    more = {
        "draft": draft,
        "files": [name for name, _content, _type in letters.enclosures_of(case)],
        "settled": identifying.is_settled(case),
        "copy_missing": copy is None and holds_copy(case),
    }
    return _step(http, case, form, "request_answer", work, **more)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def request_refuse(http: HttpRequest, pk: int) -> HttpResponse:
    """Propose to refuse a request."""
    case = request_for(http, pk, page="privacy:request")
    form = RefuseForm(http.POST or None, case=case)

    def work() -> str:
        data = form.cleaned_data
        done = handling.propose_refusal(
            case,
            data["ground"],
            data["reason"],
            data["evidence"],
            way=data["way"],
            version=seen_version(http),
            by=signed_in(http),
        )
        return _("The request is refused.") if done else _("The refusal waits for a second person.")

    return _step(http, case, form, "request_refuse", work, second=Policy.current().refusal_needs_second)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.approve")
def request_refusal(http: HttpRequest, pk: int) -> HttpResponse:
    """The second person's decision about a refusal that was proposed."""
    case = request_for(http, pk, page="privacy:request")
    if case.refusal_proposed_by_id is None or not case.is_open:
        raise Http404
    form = DecideForm(http.POST or None, case=case)

    def work() -> str:
        data, version, by = form.cleaned_data, seen_version(http), signed_in(http)
        if "decline" in http.POST:
            handling.decline_refusal(case, data["reason"], version=version, by=by)
            return _("The refusal is not approved; the request goes on.")
        handling.approve_refusal(case, way=data["way"], version=version, by=by)
        return _("The request is refused.")

    draft = letters.compose(case, Kind.REFUSAL, reason=case.refusal_reason)
    return _step(http, case, form, "request_refusal", work, draft=draft)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def request_rectify(http: HttpRequest, pk: int) -> HttpResponse:
    """Put a change forward, with the value before and after."""
    case = request_for(http, pk, page="privacy:request")
    try:
        form = StageForm(http.POST or None, known=rectifying.fields_of(case))
    except StepRefused as refused:
        return show(http, case, status=422, problem=str(refused))

    def work() -> str:
        data = form.cleaned_data
        rectifying.stage(case, data["field"], data["after"], data["evidence"], by=signed_in(http))
        return _("The change is staged; nothing is changed yet.")

    return _step(http, case, form, "request_rectify", work)


@require_POST
@permission_required("privacy.requests")
def request_changes(http: HttpRequest, pk: int) -> HttpResponse:
    """Decide about the staged changes that were ticked: apply them as a whole, or leave the data as they are."""
    case, by = request_for(http, pk, page="privacy:request"), signed_in(http)
    ids = [int(pk) for pk in http.POST.getlist("change")[:100] if pk.isascii() and pk.isdecimal() and len(pk) < 19]
    if not ids:
        return show(http, case, status=422, problem=_("Tick the changes you decide about."))
    if "apply" in http.POST:
        done = _("The data are corrected. Invoices that were issued stay as they are; a new document corrects them.")
        return act(http, case, lambda: rectifying.apply_all(case, ids, by=by), done)
    reason = http.POST.get("reason", "")[:2000]
    return act(http, case, lambda: rectifying.reject(case, ids, reason, by=by), _("The data stay as they are."))


@require_POST
@permission_required("privacy.requests")
def letter_settle(http: HttpRequest, pk: int, letter: int) -> HttpResponse:
    """Note what was done instead of a letter that came back."""
    case, done = request_for(http, pk, page="privacy:request"), http.POST.get("done", "")[:2000]
    found = get_object_or_404(case.letters, pk=letter)
    return act(
        http,
        case,
        lambda: returning.settle(found, done, version=seen_version(http), by=signed_in(http)),
        _("Noted."),
    )


@require_GET
@permission_required("privacy.requests")
def letter(http: HttpRequest, pk: int) -> HttpResponse:
    """A letter as PDF, to be printed."""
    found = RequestLetter.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    case = request_for(http, found.request_id, page="privacy:letter")
    answer = HttpResponse(letters.pdf_of(found), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{case.code}-{found.pk}.pdf"'
    return answer


@require_GET
@permission_required("privacy.requests")
def identity_copy(http: HttpRequest, pk: int) -> HttpResponseBase:
    """The copy of an identity card, for the check; only ever downloaded."""
    copy = IdentityCopy.objects.filter(pk=pk).first()
    if copy is None:
        raise Http404
    request_for(http, copy.request_id, page="privacy:identity_copy")
    return FileResponse(
        copy.file.open("rb"), as_attachment=True, filename=copy.name, content_type="application/octet-stream"
    )
