"""Takes orders in from files and platforms as sets: whose they are, what is new, what must wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.intake import LOCK as NEW_CUSTOMERS
from customers.known import Known
from customers.models import HeldIntake
from customers.rows import Outcome, Problem, Source
from customers.vanishing import again_without_gone, keep
from datamap.catalogue import cutoff
from datamap.controlling import controller, legal_zone
from datamap.workdays import local_date
from orders.buyers import Buyers, find_buyers
from orders.newcomers import make_customers
from orders.recognizing import knows_its_id, recognize
from orders.rehearsal import REHEARSED, Rehearsal
from orders.remains import hold_erased
from orders.rows import OrderRow
from orders.staging import Incoming, cleaned, digester, payload, total_of
from orders.totals import refresh_totals
from orders.writing import ORDERS, Written, insert_orders, news_in, update_orders
from vault.keyring import keyring

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('orders.intake ' || %s, 0))"


@transaction.atomic
def write_orders(
    rows: Sequence[OrderRow],
    source: Source,
    *,
    dry_run: bool = False,
    decided: bool = False,
    owner_id: int | None = None,
) -> Outcome:
    """Create and update orders of one chunk, with their lines, customers nobody knew, history and totals.

    Atomic. A row that says what its source said before writes nothing; an older file never turns a status
    back. What touches a restricted or erased person is held. Records that cannot be stored are named in the
    outcome; nothing is raised for them. A dry run fills the same counts and writes nothing but a note of
    what it has seen. `decided` says that a person looked at held rows: erasures are not asked again, and new
    orders belong to the customer `owner_id`, or to somebody new.
    """
    outcome = Outcome()
    with connection.cursor() as cursor:
        # One intake per platform at a time: between looking and writing nobody adds the same order.
        cursor.execute(LOCK, [source.platform])
    clean = [row for row in rows if cleaned(row, outcome)]
    overdue = _Overdue(source.as_of)
    outcome.overdue += sum(overdue.counts(row) for row in clean)
    rehearsal = Rehearsal(source) if dry_run else None
    parts = list(_without_repeats(clean))
    if len(parts) > 1 and rehearsal is None:
        # A later part may bring somebody new when an earlier one has written orders and totals: everybody who needs
        # the lock on new customers has it before those, or two of them would wait for each other.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NEW_CUSTOMERS])
    for part in parts:
        outcome.add(_write_part(part, source, rehearsal, decided=decided, owner_id=owner_id))
    return outcome


@again_without_gone
def _write_part(
    rows: Sequence[OrderRow],
    source: Source,
    rehearsal: Rehearsal | None,
    *,
    decided: bool,
    owner_id: int | None,
) -> Outcome:
    outcome = Outcome()
    incoming = _news(rows, source, outcome, REHEARSED if rehearsal else ORDERS)
    if owner_id:
        buyers = Buyers(settled=[replace(one, customer_id=one.customer_id or owner_id) for one in incoming])
    else:
        buyers = find_buyers(incoming, source.platform)
    if not (rehearsal or owner_id):
        keep({one.customer_id for one in (*incoming, *buyers.settled) if one.customer_id})
    if rehearsal:
        rehearsal.settle(buyers)
    if not decided:
        hold_erased(buyers, source.platform)
    _hold(buyers, source, outcome, dry_run=rehearsal is not None)
    known = rehearsal.known if rehearsal else Known(source.platform)
    make_customers(buyers, known, source, outcome, dry_run=rehearsal is not None, decided=decided)
    everyone = [*buyers.settled, *buyers.strangers]
    new = [one for one in everyone if not one.order_id]
    changed = [one for one in everyone if one.order_id]
    if rehearsal:
        fresh, written = rehearsal.insert(new), rehearsal.update(changed)
    else:
        fresh, written = insert_orders(new, source), update_orders(changed, source)
        refresh_totals([*fresh.customers, *written.customers])
    _count(outcome, fresh)
    _count(outcome, written)
    outcome.unchanged += len(changed) - written.updated
    return outcome


def _count(outcome: Outcome, written: Written) -> None:
    outcome.created += written.created
    outcome.updated += written.updated
    outcome.lines += written.lines


def _without_repeats(rows: Iterable[OrderRow]) -> Iterable[list[OrderRow]]:
    """Parts in which no order comes twice, in the file's order: the second word about an order is an update."""
    waiting = list(rows)
    while waiting:
        part: dict[str, OrderRow] = {}
        numbers: set[str] = set()
        repeats = []
        for row in waiting:
            # Told once with its id and once without, it is one order all the same.
            told = (row.number in part) if knows_its_id(row) else (row.number in numbers)
            if told or row.external_id in part:
                repeats.append(row)
            else:
                part[row.external_id] = row
                numbers.add(row.number)
        yield list(part.values())
        waiting = repeats


def _news(rows: Sequence[OrderRow], source: Source, outcome: Outcome, orders: str) -> list[Incoming]:
    """The rows that say something new; the others are counted as unchanged, or rejected without a date."""
    known = recognize(rows, source.platform, orders)
    digest, incoming = digester(), []
    for row in rows:
        now = digest(row)
        stored = known.get(row.external_id)
        if stored is None:
            if problem := _too_little(row):
                outcome.reject(Problem(row.line, *problem))
            else:
                incoming.append(Incoming(row, now))
            continue
        news = frozenset(news_in(now, stored.digest))
        renames = knows_its_id(row) and stored.external_id != row.external_id
        if stored.blocked or not (news or renames):
            # A blocked order belongs to an erased person: a file never brings it back.
            outcome.unchanged += 1
        else:
            incoming.append(
                Incoming(row, now, news, stored.id, stored.customer_id, known=stored.digest, renames=renames)
            )
    return incoming


def _too_little(row: OrderRow) -> tuple[str, str] | None:
    if row.placed_at is None:
        return "placed_at", _("The date of the order is missing or unreadable.")
    if total_of(row) is None:
        return "total", _("The order has neither a total nor lines.")
    return None


class _Overdue:
    """Counts orders that are past their last day already; the start falls back from delivered to placed."""

    def __init__(self, as_of: date | None) -> None:
        who = controller()
        self.zone = legal_zone(who)
        self.last_start = cutoff(
            "ORDER", as_of or timezone.localdate(timezone=self.zone), supervised=who.supervised_financial
        )

    def counts(self, row: OrderRow) -> bool:
        start = row.delivered_at or row.placed_at
        return bool(start and self.last_start and local_date(start, self.zone) <= self.last_start)


def _hold(buyers: Buyers, source: Source, outcome: Outcome, *, dry_run: bool) -> None:
    """Put aside what waits for a person; what somebody has decided before counts as unchanged."""
    # A dry run has no origin; its rows are made for their fingerprints alone.
    rows = [_held(one, reason, mark, source) for one, reason, mark in buyers.held]
    marks = [row.fingerprint for row in rows]
    decided = HeldIntake.objects.filter(fingerprint__in=marks).exclude(decision="").count() if rows else 0
    outcome.unchanged += decided
    outcome.held += len(rows) - decided
    if rows and not dry_run:
        HeldIntake.objects.bulk_create(rows, ignore_conflicts=True)


def _held(one: Incoming, reason: str, subject_ref: UUID | None, source: Source) -> HeldIntake:
    # The list key never changes: what somebody has decided stays decided when the index is computed anew.
    told = f"{source.platform}\0{one.row.external_id}\0{one.digest.hex()}"
    return HeldIntake(
        kind="order",
        reason=reason,
        payload={"platform": source.platform, "row": payload(one.row)},
        fingerprint=keyring().list_hash("orders.held", told),
        line=one.row.line,
        customer_id=one.customer_id,
        subject_ref=subject_ref,
        origin_id=source.origin_id or 0,
    )
