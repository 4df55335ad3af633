"""What imports tell the ledger: opt-ins that a file proves, and refusals; a file never revives what was ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from consents import storing
from consents.events import CLOSING, GRANTING, Channel, Event, Kind, Source
from consents.models import State
from consents.recording import record_many
from consents.withdrawing import end_states
from customers.optins import Asserted, Told, Verdict
from customers.rows import Source as Batch
from customers.suppression import hashes_of
from datamap.controlling import legal_zone
from datamap.workdays import is_on_earth

PURPOSES = {"email": "newsletter", "sms": "newsletter", "whatsapp": "newsletter", "phone": "phone"}
"""Which purpose an opt-in of a file is about, by channel: files tell of newsletters and calls, and of nothing else."""
OPTED_IN, CONFIRMED = ("OPTIN_TIME", "OPTIN_IP"), ("CONFIRM_TIME", "CONFIRM_IP")
"""Columns that prove that the form was sent, and that it was confirmed (Mailchimp)."""
FIRST_YEAR = 1990
"""Before this nobody signed up by a form: programs write their oldest date where they know none."""
_YES, _NO = "yes", "no"


class Proof(NamedTuple):
    """When somebody consented as a file proves it, and whether they confirmed it from the address."""

    at: datetime
    confirmed: bool


def proof_of(evidence: Mapping[str, str], zone: tzinfo, *, double: bool) -> Proof | None:
    """What these columns prove; None where they do not prove what the purpose needs.

    Where a double opt-in is needed (`double`), form and confirmation have to be there, each with its time and
    address; else the form alone will do. A time to come, or a confirmation before its form, proves nothing. `zone` is
    that of times which name none, as in all files.
    """
    now = timezone.now()
    opted = _moment(evidence, OPTED_IN, zone)
    confirmed = _moment(evidence, CONFIRMED, zone)
    if opted is None or opted > now:
        return None
    if confirmed is not None and opted <= confirmed <= now:
        return Proof(confirmed, True)
    return None if double or confirmed is not None else Proof(opted, False)


def _moment(evidence: Mapping[str, str], names: tuple[str, str], zone: tzinfo) -> datetime | None:
    time, address = (evidence.get(name, "").strip() for name in names)
    try:
        found = datetime.fromisoformat(time) if time and address else None
    except ValueError:
        return None
    if found is None or found.year < FIRST_YEAR:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=zone)
    return found if is_on_earth(found) else None


class _Known(NamedTuple):
    """What stands at an endpoint, for whomever."""

    customer_id: int
    state: str
    since: datetime


def judge(asserted: Sequence[Asserted]) -> list[Verdict]:
    """What becomes of opt-ins that a file asserts; five statements, whatever their number.

    A yes that is proven is taken, unless the ledger knows as much; none is taken where the person said no, here or
    under another record with the same address, has objected to advertising, or is too young to consent alone. A no
    ends a yes that stands: of two that differ the one counts that protects more.
    """
    standing = _standing(asserted)
    ids = {one.customer_id for one in asserted if one.customer_id}
    objected, minors, granted = _objected(ids), _minors(ids), _granted(ids)
    uses, zone = _uses(), legal_zone()
    verdicts = []
    for one in asserted:
        use = uses.get(PURPOSES[one.channel])
        if use is None:
            verdicts.append(Verdict.CLAIM)
            continue
        proof = proof_of(one.opt_in.evidence, zone, double=use.double_opt_in)
        young = use.age_matters and one.customer_id in minors
        verdicts.append(_verdict(one, proof, standing, objected, granted, young=young))
    return verdicts


def _verdict(
    one: Asserted,
    proof: Proof | None,
    standing: Mapping[tuple[str, bytes], list[_Known]],
    objected: set[int],
    granted: Mapping[tuple[int, str], datetime],
    *,
    young: bool,
) -> Verdict:
    marks = hashes_of(one.channel, one.endpoint) if one.endpoint else []
    if not marks or one.opt_in.state not in (_YES, _NO):
        return Verdict.CLAIM
    there = [known for mark in marks for known in standing.get((one.channel, mark), ())]
    own = next((known for known in there if known.customer_id == one.customer_id), None)
    if one.opt_in.state == _NO:
        if own is None or own.state in (Kind.REQUESTED, Kind.LAPSED):
            return Verdict.CLAIM
        return Verdict.KNOWN if own.state in CLOSING else Verdict.TAKE
    is_granted = own is not None and own.state in GRANTING
    if one.customer_id in objected or (not is_granted and any(known.state in CLOSING for known in there)):
        return Verdict.REFUSED
    if young:
        return Verdict.KNOWN if is_granted else Verdict.TOO_YOUNG
    if proof is None:
        return Verdict.KNOWN if is_granted else Verdict.CLAIM
    last = granted.get((one.customer_id or 0, one.channel))
    return Verdict.KNOWN if last is not None and last >= proof.at else Verdict.TAKE


def _standing(asserted: Iterable[Asserted]) -> dict[tuple[str, bytes], list[_Known]]:
    """What stands at these endpoints, by channel and the hash that the suppression list has of them."""
    marks = [mark for one in asserted if one.endpoint for mark in hashes_of(one.channel, one.endpoint)]
    found: dict[tuple[str, bytes], list[_Known]] = {}
    states = State.objects.filter(mark__any_of=marks, purpose__key__in=set(PURPOSES.values()))
    columns = "channel", "purpose__key", "mark", "customer_id", "state", "since"
    for channel, purpose, mark, *known in states.values_list(*columns) if marks else ():
        if PURPOSES.get(channel) == purpose:
            found.setdefault((channel, bytes(mark or b"")), []).append(_Known(*known))
    return found


def _objected(ids: set[int]) -> set[int]:
    return {pk for (pk,) in _rows(
        "SELECT customer_id FROM customers_summary WHERE customer_id = ANY(%s) AND advertising_stopped_at IS NOT NULL",
        ids,
    )}  # fmt: skip


def _minors(ids: set[int]) -> set[int]:
    flagged = (
        "SELECT customer_id FROM customers_flag WHERE customer_id = ANY(%s) AND kind = 'minor' AND lifted_at IS NULL"
    )
    return {pk for (pk,) in _rows(flagged, ids)}


def _granted(ids: set[int]) -> dict[tuple[int, str], datetime]:
    """When each of these last consented on each channel, as the ledger has it, whatever holds now."""
    rows = _rows(
        "SELECT r.customer_id, r.channel, max(r.occurred_at) FROM consents_record r "  # noqa: S608 - words of ours
        f"JOIN consents_purpose p ON p.id = r.purpose_id AND p.key = CASE r.channel {_CASES} END "
        f"WHERE r.customer_id = ANY(%s) AND r.kind IN ({_GRANTS}) GROUP BY 1, 2",
        ids,
    )
    return {(pk, channel): at for pk, channel, at in rows}


_GRANTS = ", ".join(f"'{kind.value}'" for kind in sorted(GRANTING))
_CASES = " ".join(f"WHEN '{channel}' THEN '{purpose}'" for channel, purpose in PURPOSES.items())


class _Use(NamedTuple):
    """What of a purpose decides about a file's yes."""

    double_opt_in: bool
    age_matters: bool


def _uses() -> dict[str, _Use]:
    """Each purpose in use."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, double_opt_in, minimum_age <> '{}'::jsonb FROM consents_purpose WHERE retired_at IS NULL"
        )
        return {key: _Use(*rest) for key, *rest in cursor.fetchall()}


def _rows(statement: str, ids: set[int]) -> list[tuple]:
    if not ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, [sorted(ids)])
        return cursor.fetchall()


def take(told: Sequence[Told], batch: Batch) -> None:
    """Write what a file proves, and what it says no to, in the caller's transaction."""
    zone = legal_zone()
    record_many([_given(one, batch, zone) for one in told if one.opt_in.state == _YES])
    refused = [one for one in told if one.opt_in.state == _NO]
    if refused:
        states = State.objects.filter(customer__any_of=[one.customer_id for one in refused], granted=True)
        marked = ((one, mark) for one in refused for mark in hashes_of(one.channel, one.endpoint))
        wanted = {(one.customer_id, one.channel, mark) for one, mark in marked}
        meant = [
            state
            for state in states.select_related("purpose", "customer")
            if PURPOSES.get(state.channel) == state.purpose.key
            and (state.customer_id, state.channel, bytes(state.mark or b"")) in wanted
        ]
        end_states(meant, source=Source.IMPORT, actor="import", evidence=_where(batch))


def _given(one: Told, batch: Batch, zone: tzinfo) -> Event:
    proof = proof_of(one.opt_in.evidence, zone, double=False)
    assert proof is not None
    return Event(
        kind=Kind.GIVEN,
        customer_id=one.customer_id,
        number=one.number,
        purpose=PURPOSES[one.channel],
        channel=Channel(one.channel),
        endpoint=one.endpoint,
        at=proof.at,
        late=True,
        source=Source.IMPORT,
        actor="import",
        ref=batch.batch,
        confirmed=proof.confirmed,
        evidence=_where(batch) | {"columns": dict(one.opt_in.evidence)},
    )


def _where(batch: Batch) -> dict[str, str]:
    return {"platform": batch.platform, "batch": str(batch.batch)}


def overtaken(said: Mapping[bytes, datetime]) -> set[bytes]:
    """Of these endpoints (hash -> unsubscribed when) those that somebody confirmed for advertising since."""
    # Whom the entries will be about waits from now on: everybody locks customers first, then what is about addresses.
    storing.lock(set(State.objects.filter(mark__any_of=list(said)).values_list("customer", flat=True)))
    states = State.objects.filter(mark__any_of=list(said), confirmed=True, state__in=list(GRANTING),
                                  purpose__advertising=True)  # fmt: skip
    found = states.values_list("mark", "since")
    marked = [(bytes(mark or b""), since) for mark, since in found]
    return {mark for mark, since in marked if since > said[mark]}


def unsubscribed(said: Mapping[bytes, datetime], batch: Batch) -> int:
    """Record what a list of unsubscribed addresses tells late: every consent to advertising there was withdrawn.

    A list that is older than what stands, where that was never confirmed, ends it all the same.
    """
    states = State.objects.filter(mark__any_of=list(said), granted=True, purpose__advertising=True)
    found = list(states.select_related("purpose", "customer"))
    now = timezone.now()
    times = {state.pk: max(min(said[bytes(state.mark or b"")], now), state.since) for state in found}
    return end_states(
        found, source=Source.IMPORT, actor="import", evidence=_where(batch), told=times, suppressing=False
    )
