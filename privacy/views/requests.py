"""The desk: the list of requests, one request with its stamps, and the steps that are one button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from customers.access import customer_for, visible_customers
from customers.models import ContactPerson
from privacy import clarifying, closing, handling, identifying, letters, reassigning, receiving, returning, speaking
from privacy.access import request_for
from privacy.board import page_for, today
from privacy.clock import deadline_for, explained, light_of
from privacy.forms.requests import BoardForm, CopyForm, ReasonForm, SettleForm, WayForm
from privacy.models import Erasure, Package, Rectification, Request
from privacy.packages.knowing import asker_of, marks_of_erased
from privacy.rectifying import label_of
from privacy.steps import StaleRequest, StepRefused, timeline_of
from staff.access import permission_required, signed_in
from staff.models import User


@require_GET
@permission_required("privacy.view")
def board(http: HttpRequest) -> HttpResponse:
    """Requests by the day they are due, the late ones first."""
    form = BoardForm(http.GET or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    user = signed_in(http)
    rows, cursor, first = page_for(wanted, user, http.GET.get("after", ""))
    query = http.GET.copy()
    query["after"] = cursor
    context = {
        "form": form,
        "rows": rows,
        "first": first,
        "next_url": f"?{query.urlencode()}" if cursor else "",
        "named": user.may("privacy.requests"),
        "takes": user.may("privacy.take"),
        "visible": set(_seen(user, [row.request for row in rows])),
        "closed": wanted.get("state") == Request.State.CLOSED,
    }
    return render(http, "privacy/requests.html", context, status=400 if form.errors else 200)


@require_GET
@permission_required("privacy.requests")
def detail(http: HttpRequest, pk: int) -> HttpResponse:
    """One request: stamps, deadline explained, and what can be done next."""
    return show(http, request_for(http, pk, page="privacy:request"))


def show(http: HttpRequest, case: Request, *, status: int = 200, problem: str = "", points: Any = ()) -> HttpResponse:
    """The page of one request, also as the answer to a step that could not be taken."""
    deadline, on = deadline_for(case), today()
    way = WayForm(case=case)
    context = {
        "case": case,
        "deadline": deadline,
        "light": light_of(case, deadline, on),
        "explained": explained(case, deadline),
        "events": timeline_of(case),
        "letters": case.letters.select_related("written_by").order_by("-written_at", "-pk"),
        "reads_mail": signed_in(http).may("mail.view"),
        "back": set(returning.back(case.letters.all()).values_list("pk", flat=True)),
        "copies": case.identity_copies.order_by("pk"),
        "changes": _changes(case),
        "staged": case.rectifications.filter(state=Rectification.State.STAGED).exists(),
        "restrictions": case.restrictions.order_by("pk"),
        "erasures": case.erasures.exclude(state=Erasure.State.CANCELLED).select_related("requested_by").order_by("pk"),
        "erases": signed_in(http).may("privacy.erase"),
        "people": _people(http, case),
        "speaker": speaking.speaker_of(case),
        "speakers": _speakers(case),
        "removed": speaking.removed_from(case.customer) if case.customer is not None else [],
        "asks_extent": clarifying.is_open(case),
        "published": case.published.order_by("pk"),
        "taken_back": reassigning.consequences(case) if case.is_open else [],
        "others": receiving.others_like(case) if case.duplicate_of_id is None and case.is_open else [],
        "duplicates": case.duplicates.order_by("pk"),
        "settled": identifying.is_settled(case),
        "points": points or (closing.open_points(case) if not case.is_open and case.closed_at is None else []),
        "settle_form": SettleForm(asked=case.identity_asked_at is not None),
        "copy_form": CopyForm(),
        "way_form": way,
        "reason_form": ReasonForm(),
        "approves": signed_in(http).may("privacy.approve"),
        "packages": case.packages.order_by("-asked_at", "-pk")[:5] if case.kind in Package.Kind.values else None,
        "makes_packages": signed_in(http).may("privacy.packages") and asker_of(case) is not None,
        "erased_before": 0
        if case.customer is not None
        else len(marks_of_erased(email=case.person_email, phone=case.person_phone)),
        "problem": problem,
    }
    return render(http, "privacy/request.html", context, status=status)


def act(http: HttpRequest, case: Request, work: Callable[[], Any], done: str) -> HttpResponse:
    """Take a step; one that cannot be taken is answered with the page as it is now: 409 stale, 422 refused."""
    try:
        work()
    except StaleRequest:
        case.refresh_from_db()
        words = _("Somebody took a step with this request meanwhile; nothing was changed. This is how it stands now.")
        return show(http, case, status=409, problem=words)
    except closing.StillOpen as refused:
        return show(http, case, status=409, problem=_("This is still open:"), points=refused.points)
    except StepRefused as refused:
        return show(http, case, status=422, problem=str(refused))
    messages.success(http, done)
    if not Request.on_desk().filter(pk=case.pk).exists():  # of somebody erased: closing has blocked the file
        return redirect("privacy:requests")
    return redirect("privacy:request", pk=case.pk)


def seen_version(http: HttpRequest) -> int:
    """The version the form was made from; what is no number was never seen."""
    text = http.POST.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def told_version(http: HttpRequest) -> int | None:
    """The same of a form that begins a row as well: without a version there is nothing to compare."""
    return seen_version(http) if "version" in http.POST else None


@require_POST
@permission_required("privacy.requests")
def request_owner(http: HttpRequest, pk: int) -> HttpResponse:
    """Take a request over."""
    case, user = request_for(http, pk, page="privacy:request"), signed_in(http)
    return act(
        http,
        case,
        lambda: handling.take_over(case, user, version=seen_version(http), by=user),
        _("You are in charge of this request."),
    )


@require_POST
@permission_required("privacy.requests")
def request_assign(http: HttpRequest, pk: int) -> HttpResponse:
    """Say whose request it is."""
    case = request_for(http, pk, page="privacy:request")
    number = http.POST.get("other", "").strip() or http.POST.get("person", "").strip()
    try:
        customer = customer_for(http, number, page="privacy:request", permission="privacy.requests")
    except Http404:
        return show(http, case, status=422, problem=_("There is no customer with this number."))
    return act(
        http,
        case,
        lambda: receiving.assign(case, customer, version=seen_version(http), by=signed_in(http)),
        _("The request belongs to this customer now."),
    )


@require_POST
@permission_required("privacy.requests")
def request_speaker(http: HttpRequest, pk: int) -> HttpResponse:
    """Say who of a company asks: one of its contact persons for themselves, or the company."""
    case, chosen = request_for(http, pk, page="privacy:request"), http.POST.get("speaker", "")
    person = next((one for one in _speakers(case) if str(one.pk) == chosen), None)
    if chosen and person is None:
        return show(http, case, status=422, problem=_("Choose one of the contact persons."))
    return act(
        http,
        case,
        lambda: receiving.say_who(case, person, version=seen_version(http), by=signed_in(http)),
        _("It is noted who asks."),
    )


@require_POST
@permission_required("privacy.requests")
def request_link(http: HttpRequest, pk: int) -> HttpResponse:
    """Link a request with an earlier one about the same matter."""
    case = request_for(http, pk, page="privacy:request")
    chosen = http.POST.get("to", "")
    to = next((other for other in receiving.others_like(case) if str(other.pk) == chosen), None)
    if to is None:
        return show(http, case, status=422, problem=_("Choose an open request about the same matter."))
    return act(
        http,
        case,
        lambda: receiving.link(case, to, version=seen_version(http), by=signed_in(http)),
        _("The two requests are linked."),
    )


@require_POST
@permission_required("privacy.requests")
def request_receipt(http: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the receipt."""
    case = request_for(http, pk, page="privacy:request")
    form = WayForm(http.POST, case=case)
    if not form.is_valid():
        return show(http, case, status=422, problem=_("Choose how the letter goes out."))
    return act(
        http,
        case,
        lambda: handling.confirm_receipt(
            case, way=form.cleaned_data["way"], version=seen_version(http), by=signed_in(http)
        ),
        _("The receipt is confirmed."),
    )


@require_POST
@permission_required("privacy.requests")
def request_settle(http: HttpRequest, pk: int) -> HttpResponse:
    """Note how identity was settled."""
    case = request_for(http, pk, page="privacy:request")
    form = SettleForm(http.POST)
    if not form.is_valid():
        return show(http, case, status=422, problem=_("Choose how identity was settled."))
    data = form.cleaned_data
    return act(
        http,
        case,
        lambda: identifying.settle(
            case, data["method"], version=seen_version(http), by=signed_in(http), reason=data["reason"]
        ),
        _("Identity is settled."),
    )


@require_POST
@permission_required("privacy.requests")
def request_copy(http: HttpRequest, pk: int) -> HttpResponse:
    """Take a copy of an identity card in."""
    case = request_for(http, pk, page="privacy:request")
    form = CopyForm(http.POST, http.FILES)
    if not form.is_valid():
        return show(http, case, status=422, problem=_("Choose a file."))
    return act(
        http,
        case,
        lambda: identifying.add_copy(case, form.cleaned_data["file"], by=signed_in(http)),
        _("The copy is here. It is deleted as soon as you settle identity."),
    )


@require_POST
@permission_required("privacy.requests")
def request_reopen(http: HttpRequest, pk: int) -> HttpResponse:
    """Take an answered request up again."""
    case = request_for(http, pk, page="privacy:request")
    form = ReasonForm(http.POST)
    if not form.is_valid():
        return show(http, case, status=422, problem=_("Say why the request is taken up again."))
    return act(
        http,
        case,
        lambda: handling.reopen(case, form.cleaned_data["reason"], version=seen_version(http), by=signed_in(http)),
        _("The request is in progress again."),
    )


@require_POST
@permission_required("privacy.requests")
def request_close(http: HttpRequest, pk: int) -> HttpResponse:
    """Close a request; what is open refuses."""
    case = request_for(http, pk, page="privacy:request")
    return act(
        http,
        case,
        lambda: closing.close(case, version=seen_version(http), by=signed_in(http)),
        _("The request is closed."),
    )


def _people(http: HttpRequest, case: Request) -> list[Any]:
    if case.customer_id is not None or not case.is_open:
        return []
    visible = visible_customers(signed_in(http))
    found = receiving.people_meant(visible, email=case.person_email, phone=case.person_phone)
    return [(customer, letters.named(customer)) for customer in found]


def _speakers(case: Request) -> list[ContactPerson]:
    """The contact persons of the company whose request it is, as long as it can be said who asks."""
    if case.customer_id is None or not case.is_open:
        return []
    standing = ContactPerson.objects.filter(customer=case.customer_id).order_by("last_name", "pk")
    return [*standing, *(speaking.removed_from(case.customer) if case.customer is not None else ())]


def _changes(case: Request) -> list[tuple[Rectification, str]]:
    rows = case.rectifications.select_related("decided_by").order_by("pk")
    return [(row, label_of(row.field)) for row in rows]


def _seen(user: User, cases: list[Request]) -> list[int]:
    """Whose names of these this person may see."""
    ids = [case.customer_id for case in cases if case.customer_id]
    return list(visible_customers(user).filter(pk__in=ids).values_list("pk", flat=True))
