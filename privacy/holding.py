"""Holds that people set: set, look again, release; a review that is overdue is an alert and ends nothing (4.2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer
from datamap.controlling import legal_zone
from datamap.holds import (
    FILE_ONLY,
    HoldRefused,
    Place,
    StandingHold,
    overdue,
    refuse_review,
    register_case_source,
    standing,
)
from datamap.standing import UnknownSubject
from datamap.workdays import local_date
from privacy import holds_again
from privacy.forewarning import KIND, REASON, waits
from privacy.models import Hold, HoldReview
from privacy.opencases import stop_endings
from staff.models import User

FILE_SCOPE = gettext_lazy("the person's own file")

TAX_CATEGORIES = ("INV", "LETTER", "TAXDOC", "BOOK")
"""What a tax matter can hold (AO § 147(3)); no other data matter for taxes."""

# What erasure and retention call the holds that people set on a person (see datamap.holds).
CASE_SOURCES: dict[str, tuple[str, Any]] = {
    Hold.Kind.CLAIM: ("claim_hold", gettext_lazy("claim or dispute (Art. 17(3)(e))")),
    Hold.Kind.PAYMENT: ("payment_hold", gettext_lazy("open payment")),
    Hold.Kind.AUTHORITY: ("authority_order", gettext_lazy("order of an authority")),
}
CASE_SQL = """
    SELECT h.customer_id, nullif(h.order_number, '') AS order_number, NULL::bigint AS complaint_id, h.review_on
    FROM privacy_hold AS h
    WHERE h.kind = '%s' AND h.released_at IS NULL AND h.customer_id = ANY(%%(ids)s)
"""


def set_hold(
    kind: str,
    *,
    reason: str,
    owner: User | None,
    review_on: date | None,
    by: User | None,
    customer: Customer | None = None,
    order_number: str = "",
    first_year: int | None = None,
    last_year: int | None = None,
    categories: Iterable[str] = (),
    today: date | None = None,
) -> Hold:
    """Stop the deletion of one case, one person or, for a tax matter, of the papers of some years.

    Atomic. Raises HoldRefused (no reason, no owner, review missing, past or later than twelve months, wrong scope, an
    order that the person does not have, the person gone meanwhile).
    """
    day = today or local_date(timezone.now(), legal_zone())
    _refuse_unreasoned(reason)
    if owner is None:
        raise HoldRefused("owner", _("A hold needs somebody in charge."))
    refuse_review(review_on, day)
    chosen = _scope(kind, customer, first_year, last_year, list(categories))
    order_number = order_number.strip()
    if customer is not None and order_number and not _has_order(customer, order_number):
        raise HoldRefused("order_number", _("This customer has no order with this number."))
    with transaction.atomic():
        if customer is not None and not stop_endings(customer.pk):
            raise HoldRefused("customer", _("This customer is gone."))
        hold = Hold.objects.create(
            kind=kind,
            customer=customer if kind != Hold.Kind.TAX else None,
            order_number=order_number if kind != Hold.Kind.TAX else "",
            first_year=first_year if kind == Hold.Kind.TAX else None,
            last_year=last_year if kind == Hold.Kind.TAX else None,
            categories=chosen,
            reason=reason.strip(),
            owner=owner,
            review_on=review_on,  # type: ignore[misc]  # refused above where there is none
            set_by=by,
        )
        HoldReview.objects.create(hold=hold, reason=reason.strip(), review_on=review_on, by=by)
        holds_again.remember(hold)
    return hold


def extend_review(
    hold_id: int, review_on: date | None, reason: str, *, by: User | None, today: date | None = None
) -> Hold:
    """Say why a hold goes on and until when. Atomic; raises HoldRefused, also where it is released already."""
    _refuse_unreasoned(reason)
    refuse_review(review_on, today or local_date(timezone.now(), legal_zone()))
    with transaction.atomic():
        hold = _standing_for_update(hold_id)
        hold.review_on = review_on  # type: ignore[assignment]
        hold.save(update_fields=["review_on"])
        HoldReview.objects.create(hold=hold, reason=reason.strip(), review_on=review_on, by=by)
        holds_again.remember(hold)
    return hold


def release_hold(hold_id: int, reason: str, *, by: User | None) -> Hold:
    """End a hold; periods are not begun anew, the next run takes what is due. Atomic; raises HoldRefused."""
    _refuse_unreasoned(reason)
    with transaction.atomic():
        hold = _standing_for_update(hold_id)
        hold.released_at, hold.released_by = timezone.now(), by
        hold.save(update_fields=["released_at", "released_by"])
        HoldReview.objects.create(hold=hold, reason=reason.strip(), by=by)
        holds_again.remember_release(hold)
    return hold


def standing_holds() -> QuerySet[Hold]:
    """The holds that stop deletion now, those with the oldest review first."""
    return Hold.objects.filter(released_at__isnull=True).order_by("review_on", "pk")


def overdue_reviews(today: date | None = None) -> QuerySet[Hold]:
    """Standing holds that somebody should have looked at."""
    day = today or local_date(timezone.now(), legal_zone())
    return standing_holds().filter(review_on__lt=day)


def overdue_cases(most: int, after: Place | None = None) -> list[StandingHold]:
    """Open orders, payments, complaints and restrictions that have held data for a year, or that somebody should have
    looked at again since, the oldest first."""
    return overdue(local_date(timezone.now(), legal_zone()), most, after)


def tax_holds_on(key: str, start: date) -> list[Hold]:
    """The tax matters in whose years and kinds of papers this datum lies: of a year, never of a customer (2.1)."""
    paper = key.partition(":")[0]
    years = {"first_year__lte": start.year, "last_year__gte": start.year}
    return [
        hold
        for hold in standing_holds().filter(kind=Hold.Kind.TAX, **years)
        if paper in (hold.categories or TAX_CATEGORIES)
    ]


def holds_on(key: str, start: date, as_of: date, number: str | None) -> list[dict[str, Any]]:
    """What `datamap.standing` asks: holds by years and papers, and every open matter of one person.

    Raises UnknownSubject.
    """
    found = [
        _said("tax_hold", scope_of(hold), hold.get_kind_display(), hold.review_on) for hold in tax_holds_on(key, start)
    ]
    if number is None:
        return found
    # PostgreSQL refuses a NUL in a parameter; no number holds one.
    customer = Customer.objects.filter(number=number).first() if "\0" not in number else None
    if customer is None:
        raise UnknownSubject(_("There is no customer with this number."))
    cases = standing([customer.pk], as_of, night=True)
    found += [_said(case.kind, scope_of_case(case), case.reason, case.review_on) for case in cases]
    waiting = waits([customer.pk], as_of, legal_zone()).get(customer.pk)
    return [*found, _said(KIND, FILE_SCOPE, REASON, waiting)] if waiting else found


def register_sources() -> None:
    """Tell the engine which holds people have set on a person or an order; called from the app's `ready`."""
    for kind, (key, reason) in CASE_SOURCES.items():
        said = "open_payment" if kind == Hold.Kind.PAYMENT else ""
        register_case_source(key, Hold.Kind(kind).label, CASE_SQL % kind, reason, kind=said)


def scope_of(hold: Hold) -> str:
    """What a hold keeps, in words."""
    if hold.kind == Hold.Kind.TAX:
        years = f"{hold.first_year}" if hold.first_year == hold.last_year else f"{hold.first_year}–{hold.last_year}"
        return f"{', '.join(hold.categories or TAX_CATEGORIES)} {years}"
    if hold.order_number:
        return _("order %s") % hold.order_number
    return _("everything about the person")


def scope_of_case(case: StandingHold) -> str:
    """What an open matter keeps, in words."""
    if case.order_number:
        return _("order %s") % case.order_number
    if case.complaint_id == FILE_ONLY:
        return str(FILE_SCOPE)
    return _("a complaint") if case.complaint_id else _("everything about the person")


def _said(kind: str, scope: Any, reason: Any, review: date | None) -> dict[str, Any]:
    """A hold as commands name it: no free text, no person."""
    return {"kind": kind, "scope": str(scope), "reason": str(reason), "review": review.isoformat() if review else None}


def _refuse_unreasoned(reason: str) -> None:
    if not reason.strip():
        raise HoldRefused("reason", _("A hold needs a reason."))


def _scope(
    kind: str, customer: Customer | None, first_year: int | None, last_year: int | None, categories: list[str]
) -> list[str]:
    """The categories of a tax hold; refuses what holds nothing or too much."""
    if kind not in Hold.Kind.values:
        raise HoldRefused("kind", _("There is no such kind of hold."))
    if kind != Hold.Kind.TAX:
        if customer is None:
            raise HoldRefused("customer", _("Say whose data are held."))
        return []
    if customer is not None:
        raise HoldRefused("customer", _("A tax matter holds years and kinds of papers, never one customer."))
    if first_year is None or last_year is None:
        raise HoldRefused("first_year", _("A tax matter needs its years."))
    if last_year < first_year:
        raise HoldRefused("last_year", _("The last year lies before the first."))
    if not categories or set(categories) - set(TAX_CATEGORIES):
        raise HoldRefused("categories", _("Choose which kinds of papers are held."))
    return sorted(set(categories))


def _has_order(customer: Customer, number: str) -> bool:
    """Whether anything of this person is tied to such an order: a hold on any other would keep nothing."""
    return any(rows.filter(**{column: number}).exists() for rows, column in holds_again.order_rows(customer))


def _standing_for_update(hold_id: int) -> Hold:
    hold = Hold.objects.select_for_update().filter(Q(pk=hold_id, released_at__isnull=True)).first()
    if hold is None:
        raise HoldRefused("reason", _("This hold is released already."))
    return hold
