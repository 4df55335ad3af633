"""Answers the one question: may this person's data be used for this purpose on this channel, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consents.events import CLOSING, GRANTING, UNSAID, WITH_ENDPOINT, Channel, Kind
from consents.folding import Told, fold
from consents.models import Purpose, PurposeVersion, Record, State
from consents.recording import months_later
from consents.uses import used_then
from customers.models import ContactPoint, Customer
from customers.past_contacts import had_contact
from customers.postal import stopped_by_post
from customers.suppression import ADVERTISING, FIRST, hashes_of
from datamap.preparing import ask

REASONS: dict[str, Any] = {
    "consent": _("The person has consented."),
    "existing_customer": _("Existing customer who was told at the sale and has not objected (§ 7(3) UWG)."),
    "contract": _("It belongs to the contract."),
    "interests": _("Legitimate interests; nobody has objected."),
    "blocked": _("The person was erased or is not there."),
    "restricted": _("The person's data are restricted (Art. 18 GDPR)."),
    "deactivated": _("The customer is deactivated."),
    "withdrawn": _("The person has withdrawn the consent."),
    "refused": _("The person has refused."),
    "revoked": _("The shop has ended the consent."),
    "expired": _("The consent has expired."),
    "invalidated": _("The consent is not valid."),
    "objected": _("The person has objected to advertising."),
    "suppressed": _("The address or number is on the suppression list."),
    "requested": _("The consent has been asked for and is not confirmed."),
    "lapsed": _("The order with which the person was told of mails has been cancelled or went back."),
    "never_asked": _("Nobody has asked the person."),
    "too_young": _("The person is too young."),
    "stale": _("The consent has not been used for too long."),
    "not_theirs": _("The address or number is not one of this customer."),
    "no_endpoint": _("There is no address or number for this channel."),
    "wrong_channel": _("The purpose does not use this channel."),
    "retired": _("The purpose is no longer used."),
}
"""Why it is allowed or not, in words; the keys are kept wherever a decision is noted."""


@dataclass(frozen=True)
class Decision:
    """The answer, and what it rests on: the entry of the ledger, its date and wording, or what stands against it."""

    allowed: bool
    reason: str
    since: datetime | None = None
    entry: int | None = None
    wording: str = ""

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def text(self) -> Any:
        """The reason in words."""
        return REASONS[self.reason]


class Facts(NamedTuple):
    """What the answer follows from, as it is now or was then; whoever has read it already may ask `decide` with it.

    theirs: whether the address or number is one of the customer's. The last six are of the state and of its entry, None
    where nothing was ever said.
    """

    there: bool
    restricted_at: datetime | None
    deactivated_at: datetime | None
    stopped_at: datetime | None
    minor: bool
    theirs: bool
    suppressed_since: datetime | None
    state: str | None
    since: datetime | None
    confirmed: bool | None
    entry: int | None
    wording: str | None
    fresh_until: datetime | None


class Use(NamedTuple):
    """What `decide` must know of the purpose."""

    pk: int
    basis: str
    channels: list[str]
    advertising: bool
    existing_customers: bool
    age_matters: bool
    stale_months: int | None
    retired_at: datetime | None


_USE = """
SELECT id, basis, channels, advertising, existing_customers, minimum_age <> '{}'::jsonb, stale_months, retired_at
FROM consents_purpose WHERE key = %s
"""
# As it was then; what was before the first version is asked of the first.
_USE_THEN = """
SELECT p.id, v.basis, v.channels, v.advertising, v.existing_customers, v.minimum_age <> '{}'::jsonb, v.stale_months,
    v.retired_at
FROM consents_purpose p JOIN consents_purposeversion v ON v.purpose_id = p.id
WHERE p.key = %s ORDER BY v.valid_from <= %s DESC, CASE WHEN v.valid_from <= %s THEN -v.number ELSE v.number END LIMIT 1
"""
_NOW = """
SELECT true, c.restricted_at, c.deactivated_at, k.advertising_stopped_at,
    EXISTS (SELECT 1 FROM customers_flag f WHERE f.customer_id = c.id AND f.kind = 'minor' AND f.lifted_at IS NULL),
    {theirs},
    (SELECT min({first}) FROM customers_suppression x
     WHERE x.endpoint = ANY (%s) AND x.scope = %s AND x.ended_at IS NULL),
    s.state, s.since, s.confirmed, s.entry_id, e.text_sha256, s.fresh_until
FROM customers_customer c LEFT JOIN customers_summary k ON k.customer_id = c.id
LEFT JOIN consents_state s ON s.customer_id = c.id AND s.purpose_id = %s AND s.channel = %s AND {same}
LEFT JOIN consents_entry e ON e.id = s.entry_id
WHERE c.id = %s
"""
_WITH = _NOW.format(
    first=FIRST,
    theirs="EXISTS (SELECT 1 FROM customers_contactpoint cp WHERE cp.customer_id = c.id AND cp.whole_index = ANY (%s))",
    same="s.endpoint_index = ANY (%s)",
)
_WITHOUT = _NOW.format(first=FIRST, theirs="true", same="s.endpoint_index IS NULL")
_THEN = f"""
SELECT coalesce(h.restricted_at, CASE WHEN h.id IS NULL THEN c.restricted_at END),
    coalesce(h.deactivated_at, CASE WHEN h.id IS NULL THEN c.deactivated_at END),
    (SELECT max(o.since) FROM customers_advertisingstop o
     WHERE o.customer_id = c.id AND o.since <= %(at)s AND (o.ended_at IS NULL OR o.ended_at > %(at)s)),
    EXISTS (SELECT 1 FROM customers_flag f WHERE f.customer_id = c.id AND f.kind = 'minor' AND f.set_at <= %(at)s
        AND (f.lifted_at IS NULL OR f.lifted_at > %(at)s)),
    (SELECT min({FIRST}) FROM customers_suppression x WHERE x.endpoint = ANY (%(marks)s) AND x.scope = %(scope)s
        AND {FIRST} <= %(at)s AND (x.ended_at IS NULL OR x.ended_at > %(at)s))
FROM customers_customer c
LEFT JOIN LATERAL (
    SELECT h.id, h.restricted_at, h.deactivated_at FROM customers_historicalcustomer h
    WHERE h.id = c.id AND h.history_date <= %(at)s ORDER BY h.history_date DESC, h.history_id DESC LIMIT 1
) h ON true
WHERE c.id = %(customer)s
"""  # noqa: S608 - words of ours
_INDEX: Any = State._meta.get_field("endpoint_index")


def may(
    customer: Customer, purpose: str, channel: str, endpoint: str | None = None, at: datetime | None = None
) -> Decision:
    """Whether the shop may, with the reason; `at` asks the same of a past moment.

    `endpoint` is the address or number meant, by default the customer's own for this channel. A past moment is asked of
    the purpose as it was then (`version_then`). Raises LookupError for a purpose that does not exist. Whatever fails
    while asking is raised: a question without an answer is no yes.
    """
    then = at is not None and at < timezone.now()
    found = ask(_USE_THEN, [purpose, at, at]) if then else ask(_USE, [purpose])
    if not found:
        raise LookupError(f"There is no purpose {purpose}.")
    use = Use._make(found[0])
    if use.retired_at is not None and not (then and at < use.retired_at):  # type: ignore[operator]
        return Decision(False, "retired", use.retired_at)
    if channel not in use.channels:
        return Decision(False, "wrong_channel")
    wanted = endpoint_for(customer, channel, endpoint)
    if wanted is None:
        return Decision(False, "no_endpoint" if _is_there(customer) else "blocked")
    facts = _facts_then(customer, use, channel, wanted, at) if then else _facts_now(customer, use, channel, wanted)  # type: ignore[arg-type]
    if channel == Channel.POST and use.advertising:
        listed = stopped_by_post([customer.pk], at if then else None).get(customer.pk)
        facts = facts._replace(suppressed_since=post_stopped(listed, facts))
    return decide(use, channel, facts, at or timezone.now())


def post_stopped(listed: datetime | None, facts: Facts) -> datetime | None:
    """Since when an entry of the list (`stopped_by_post`) stops a customer's advertising; a later yes counts."""
    agreed = facts.state in GRANTING and listed is not None and facts.since is not None and facts.since > listed
    return None if agreed else listed


def version_then(purpose: Purpose, at: datetime) -> PurposeVersion:
    """The version of a purpose that answers of a moment."""
    return version_among(list(PurposeVersion.objects.filter(purpose=purpose)), at)


def version_among(versions: Iterable[PurposeVersion], at: datetime) -> PurposeVersion:
    """Of all versions of a purpose the newest of that moment, else the first there is."""
    ordered = sorted(versions, key=lambda version: version.number)
    return next((version for version in reversed(ordered) if version.valid_from <= at), ordered[0])


def endpoint_for(customer: Customer, channel: str, endpoint: str | None) -> str | None:
    """The address or number that is meant; "" on channels without any, None where the customer has none."""
    if channel not in WITH_ENDPOINT:
        return ""
    if endpoint:
        return endpoint
    kind = ContactPoint.Kind.EMAIL if channel == "email" else ContactPoint.Kind.PHONE
    point = ContactPoint.objects.filter(customer=customer.pk, kind=kind).order_by("-is_primary", "pk").first()
    return point.value if point else None


def _is_there(customer: Customer) -> bool:
    return customer.pk is not None and Customer.objects.filter(pk=customer.pk).exists()


def _facts_now(customer: Customer, use: Use, channel: str, endpoint: str) -> Facts:
    if endpoint:
        indexes = _INDEX.candidates(endpoint)
        marks = hashes_of(channel, endpoint) if use.advertising else []
        rows = ask(_WITH, [indexes, marks, ADVERTISING, use.pk, channel, indexes, customer.pk])
    else:
        rows = ask(_WITHOUT, [[], ADVERTISING, use.pk, channel, customer.pk])
    return Facts._make(rows[0]) if rows else _NOBODY


_NOBODY = Facts(False, None, None, None, False, False, None, None, None, None, None, None, None)


def _facts_then(customer: Customer, use: Use, channel: str, endpoint: str, at: datetime) -> Facts:
    """As the ledger and the histories have it for that moment."""
    marks = hashes_of(channel, endpoint) if endpoint and use.advertising else []
    with connection.cursor() as cursor:
        cursor.execute(_THEN, {"at": at, "marks": marks, "scope": ADVERTISING, "customer": customer.pk})
        row = cursor.fetchone()
    if row is None:
        return _NOBODY
    restricted, deactivated, stopped, minor, suppressed = row
    records = list(events_until(customer, use.pk, channel, endpoint, at))
    standing = fold(Told(r.pk, r.kind, r.occurred_at, r.late, r.confirmed) for r in records)
    own = next((r for r in records if standing and r.pk == standing.entry), None)
    fresh = None
    if standing and own and standing.granted and use.stale_months:
        used = used_then(own.pauses, own.fresh_from or own.used_at or standing.since, at)
        fresh = months_later(max(used, own.occurred_at), use.stale_months)
    restricted, deactivated = (
        moment if moment is None or moment <= at else None for moment in (restricted, deactivated)
    )
    # Where the history does not tell, what was said for the address in the ledger counts.
    theirs = not endpoint or had_contact(customer, endpoint, at) is not False
    facts = Facts(True, restricted, deactivated, stopped, minor, theirs, suppressed, None, None, None, None, None, None)
    if standing is None or own is None:
        # A no outlives its proof.
        closed = State.objects.filter(
            customer=customer.pk, purpose=use.pk, channel=channel, state__in=list(CLOSING), since__lte=at,
            **_same(endpoint),
        ).first()  # fmt: skip
        return facts._replace(state=closed.state, since=closed.since) if closed else facts
    return facts._replace(
        state=standing.kind,
        since=standing.since,
        confirmed=standing.confirmed,
        entry=own.pk,
        wording=own.entry.text_sha256,
        fresh_until=fresh,
    )


def events_until(customer: Customer, purpose: int, channel: str, endpoint: str, at: datetime) -> Any:
    """The records of one consent that had happened by then, in the order in which they were written."""
    records = Record.objects.filter(
        customer=customer.pk, purpose=purpose, channel=channel, occurred_at__lte=at, **_same(endpoint)
    )
    return records.select_related("entry").order_by("pk")


def _same(endpoint: str) -> dict[str, Any]:
    return {"endpoint_index__in": _INDEX.candidates(endpoint)} if endpoint else {"endpoint_index__isnull": True}


def decide(use: Use, channel: str, facts: Facts, at: datetime) -> Decision:
    """The rule of `may`, over facts that hold at this moment; the most telling reason comes first.

    Whether the purpose is in use, on this channel, and whether there is an endpoint at all, is asked before.
    """
    own = (facts.since, facts.entry, facts.wording or "")
    if not facts.there:
        return Decision(False, "blocked")
    if facts.restricted_at is not None:
        return Decision(False, "restricted", facts.restricted_at)
    if facts.deactivated_at is not None:
        return Decision(False, "deactivated", facts.deactivated_at)
    if facts.state in CLOSING:
        return Decision(False, str(facts.state), *own)
    if use.advertising and (against := _against_advertising(facts)) is not None:
        return against
    if use.age_matters and facts.minor:
        return Decision(False, "too_young")
    if facts.state in GRANTING or (facts.state == Kind.NOTICED and use.existing_customers):
        if facts.fresh_until is not None and facts.fresh_until <= at:
            return Decision(False, "stale", facts.fresh_until, *own[1:])
        if not facts.theirs:
            return Decision(False, "not_theirs", *own)
        return Decision(True, "existing_customer" if facts.state == Kind.NOTICED else "consent", *own)
    # § 7(2) UWG: advertising by mail, message or phone is never without somebody's yes.
    if use.basis != "consent" and not (use.advertising and channel in WITH_ENDPOINT):
        return Decision(True, use.basis)
    asked = facts.state in UNSAID and facts.state != Kind.NOTICED
    return Decision(False, str(facts.state) if asked else "never_asked", *own)


def _against_advertising(facts: Facts) -> Decision | None:
    """An objection stops everything but what the person has confirmed since, for exactly this endpoint."""
    if facts.stopped_at is not None and not (facts.confirmed and facts.since and facts.since > facts.stopped_at):
        return Decision(False, "objected", facts.stopped_at)
    if facts.suppressed_since is not None:
        return Decision(False, "suppressed", facts.suppressed_since)
    return None
