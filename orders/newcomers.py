"""Makes the customers whom nobody knew yet of the orders that name them; without its person no order is stored."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from customers.intake import write_customers
from customers.known import Known
from customers.reading import same_letters
from customers.rows import AddressRow, CustomerRow, Outcome, Problem, Source
from orders.buyers import Buyers, is_known_by_name, restricted_among
from orders.rows import OrderRow, SnapshotRow
from orders.staging import Incoming, contact, deviates


def make_customers(
    buyers: Buyers, known: Known, source: Source, outcome: Outcome, *, dry_run: bool, decided: bool
) -> None:
    """Write the customers nobody knew and give each waiting order its own, or in a dry run say what would be.

    An order whose person cannot be stored is rejected by its own line, and one whose person is held waits with
    that person: both leave `buyers`. `known` answers in a dry run what would have been stored.
    """
    rows = _people(buyers)
    if not rows:
        return
    if decided:
        # Whoever is let in after an erasure begins now, as somebody new.
        for row in rows:
            row.registered_at = timezone.now()
    made = write_customers(rows, source, dry_run=dry_run)
    outcome.customers_created += made.created
    for problem in made.warnings:
        outcome.warn(problem)
    outcome.warning_count += made.warning_count - len(made.warnings)
    ids = known.by_external_id([row.external_id for row in rows])
    restricted = restricted_among([pk for pk in ids.values() if pk > 0])
    ids = {value: pk for value, pk in ids.items() if pk not in restricted}
    reasons = {problem.line: problem for problem in made.errors}
    for key, many in list(buyers.prospects.items()):
        if key in ids:
            for one in many:
                one.customer_id = ids[key]
        else:
            _leave_out(buyers.prospects.pop(key), made, reasons, outcome)
    left = []
    for one in buyers.guests:
        one.customer_id = ids.get(guest_id(one.row))
        if one.customer_id is None and is_known_by_name(one.row):
            _leave_out([one], made, reasons, outcome)
        else:
            left.append(one)
    buyers.guests = left


def _leave_out(many: list[Incoming], made: Outcome, reasons: dict[int, Problem], outcome: Outcome) -> None:
    """Count the orders of one person who was rejected, held, or dropped by somebody before."""
    reason = next((reasons[one.row.line] for one in many if one.row.line in reasons), None)
    # Only so many problems are listed; beyond them a person who is missing was rejected.
    certain = made.error_count == len(made.errors)
    if not reason and certain and made.held:
        outcome.held += len(many)
    elif not reason and certain and made.unchanged:
        outcome.unchanged += len(many)
    else:
        field, message = (reason.field, reason.message) if reason else ("", _("Who ordered cannot be stored."))
        for one in many:
            outcome.reject(Problem(one.row.line, field, message))


def _people(buyers: Buyers) -> list[CustomerRow]:
    """The people behind these orders as customers; a guest of whom nothing is said is nobody to keep."""
    prospects = [many[0] for many in buyers.prospects.values()]
    rows = [_person(one.row, "prospect", one.row.customer_external_id) for one in prospects]
    return rows + [_person(one.row, "guest", guest_id(one.row)) for one in buyers.guests if is_known_by_name(one.row)]


def guest_id(row: OrderRow) -> str:
    """The id a guest carries: the order it is the guest of, for this platform has no other."""
    return same_letters(f"order:{row.external_id}")


def _person(row: OrderRow, status: str, external_id: str) -> CustomerRow:
    billing = row.billing if row.billing.name or row.billing.company else row.shipping
    first, _space, last = billing.name.rpartition(" ")
    addresses = [_address("billing", row.billing)]
    if deviates(contact(row.billing), contact(row.shipping)) and status == "prospect":
        addresses.append(_address("shipping", row.shipping))
    return CustomerRow(
        line=row.line,
        external_id=external_id,
        status=status,
        kind="company" if billing.company and not billing.name else "",
        first_name=first,
        last_name=last,
        company=billing.company,
        email=row.email or row.billing.email,
        phone=row.billing.phone,
        registered_at=row.placed_at,
        last_activity=row.placed_at,
        addresses=[address for address in addresses if address.street or address.city or address.postcode],
    )


def _address(kind: str, snapshot: SnapshotRow) -> AddressRow:
    return AddressRow(
        kind=kind,
        recipient=snapshot.name or snapshot.company,
        street=snapshot.street,
        postcode=snapshot.postcode,
        city=snapshot.city,
        country=snapshot.country,
    )
