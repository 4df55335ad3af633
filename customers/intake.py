"""The one door through which customers and suppression entries come in from files, forms and platforms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import holding, optins, reading, suppression
from customers.cleaning import ZERO_BACK, Cleaner, Person
from customers.holding import DecisionRefused
from customers.known import Known, Tried, account_emails
from customers.matching import Held, Matched, hold_restricted, match
from customers.models import Customer, HeldIntake, Suppression
from customers.periods import CATEGORIES
from customers.planning import Changes, changes_for, state_of_new
from customers.postcodes import put_zeros_back
from customers.rows import CustomerRow, Outcome, Problem, Source, SuppressionRow
from customers.sealing import Sealer
from customers.vanishing import again_without_gone
from customers.writing import Writer, numbers_for
from datamap.catalogue import cutoff
from datamap.workdays import local_date

__all__ = ["DecisionRefused", "decide_held", "write_customers", "write_suppressions"]

# One import of customers writes at a time: two that find the same e-mail unknown would otherwise both make the account.
LOCK = 0x0B447_0001


@again_without_gone
def write_customers(rows: Sequence[CustomerRow], source: Source, *, dry_run: bool = False) -> Outcome:
    """Write one chunk of customers (5,000 to 20,000 rows) as sets, or say what would be written.

    One transaction: all good rows of the chunk or, on an exception, none. Rows that cannot be stored are counted and
    named in the outcome, values that cannot be read are warned about, rows that the rules "Who is who" cannot place
    are held. The same rows again write nothing. Chunks of one file are written one after the other; imports that run
    at the same time wait for each other (an advisory lock until the transaction ends), so none makes a person twice.
    Whoever is erased meanwhile is not there any more, and their rows are held.

    A dry run goes the same way and stops before writing; the chunks of one file share what they would have left in
    a temporary table of the connection, so that its counts are those of the real run.
    """
    outcome, sealer = Outcome(), Sealer()
    cleaner = Cleaner(outcome)
    persons = [person for row in rows if (person := cleaner.clean(row)) is not None]
    with transaction.atomic():
        if not dry_run:
            _lock()
        known = Tried(source.platform, source.batch) if dry_run else Known(source.platform)
        matched = match(persons, known, sealer, lock=not dry_run, own_numbers=source.own_numbers)
        for row in (row for person in matched.strangers for row in person.rows):
            outcome.reject(Problem(row.line, "number", _("The customer with this number has quite another name.")))
        _put_zeros_back(matched, outcome)
        hold_restricted(matched, source.platform, sealer)
        _drop_suppressed_claims([*matched.known.values(), *matched.new], outcome)
        optins.screen(matched, outcome)
        outcome.overdue = _overdue([*matched.known.values(), *matched.new], source.as_of)
        _settle(matched, known, sealer, source, outcome, dry_run=dry_run)
    return outcome


def write_suppressions(rows: Sequence[SuppressionRow], source: Source, *, dry_run: bool = False) -> Outcome:
    """Put one chunk of unsubscribed, bounced or objecting endpoints on the suppression list, or say what would be.

    One transaction. An endpoint already on the list is unchanged, or updated where this source tells of an earlier
    day; that it names it too is noted beside it. One that cannot be read is rejected.
    """
    outcome = Outcome()
    wanted, known_as, lines = _read_suppressions(rows, outcome)
    with transaction.atomic():
        if not dry_run:
            _lock()  # no undo ends an entry between the look and the note
        _leave_overtaken(wanted, known_as, lines, outcome)
        listed = {known_as[mark] for mark in suppression.entries_among(known_as)}
        named = {mark: wanted[first][1:] for mark, first in known_as.items()}
        told = {mark: since for mark, (_reason, since) in named.items()}
        earlier = {known_as[mark] for mark in suppression.told_earlier(told, source.origin_id)}
        if dry_run:
            tried = Tried(source.platform, source.batch)
            before = tried.suppressed(wanted)
            listed, earlier = listed | before, earlier - before
            tried.remember([(f"s:{mark.hex()}", 0) for mark in wanted], [])
        new = {mark: entry for mark, entry in wanted.items() if mark not in listed}
        outcome.created = len(new) if dry_run else _insert_suppressions(new, source)
        outcome.updated = len(earlier)
        if not dry_run:
            suppression.mention(named, source.origin_id)
            refused = {mark: since for mark, (reason, since) in named.items() if reason in suppression.WORDS_OF_PEOPLE}
            optins.unsubscribed(refused, source)
        outcome.unchanged += len(wanted) - outcome.created - outcome.updated
    return outcome


def _read_suppressions(
    rows: Sequence[SuppressionRow], outcome: Outcome
) -> tuple[dict[bytes, tuple[str, str, datetime]], dict[bytes, bytes], dict[bytes, int]]:
    """What the rows say, each endpoint once: its channel, reason and day by its first hash; every hash with the first
    one; and the line."""
    wanted: dict[bytes, tuple[str, str, datetime]] = {}
    known_as: dict[bytes, bytes] = {}
    lines: dict[bytes, int] = {}
    now = timezone.now()
    for row in rows:
        said, _lost = reading.clean_text(row.endpoint)
        endpoint = said if row.channel in ("email", "post") else reading.read_phone(said) or ""
        valid = reading.is_email(said) if row.channel == "email" else bool(endpoint)
        hashes = suppression.hashes_of(row.channel, endpoint) if valid else []
        if not hashes:
            outcome.reject(Problem(row.line, "email", _("This cannot be read as an address to be suppressed.")))
            continue
        if hashes[0] in wanted:
            outcome.unchanged += 1
            continue
        # A date ahead, or none, moves nothing into the future.
        wanted[hashes[0]] = row.channel, row.reason, min(row.since or now, now)
        lines[hashes[0]] = row.line
        known_as |= dict.fromkeys(hashes, hashes[0])
    return wanted, known_as, lines


def _leave_overtaken(
    wanted: dict[bytes, tuple[str, str, datetime]],
    known_as: dict[bytes, bytes],
    lines: dict[bytes, int],
    outcome: Outcome,
) -> None:
    """Leave addresses out that were confirmed anew after the list says they were unsubscribed; an objection stays."""
    said = {
        mark: wanted[first][2]
        for mark, first in known_as.items()
        if wanted[first][1] == Suppression.Reason.UNSUBSCRIBED
    }
    for first in {known_as[mark] for mark in optins.overtaken(said)}:
        message = _("The person has confirmed anew since then; the address is not suppressed.")
        outcome.warn(Problem(lines[first], "email", message))
        outcome.unchanged += 1
        del wanted[first]
    for mark in [mark for mark, first in known_as.items() if first not in wanted]:
        del known_as[mark]


def decide_held(held_id: int, decision: str, *, user_id: int | None, customer: Customer | None = None) -> Outcome:
    """What a person decides about a held row: "applied" to a customer, "created" as a new one, or "dropped".

    One transaction with the row locked: of two people who decide at once the second gets DecisionRefused. Raises it
    too where the customer's data are restricted, or the row cannot be stored. The decision stays as proof, so that
    the same file again does not hold the row again.
    """
    outcome = Outcome()
    with transaction.atomic():
        _lock()
        held = holding.claim(held_id, decision, user_id)
        if decision == HeldIntake.Decision.DROPPED:
            return outcome
        sealer, source = Sealer(), holding.source_of(held, user_id)
        person = Cleaner(outcome).clean(holding.row_of(held.payload))
        if person is None:
            raise DecisionRefused(outcome.errors[0].message)
        matched = _decided(person, decision, customer, source)
        _put_zeros_back(matched, outcome)
        _drop_suppressed_claims([person], outcome)
        optins.screen(matched, outcome)
        _settle(matched, Known(source.platform), sealer, source, outcome, dry_run=False)
    return outcome


def _decided(person: Person, decision: str, customer: Customer | None, source: Source) -> Matched:
    known = Known(source.platform)
    owner = known.by_external_id([person.external_id]).get(person.external_id)
    if decision == HeldIntake.Decision.CREATED:
        if owner is not None:
            # Its id belongs to somebody by now; the new person is told apart by having none.
            person.external_id = ""
        return Matched(new=[person])
    if customer is None:
        raise DecisionRefused(_("Say to which customer the row belongs."))
    states = known.states([customer.pk], lock=True)
    if customer.pk not in states:
        raise DecisionRefused(_("This customer is gone."))
    holding.refuse_restricted(Customer.objects.get(pk=customer.pk))
    if owner not in (None, customer.pk):
        person.external_id = ""
    return Matched(known={customer.pk: person}, states=states)


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _put_zeros_back(matched: Matched, outcome: Outcome) -> None:
    everybody = [(person, matched.states[id_]) for id_, person in matched.known.items()]
    for person in put_zeros_back([*everybody, *((person, None) for person in matched.new)]):
        outcome.warn(Problem(person.line, "postcode", str(ZERO_BACK)))


def _settle(matched: Matched, known: Known, sealer: Sealer, source: Source, outcome: Outcome, *, dry_run: bool) -> None:
    """Compare, count, and write unless this is a dry run."""
    own = _own_numbers(matched, known, outcome)
    changed: list[Changes] = []
    for customer_id, person in matched.known.items():
        changes = changes_for(customer_id, person, matched.states[customer_id], source.platform, sealer)
        if changes:
            changed.append(changes)
    outcome.created = outcome.customers_created = len(matched.new)
    outcome.updated = len(changed)
    outcome.unchanged = len(matched.known) - len(changed) + matched.untouched
    marks = _count_held(matched.held, known, source, outcome)
    if isinstance(known, Tried):
        _remember(matched, own, known, sealer, marks)
        return
    writer = Writer(source, sealer)
    numbers = numbers_for(matched.new, own) if matched.new else []
    ids = writer.create(matched.new, numbers)
    if changed:
        writer.update(changed)
    writer.finish(changed, matched.new)
    optins.take(_told(matched, changed, ids, numbers), source)
    holding.put_aside(matched.held, marks, source)


def _told(
    matched: Matched, changed: Sequence[Changes], ids: Sequence[int], numbers: Sequence[str]
) -> list[optins.Told]:
    """What the ledger of consents takes of this chunk, now that everybody is stored."""
    found = [
        told
        for changes in changed
        for told in optins.told_of(
            changes.customer_id,
            matched.states[changes.customer_id]["number"],
            matched.known[changes.customer_id],
            changes.told,
        )
    ]
    for customer_id, number, person in zip(ids, numbers, matched.new, strict=True):
        found += optins.told_of(customer_id, number, person, person.told)
    return found


def _own_numbers(matched: Matched, known: Known, outcome: Outcome) -> dict[int, str]:
    """Place of a new customer -> the number its file brings, where that is free."""
    wanted = [person.number for person in matched.new if person.number]
    used = known.numbers(wanted) if wanted else set()
    own: dict[int, str] = {}
    for place, person in enumerate(matched.new):
        if not person.number:
            continue
        if person.number in used:
            outcome.warn(Problem(person.line, "number", _("This number is taken; another one is given.")))
        else:
            own[place] = person.number
            used.add(person.number)
    for customer_id, person in matched.known.items():
        if person.number and person.number != matched.states[customer_id]["number"]:
            outcome.warn(Problem(person.line, "number", _("The customer keeps the number that is known.")))
    return own


def _count_held(held: list[Held], known: Known, source: Source, outcome: Outcome) -> list[bytes]:
    """Rows that wait; a row that somebody has decided before is settled and counts as unchanged."""
    marks = holding.marks_of(held, source.platform)
    before = known.held(marks) if marks else {}
    for mark in marks:
        if before.get(mark):
            outcome.unchanged += 1
        else:
            outcome.held += 1
    return marks


def _remember(matched: Matched, own: dict[int, str], known: Tried, sealer: Sealer, marks: list[bytes]) -> None:
    keys: list[tuple[str, int]] = [(f"h:{mark.hex()}", 0) for mark in set(marks)]
    states = [(customer_id, matched.states[customer_id]) for customer_id in matched.known]
    for place, person in enumerate(matched.new):
        id_ = known.next_id - place
        states.append((id_, state_of_new(person, own.get(place, ""), known.platform, sealer)))
        if place in own:
            keys.append((f"n:{own[place]}", id_))
    for id_, state in states:
        keys += [(f"x:{value}", id_) for platform, value in state["external"] if platform == known.platform]
        keys += [(f"e:{index}", id_) for index in account_emails(state)]
    known.remember(keys, states)


def _drop_suppressed_claims(persons: Sequence[Person], outcome: Outcome) -> None:
    """An opt-in that a file asserts for a suppressed endpoint is refused: only the person can end that (Art. 21)."""
    asked: dict[tuple[str, str], list[tuple[Person, str]]] = {}
    for person in persons:
        for channel, opt_in in person.opt_ins.items():
            endpoint = optins.endpoint_of(person, channel)
            if endpoint and opt_in.state != "no":
                asked.setdefault((optins.CHANNEL_KEYS[channel], endpoint), []).append((person, channel))
    for kind in ("email", "phone"):
        endpoints = [endpoint for one, endpoint in asked if one == kind]
        for endpoint in suppression.suppressed_among(kind, endpoints) if endpoints else ():
            for person, channel in asked[kind, endpoint]:
                del person.opt_ins[channel]
                message = _("This address is on the suppression list; the opt-in is not taken over.")
                outcome.warn(Problem(person.line, "newsletter", message))


def _overdue(persons: Sequence[Person], as_of: date | None) -> int:
    """How many are already past their last day: last activity, else sign-up, else today counts."""
    today = as_of or local_date(timezone.now())
    limits = {status: cutoff(key, today) for status, key in CATEGORIES.items()}
    late = 0
    for person in persons:
        start = person.last_activity or person.values.get("registered_at")
        limit = limits[person.status]
        if start is not None and limit is not None and local_date(start) <= limit:
            late += 1
    return late


def _insert_suppressions(new: dict[bytes, tuple[str, str, datetime]], source: Source) -> int:
    entries = [
        suppression.Entry(mark, channel, suppression.ADVERTISING, reason, since)
        for mark, (channel, reason, since) in new.items()
    ]
    return suppression.insert(entries, origin_id=source.origin_id)
