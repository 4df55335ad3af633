"""What the people of the demo agreed to, renewed and took back, and whose address takes no mail any more.

All of it was said in the course of their life with the shop and told to the ledger now, through its own way in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from hashlib import sha256

from django.db import connection, transaction

from consents.events import GRANTING, Event, Kind, Source, Wording
from consents.models import LegalTextVersion
from consents.receipts import pass_over_sealed
from consents.recording import record_many
from consents.sealing import seal_pending
from customers.models import ContactPoint, Customer, Suppression
from customers.suppression import ADVERTISING, Entry, hasher, insert, key_of
from mail.models import Deliverability
from ops.demo.people import ACCOUNT, GUEST, People, Person
from ops.demo.seasons import DAY, WHOLE, Clock, Draws, drawing

AT_ONCE = 20_000
"""So many customers are written in one transaction."""
_TEXTS = {
    "newsletter": "Ja, ich möchte den Newsletter mit neuen Waren und Angeboten per E-Mail bekommen.",
    "birthday": "Ja, gratulieren Sie mir zum Geburtstag, gern mit einem kleinen Vorteil.",
    "phone": "Ja, rufen Sie mich an, wenn Sie ein Angebot für mich haben.",
}
_VERSIONS = 3
_TRACKED_DAYS = 500
_NOTICE = "Sie können der Werbung jederzeit widersprechen, zu keinen anderen Kosten als den Übermittlungskosten."


def agree(customers: int, seed: int, as_of: date) -> int:
    """Record and seal the consents of a demo that is loaded; answers how many events. The same for the same seed.

    Sets of `AT_ONCE` customers; what is random in it are the numbers and salts of entries, which nobody may guess.
    """
    clock, events = Clock(as_of), 0
    people, tracking = People(seed, customers, clock), _tracking()
    draw, chance = drawing(seed, "consents"), drawing(seed, "bounces")
    first = int(Customer.objects.order_by("pk").values_list("pk", flat=True).first() or 0)
    for start in range(0, customers if first else 0, AT_ONCE):
        with transaction.atomic():
            found: list[Event] = []
            for pk, number in _numbers(first + start).items():
                teller = _Teller(pk, number, people.came_at(pk - first), clock.now, tracking)
                found += _said(people, teller, draw(pk - first), pk - first)
            record_many(found)
            _bounce(found, clock, lambda pk: chance(pk - first))
            events += len(found)
    seal_pending()
    pass_over_sealed()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE consents_entry, consents_record, consents_state, consents_position, consents_seal")
    return events


def _numbers(first: int) -> dict[int, str]:
    rows = Customer.objects.filter(pk__gte=first, pk__lt=first + AT_ONCE)
    return dict(rows.values_list("pk", "number"))


def _tracking() -> Wording | None:
    texts = LegalTextVersion.objects.filter(text__purpose__key="tracking", published_at__isnull=False)
    version = texts.order_by("number").last()
    return version.wording("de") if version else None


def _bounce(events: Iterable[Event], clock: Clock, draw: Callable[[int], Draws]) -> None:
    """Of a hundred addresses that take the newsletter one is given up some day: noted, and suppressed, as a set."""
    last = {event.customer_id: event for event in events if event.purpose == "newsletter"}
    gone: dict[int, tuple[datetime, str]] = {}
    for pk, event in last.items():
        if event.kind in GRANTING and event.at is not None and (draws := draw(pk))[0] < 0.01 * WHOLE:
            since = int(event.at.timestamp())
            at = since + (clock.now - since) * draws[1] // WHOLE
            gone[pk] = datetime.fromtimestamp(at, UTC), event.endpoint
    points = ContactPoint.objects.filter(customer__in=gone, kind=ContactPoint.Kind.EMAIL)
    Deliverability.objects.bulk_create(
        Deliverability(contact_point_id=point, hard_bounced_at=gone[pk][0], changed_at=gone[pk][0])
        for point, pk in points.values_list("pk", "customer")
    )
    hash_, reason = hasher("email"), Suppression.Reason.BOUNCED
    marks = {hash_(key): at for at, address in gone.values() if (key := key_of("email", address))}
    insert([Entry(mark, "email", ADVERTISING, reason, at) for mark, at in marks.items()])


def _said(people: People, teller: _Teller, draws: Draws, index: int) -> Iterator[Event]:
    """What one of them said, oldest first: half of the accounts take the newsletter, every sixth of them leaves it."""
    if people.category(index) not in (ACCOUNT, GUEST) or draws[0] > 0.62 * WHOLE:
        return
    person = people.person(index)
    came = teller.came
    if not person.email:
        return
    if person.category == GUEST:
        if draws[1] < 0.5 * WHOLE:
            yield teller.noticed(person.email, came + draws[2] % 600)
        return
    yield from _newsletter(teller, person, draws)
    if draws[5] < 0.15 * WHOLE and not person.company:
        yield teller.given("birthday", "email", person.email, came + draws[6] % (90 * DAY), Source.SELF_SERVICE)
    if person.phone and draws[7] < 0.08 * WHOLE:
        yield teller.given("phone", "phone", person.phone, came + draws[8] % (200 * DAY), Source.PHONE_CALL)
    if teller.tracking and draws[9] < 0.1 * WHOLE:
        yield from _tracked(teller, teller.tracking, draws)


def _tracked(teller: _Teller, wording: Wording, draws: Draws) -> Iterator[Event]:
    """Every tenth lets the shop recognise their visits, since the shop has asked for it; some take that back."""
    begin = max(teller.came, teller.now - _TRACKED_DAYS * DAY)
    at = begin + (teller.now - begin) * draws[10] // WHOLE
    yield teller.event(Kind.GIVEN, "tracking", "web", "", at, Source.SELF_SERVICE, wording)
    if draws[11] < 0.12 * WHOLE:
        left = at + (teller.now - at) * draws[12] // WHOLE
        yield teller.event(Kind.WITHDRAWN, "tracking", "web", "", left, Source.SELF_SERVICE)


def _newsletter(teller: _Teller, person: Person, draws: Draws) -> Iterator[Event]:
    at = teller.came + draws[2] % (30 * DAY)
    if draws[1] < 0.04 * WHOLE:
        yield teller.event(Kind.REFUSED, "newsletter", "email", person.email, at, Source.WEB_FORM)
        return
    yield teller.given("newsletter", "email", person.email, at, Source.DOUBLE_OPT_IN)
    left = at + DAY + (teller.now - at) * draws[4] // WHOLE
    leaves = draws[3] < 0.17 * WHOLE and left < teller.now
    end = left if leaves else teller.now
    # Asked anew before it is stale, most say yes again.
    while draws[13] < 0.7 * WHOLE and (at := at + 26 * 30 * DAY + draws[14] % (120 * DAY)) < end:
        yield teller.given("newsletter", "email", person.email, at, Source.SELF_SERVICE, Kind.RENEWED)
    if leaves:
        source = Source.ONE_CLICK if draws[3] % 3 else Source.SELF_SERVICE
        yield teller.event(Kind.WITHDRAWN, "newsletter", "email", person.email, left, source)


class _Teller:
    """Makes the events of one customer."""

    def __init__(self, pk: int, number: str, came: int, now: int, tracking: Wording | None) -> None:
        self.pk, self.number, self.came, self.now, self.tracking = pk, number, came, now, tracking

    def given(
        self, purpose: str, channel: str, endpoint: str, at: int, source: Source, kind: Kind = Kind.GIVEN
    ) -> Event:
        """A yes to the wording of its day."""
        text, version = _TEXTS[purpose], 1 + at // (700 * DAY) % _VERSIONS
        wording = Wording(sha256(f"{version}\n{text}".encode()).hexdigest(), f"{purpose}:{version}", "de")
        return self.event(kind, purpose, channel, endpoint, at, source, wording)

    def noticed(self, endpoint: str, at: int) -> Event:
        """The notice at the one order of a guest."""
        wording = Wording(sha256(_NOTICE.encode()).hexdigest(), "sale_notice:1", "de")
        return self.event(Kind.NOTICED, "newsletter", "email", endpoint, at, Source.SALE, wording)

    def event(
        self,
        kind: Kind,
        purpose: str,
        channel: str,
        endpoint: str,
        at: int,
        source: Source,
        wording: Wording | None = None,
    ) -> Event:
        """Any event; nothing happens after the last hour of the demo."""
        return Event(
            kind=kind,
            customer_id=self.pk,
            number=self.number,
            purpose=purpose,
            channel=channel,
            endpoint=endpoint,
            at=datetime.fromtimestamp(min(at, self.now), UTC),
            late=True,
            source=source,
            wording=wording,
            actor="staff:demo" if source == Source.PHONE_CALL else "self",
            confirmed=source == Source.DOUBLE_OPT_IN,
            evidence={"page": "/newsletter/"} if source == Source.DOUBLE_OPT_IN else {},
        )
