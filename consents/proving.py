"""Opt-ins that an import asserts (`OptInClaim`) become consents where they are proven, singly or a whole import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from consents.deciding import may
from consents.events import CLOSING, Event, Kind, Source, Wording
from consents.intake import FIRST_YEAR, PURPOSES, proof_of
from consents.models import Purpose, State
from consents.panel import Endpoint, endpoints_of, kind_of
from consents.recording import record_many
from customers import claims
from customers.models import ContactPoint, Customer, OptInClaim
from customers.suppression import hashes_of, suppressed_among
from datamap.controlling import legal_zone
from datamap.deadlocks import repeated_after_deadlock

PAGE = 1_000
# Claims of one import that nothing about the person stands against, each with the one endpoint it can be about.
_PAGE = """
SELECT q.id, q.channel, c.id, c.number, p.id
FROM customers_optinclaim q JOIN customers_customer c ON c.id = q.customer_id
LEFT JOIN customers_summary k ON k.customer_id = c.id
JOIN LATERAL (SELECT min(x.id) AS id FROM customers_contactpoint x WHERE x.customer_id = c.id
    AND x.whole_index IS NOT NULL AND x.kind = CASE q.channel WHEN 'email' THEN 'email' ELSE 'phone' END
    HAVING count(*) = 1) p ON true
WHERE q.origin_id = %s AND q.id > %s AND q.state = 'yes' AND q.channel = ANY (%s)
    AND c.restricted_at IS NULL AND c.deactivated_at IS NULL AND k.advertising_stopped_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM customers_flag f
        WHERE f.customer_id = c.id AND f.kind = 'minor' AND f.lifted_at IS NULL)
ORDER BY q.id LIMIT %s FOR UPDATE OF q
"""
KNOWN = frozenset({"consent"})
OPEN_TO_PROOF = frozenset({"never_asked", "requested", "lapsed", "stale", "expired", "existing_customer"})
"""Answers that a proven opt-in of an import changes; it revives nothing that was withdrawn, refused or suppressed."""


class NotProven(ValueError):
    """This claim cannot become a consent; says why, in the reader's language."""


@dataclass(frozen=True)
class Evidence:
    """When the columns of a file say that somebody signed up and confirmed."""

    opted_in: datetime | None
    confirmed: datetime | None

    @property
    def at(self) -> datetime | None:
        """The moment from which the consent holds."""
        return self.confirmed or self.opted_in


@dataclass
class Proved:
    """How many claims of an import became consents, and how many were left for a person to look at."""

    proved: int = 0
    left: int = 0


def read_evidence(columns: Mapping[str, Any] | None, zone: ZoneInfo) -> Evidence:
    """What the columns of a file say, for whoever looks at a claim; what proves it by itself says `intake.proof_of`.

    A time without its zone is one of `zone`, the shop's.
    """
    opted, confirmed = (_moment((columns or {}).get(name), zone) for name in ("OPTIN_TIME", "CONFIRM_TIME"))
    if opted is not None and confirmed is not None and confirmed < opted:
        confirmed = None
    return Evidence(opted, confirmed)


def purpose_of(claim: OptInClaim) -> Purpose:
    """The purpose that the claim is about. Raises NotProven where the shop uses none."""
    found = Purpose.objects.filter(key=PURPOSES.get(claim.channel, ""), retired_at__isnull=True).first()
    if found is None or claim.channel not in found.channels:
        raise NotProven(_("No purpose in use has this channel."))
    return found


def endpoints_for(claim: OptInClaim) -> list[Endpoint]:
    """The addresses or numbers that the claim can be about."""
    return [one for one in endpoints_of(claim.customer) if one.kind == kind_of(claim.channel) and one.index]


def against(claim: OptInClaim, endpoint: str) -> str:
    """Why this claim cannot become a consent for this endpoint, in words; "" where it can."""
    purpose = purpose_of(claim)
    if claim.state != "yes":
        return _("The import does not say yes.")
    decision = may(claim.customer, purpose.key, claim.channel, endpoint)
    if decision.reason not in OPEN_TO_PROOF | KNOWN:
        return str(decision.text)
    if _closed_elsewhere(purpose, [(claim.channel, endpoint)]):
        return _("Somebody else with this address or number has said no.")
    return ""


@transaction.atomic
def prove(
    pk: int, endpoint: str, *, at: datetime, actor: str, confirmed: bool, wording: Wording | None, note: str
) -> int:
    """Enter one claim as a consent given then; answers the entry. The claim goes.

    Raises OptInClaim.DoesNotExist where it was proved or dropped already, NotProven where something stands against it.
    """
    claim = OptInClaim.objects.select_for_update(of=("self",)).select_related("customer", "origin").get(pk=pk)
    Customer.objects.select_for_update(no_key=True).get(pk=claim.customer_id)
    if reason := against(claim, endpoint):
        raise NotProven(reason)
    extra = {"note": note} if note else {}
    # What staff prove by evidence of their own is no word of the file: undoing the import leaves it.
    event = _event(claim, claim.customer.number, endpoint, at, actor, confirmed=confirmed, wording=wording, **extra)
    event = replace(event, ref=None)
    entry = record_many([event])[0]
    claim.delete()
    return entry


def prove_import(origin_id: int, actor: str, *, page: int = PAGE) -> Proved:
    """Enter every claim of one import whose own columns prove it; a transaction for each page, bounded memory.

    What has no proof, no purpose, several endpoints, or anything against it is left as it is.
    """
    done, after = Proved(), 0
    uses = {
        channel: purpose
        for channel, key in PURPOSES.items()
        if (purpose := Purpose.objects.filter(key=key, retired_at__isnull=True).first()) and channel in purpose.channels
    }
    while True:
        last, proved = _prove_next(origin_id, after, uses, actor, page)
        if last is None:
            break
        done.proved += proved
        after = last
    done.left = OptInClaim.objects.filter(origin=origin_id).count()
    return done


def drop(pk: int) -> int:
    """Drop one claim that nobody can prove; 0 where it is gone."""
    with transaction.atomic():
        return claims.end_claims([pk])


def drop_import(origin_id: int) -> int:
    """Drop all claims of one import; answers how many went."""
    with transaction.atomic():
        return claims.end_claims_of(origin_id)


def _rows(origin_id: int, after: int, channels: list[str], page: int) -> list[tuple[int, str, int, str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, [origin_id, after, channels, page])
        return cursor.fetchall()


@repeated_after_deadlock
def _prove_next(origin_id: int, after: int, uses: dict[str, Purpose], actor: str, page: int) -> tuple[int | None, int]:
    """One page: the last claim looked at, None where none is left, and how many became consents."""
    rows = _rows(origin_id, after, list(uses), page)
    return (rows[-1][0], _prove_page(rows, uses, actor)) if rows else (None, 0)


def _prove_page(rows: list[tuple[int, str, int, str, int]], uses: dict[str, Purpose], actor: str) -> int:
    claimed = OptInClaim.objects.select_related("origin").in_bulk([row[0] for row in rows])
    values = dict(ContactPoint.objects.filter(pk__in=[row[4] for row in rows]).values_list("pk", "value"))
    closed = _against_endpoints([(channel, values[point]) for _pk, channel, _id, _number, point in rows], uses)
    events, proved, zone = [], [], legal_zone()
    for pk, channel, _customer, number, point in rows:
        # As the import itself would have judged, had it brought the purpose with it.
        proof = proof_of(claimed[pk].evidence or {}, zone, double=uses[channel].double_opt_in)
        if proof is None or (channel, values[point]) in closed:
            continue
        events.append(_event(claimed[pk], number, values[point], proof.at, actor, confirmed=proof.confirmed))
        proved.append(pk)
    record_many(events)
    OptInClaim.objects.filter(pk__in=proved).delete()
    return len(proved)


def _against_endpoints(pairs: list[tuple[str, str]], uses: dict[str, Purpose]) -> set[tuple[str, str]]:
    """Those that are suppressed, or at which somebody has said no."""
    found: set[tuple[str, str]] = set()
    for channel, purpose in uses.items():
        own = [pair for pair in pairs if pair[0] == channel]
        if not own:
            continue
        found |= {(channel, value) for value in suppressed_among(channel, [value for _channel, value in own])}
        found |= _closed_elsewhere(purpose, own)
    return found


def _closed_elsewhere(purpose: Purpose, pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Of these channels and endpoints those at which anybody ended or refused this purpose."""
    asked: dict[bytes, set[tuple[str, str]]] = {}
    for pair in pairs:
        for mark in hashes_of(*pair):
            asked.setdefault(mark, set()).add(pair)  # one address, however each record spells it
    closing = [kind.value for kind in CLOSING - {Kind.EXPIRED}]
    states = State.objects.filter(mark__in=list(asked), purpose=purpose, state__in=closing)
    return {
        pair
        for mark, channel in states.values_list("mark", "channel")
        for pair in asked[bytes(mark or b"")]
        if pair[0] == channel
    }


def _event(
    claim: OptInClaim,
    number: str,
    endpoint: str,
    at: datetime,
    actor: str,
    *,
    confirmed: bool,
    wording: Wording | None = None,
    **evidence: Any,
) -> Event:
    imported = {"columns": dict(claim.evidence or {}), "imported": claim.claimed_at.isoformat()}
    return Event(
        kind=Kind.GIVEN,
        customer_id=claim.customer_id,
        number=number,
        purpose=PURPOSES[claim.channel],
        channel=claim.channel,
        endpoint=endpoint,
        at=at,
        late=True,
        source=Source.IMPORT,
        wording=wording,
        actor=actor,
        ref=claim.origin.batch,
        confirmed=confirmed,
        evidence=imported | evidence,
    )


def _moment(said: Any, zone: ZoneInfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(said).strip())
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=zone)
    return found if found.year >= FIRST_YEAR and found <= timezone.now() else None
