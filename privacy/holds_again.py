"""Holds in the journal outside the database: a restored shop must not delete what a claim or an authority keeps.

An entry has the kind, the scope and the day of the review, and no word: reasons stay in the database, and whoever sees
a hold that came back asks for its reason again. It is known by the instant at which it was set, its kind and its
person, since row numbers come again after a restore.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from customers import tombstones
from customers.models import Customer
from datamap import holds, journal
from privacy.compiling import tables
from privacy.journaling import is_meant
from privacy.models import Hold, HoldReview
from staff.models import User

SET, RELEASED = "hold_set", "hold_released"


def remember(hold: Hold) -> None:
    """Write down that a hold stands, or until when it is looked at again, in the transaction that says so. Raises what
    the journal raises."""
    scope = {
        "order": tombstones.hashers("order")[0](hold.order_number).hex() if hold.order_number else None,
        "first_year": hold.first_year,
        "last_year": hold.last_year,
        "categories": [key.lower() for key in hold.categories],
    }
    people = {"owner": hold.owner_id, "set_by": hold.set_by_id}
    journal.write(SET, {**_name_of(hold), **scope, **people, "review_on": hold.review_on.isoformat()})


def remember_release(hold: Hold) -> None:
    """The same of a hold that has ended."""
    assert hold.released_at is not None
    journal.write(RELEASED, {**_name_of(hold), "at": hold.released_at.isoformat(), "by": hold.released_by_id})


def _name_of(hold: Hold) -> dict[str, Any]:
    mark = tombstones.hashers("number")[0](hold.customer.number).hex() if hold.customer is not None else None
    return {"kind": hold.kind, "set_at": hold.set_at.isoformat(), "customer": hold.customer_id, "mark": mark}


def replay_set(entry: Mapping[str, Any]) -> str:
    """Set a hold again, or bring its review to the day of the entry; "already" where it stands so, has ended, or its
    person is not here."""
    customer = None
    if entry["customer"] is not None:
        # Whoever ends the person waits, as with every hold that is set.
        customer = Customer.objects.select_for_update().filter(pk=entry["customer"]).first()
        if customer is None or not is_meant(entry, customer.number):
            return "already"
    review_on = date.fromisoformat(entry["review_on"])
    known = _known(entry).first()
    if known is not None:
        if known.released_at is not None or known.review_on == review_on:
            return "already"
        known.review_on = review_on
        known.save(update_fields=["review_on"])
    else:
        known = _set_again(entry, customer, review_on)
    said = _("Set before the database was restored: the reason has to be noted again.")
    HoldReview.objects.create(hold=known, reason=said, review_on=review_on)
    return "replayed"


def replay_released(entry: Mapping[str, Any]) -> str:
    """End a hold again that had ended before the database was restored."""
    hold = _known(entry).filter(released_at=None).first()
    if hold is None:
        return "already"
    hold.released_at = datetime.fromisoformat(entry["at"])
    hold.released_by = _staff(entry["by"])
    hold.save(update_fields=["released_at", "released_by"])
    HoldReview.objects.create(hold=hold, reason=_("Released before the database was restored."), by=hold.released_by)
    return "replayed"


def _known(entry: Mapping[str, Any]) -> QuerySet[Hold]:
    named = {"kind": entry["kind"], "set_at": datetime.fromisoformat(entry["set_at"]), "customer": entry["customer"]}
    return Hold.archive.select_for_update(of=("self",)).filter(**named)


def _set_again(entry: Mapping[str, Any], customer: Customer | None, review_on: date) -> Hold:
    return Hold.objects.create(
        kind=entry["kind"],
        customer=customer,
        # Where the order is not here, or not yet again, everything of the person stays until somebody has looked.
        order_number=_order_of(customer, entry["order"]) if customer is not None and entry["order"] else "",
        first_year=entry["first_year"],
        last_year=entry["last_year"],
        categories=[key.upper() for key in entry["categories"]],
        reason=_("Set before the database was restored: the reason has to be noted again."),
        owner=_staff(entry["owner"]),
        review_on=review_on,
        set_by=_staff(entry["set_by"]),
        set_at=datetime.fromisoformat(entry["set_at"]),
    )


def _order_of(customer: Customer, mark: str) -> str:
    """The number of the order that is meant, among those that the apps below know of this person; "" for none."""
    hashers = tombstones.hashers("order")
    numbers = (number for number in _order_numbers(customer) if any(hash_(number).hex() == mark for hash_ in hashers))
    return next(numbers, "")


def _order_numbers(customer: Customer) -> Iterator[str]:
    for rows, column in order_rows(customer):
        numbers = rows.exclude(**{column: ""}).order_by().values_list(column, flat=True)
        yield from numbers.distinct().iterator(chunk_size=1000)


def order_rows(customer: Customer) -> Iterator[tuple[QuerySet[Any], str]]:
    """The rows of this person that are tied to an order, table by table, and by which column."""
    for label, link in holds.links().items():
        table = tables().get(label)
        if link.order and table is not None and table.owner is not None and table.model is not Hold:
            yield table.model._base_manager.filter(**{table.owner: customer.pk}), link.order


def _staff(pk: int | None) -> User | None:
    return User.objects.filter(pk=pk, is_active=True).first() if pk is not None else None
