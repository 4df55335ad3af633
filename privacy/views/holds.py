"""Pages of holds: the list with overdue reviews on top, a new one, and one with its reviews."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.access import SEES_RESTRICTED, customer_for, visible_customers
from customers.models import Customer
from datamap.accesslog import name_pages
from datamap.controlling import legal_zone
from datamap.holds import HoldRefused, Place, StandingHold, label_of, place_of
from datamap.keyset import PAGE, page_of
from datamap.workdays import local_date
from privacy import holding
from privacy.forms.holds import HoldForm, ReleaseForm, ReviewForm
from privacy.models import Hold
from privacy.paging import next_url
from staff.access import permission_required, signed_in
from staff.models import User

CASES = "cases"
COMPLAINT = "claim"
RESTRICTIONS = ("art18", "art18_claims", "art18_speaker")
_signer = Signer(salt="privacy.cases")

name_pages({"privacy:hold": gettext_lazy("Hold"), "privacy:hold_customer": gettext_lazy("Set a hold")})


@require_GET
@permission_required("privacy.holds")
def hold_list(request: HttpRequest) -> HttpResponse:
    """Standing holds, the oldest review first; on demand those released, or the cases that nobody has looked at."""
    if request.GET.get("show") == CASES:
        return _open_cases(request)
    released = request.GET.get("show") == "released"
    rows = Hold.objects.filter(released_at__isnull=not released).select_related("customer", "owner")
    column = "released_at" if released else "review_on"
    page = page_of(rows, column, descending=released, cursor=request.GET.get("cursor", ""))
    today = local_date(timezone.now(), legal_zone())
    context = {
        "page": page,
        "rows": [_row(request, hold, today) for hold in page.rows],
        "shown": "released" if released else "standing",
        "released": released,
        "overdue": holding.overdue_reviews(today)[:1000].count(),
        "next_url": next_url(request, page.next_cursor),
    }
    return render(request, "privacy/holds.html", context)


def _open_cases(request: HttpRequest) -> HttpResponse:
    """What follows from orders, complaints and restrictions, and should have been looked at again by now."""
    after = _place_in(request.GET.get("cursor", ""))
    found = holding.overdue_cases(PAGE + 1, after)
    people = Customer.objects.in_bulk({case.customer_id for case in found})
    user = signed_in(request)
    shown = found[:PAGE]
    context = {
        "rows": [_case_row(case, people[case.customer_id], user) for case in shown if case.customer_id in people],
        "shown": CASES,
        "next_url": next_url(request, _cursor_of(shown[-1]) if found[PAGE:] else ""),
        "may_open": user.may("customers.view"),
        "may_review": user.may("privacy.requests"),
        "may_answer": user.may("interactions.view"),
    }
    return render(request, "privacy/holds_cases.html", context)


def _case_row(case: StandingHold, customer: Customer, user: User) -> dict[str, Any]:
    return {
        "case": case,
        "label": label_of(case.source),
        "scope": holding.scope_of_case(case),
        "number": "" if customer.restricted_at and not user.may(SEES_RESTRICTED) else customer.number,
        "restriction": case.matter if case.source in RESTRICTIONS else None,
        "complaint": case.complaint_id if case.source == COMPLAINT else None,
    }


def _cursor_of(case: StandingHold) -> str:
    day, kind, matter = place_of(case)
    return _signer.sign_object([day.isoformat(), kind, matter])


def _place_in(cursor: str) -> Place | None:
    """Where the page before ended; None, so from the top, where the cursor is none of ours."""
    try:
        day, kind, matter = _signer.unsign_object(cursor)
    except BadSignature:
        return None
    return date.fromisoformat(day), kind, matter


@require_http_methods(["GET", "POST"])
@permission_required("privacy.holds")
def hold_new(request: HttpRequest) -> HttpResponse:
    """Set a hold; a reason, somebody in charge and a review are demanded."""
    return _new(request, None)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.holds")
def hold_customer(request: HttpRequest, number: str) -> HttpResponse:
    """Set a hold on one customer, from the customer's page."""
    return _new(request, customer_for(request, number, page="privacy:hold_customer", permission="privacy.holds"))


def _new(request: HttpRequest, customer: Customer | None) -> HttpResponse:
    user = signed_in(request)
    initial: dict[str, Any] = {"owner": user.pk, "categories": holding.TAX_CATEGORIES}
    if customer is not None:
        initial |= {"customer": customer.number, "kind": Hold.Kind.CLAIM}
    form = HoldForm(request.POST or None, initial=initial, visible=visible_customers(user))
    if request.method == "POST" and form.is_valid():
        try:
            hold = holding.set_hold(**form.cleaned_data, by=user)
            messages.success(request, _("The hold is set."))
            return redirect("privacy:hold", pk=hold.pk)
        except HoldRefused as refused:
            form.add_error(refused.field, str(refused))
    context = {"form": form, "customer": customer}
    return render(request, "privacy/hold_new.html", context, status=422 if form.errors else 200)


@require_GET
@permission_required("privacy.holds")
def hold_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One hold with everything that was decided about it."""
    return _detail(request, _hold(request, pk), ReviewForm(), ReleaseForm())


@require_POST
@permission_required("privacy.holds")
def hold_extend(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a hold go on, with a reason and the next review."""
    hold, form = _hold(request, pk), ReviewForm(request.POST)
    if form.is_valid():
        try:
            holding.extend_review(hold.pk, **form.cleaned_data, by=signed_in(request))
            messages.success(request, _("The hold goes on."))
            return redirect("privacy:hold", pk=pk)
        except HoldRefused as refused:
            form.add_error(refused.field, str(refused))
    return _detail(request, hold, form, ReleaseForm(), status=422)


@require_POST
@permission_required("privacy.holds")
def hold_release(request: HttpRequest, pk: int) -> HttpResponse:
    """End a hold; the next run takes what is due."""
    hold, form = _hold(request, pk), ReleaseForm(request.POST)
    if form.is_valid():
        try:
            holding.release_hold(hold.pk, form.cleaned_data["reason"], by=signed_in(request))
            messages.success(request, _("The hold is released."))
            return redirect("privacy:hold", pk=pk)
        except HoldRefused as refused:
            form.add_error(refused.field, str(refused))
    return _detail(request, hold, ReviewForm(), form, status=422)


def _detail(
    request: HttpRequest, hold: Hold, review: ReviewForm, release: ReleaseForm, status: int = 200
) -> HttpResponse:
    context = {
        "hold": hold,
        "scope": holding.scope_of(hold),
        "reviews": hold.reviews.select_related("by").order_by("-at", "-pk"),
        "review": review,
        "release": release,
        "overdue": hold.is_standing and hold.review_on < local_date(timezone.now(), legal_zone()),
    }
    return render(request, "privacy/hold.html", context, status=status)


def _hold(request: HttpRequest, pk: int) -> Hold:
    """The hold; one on a person only through that person's door."""
    hold = Hold.objects.filter(pk=pk).select_related("customer", "owner", "set_by", "released_by").first()
    if hold is None:
        raise Http404
    if hold.customer is not None:
        customer_for(request, hold.customer.number, page="privacy:hold", permission="privacy.holds")
    return hold


def _row(request: HttpRequest, hold: Hold, today: Any) -> dict[str, Any]:
    hidden = bool(hold.customer and hold.customer.restricted_at) and not signed_in(request).may(SEES_RESTRICTED)
    return {
        "hold": hold,
        "scope": holding.scope_of(hold),
        "overdue": hold.is_standing and hold.review_on < today,
        "number": "" if hidden or hold.customer is None else hold.customer.number,
        "hidden": hidden,
    }
