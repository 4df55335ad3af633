"""What the people of the demo agreed to and took back: written through the ledger's own way in, and sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from hashlib import sha256

from django.db import connection, transaction

from consents.events import Event, Kind, Source, Wording
from consents.recording import record_many
from consents.sealing import seal_pending
from customers.models import Customer
from ops.demo.people import ACCOUNT, GUEST, People, Person
from ops.demo.seasons import DAY, WHOLE, Clock, drawing

AT_ONCE = 20_000
"""So many customers are written in one transaction."""
_TEXTS = {
    "newsletter": "Ja, ich möchte den Newsletter mit neuen Waren und Angeboten per E-Mail bekommen.",
    "birthday": "Ja, gratulieren Sie mir zum Geburtstag, gern mit einem kleinen Vorteil.",
    "phone": "Ja, rufen Sie mich an, wenn Sie ein Angebot für mich haben.",
}
_VERSIONS = 3
_NOTICE = "Sie können der Werbung jederzeit widersprechen, zu keinen anderen Kosten als den Übermittlungskosten."


def agree(customers: int, seed: int, as_of: date) -> int:
    """Record and seal the consents of a demo that is loaded; answers how many events. The same for the same seed.

    Sets of `AT_ONCE` customers; what is random in it are the numbers and salts of entries, which nobody may guess.
    """
    clock = Clock(as_of)
    people, draw, events = People(seed, customers, clock), drawing(seed, "consents"), 0
    first = Customer.objects.order_by("pk").values_list("pk", flat=True).first()
    for start in range(0, customers if first is not None else 0, AT_ONCE):
        with transaction.atomic():
            numbers = _numbers(int(first or 0) + start)
            found = [
                event
                for index in range(start, min(start + AT_ONCE, customers))
                for event in _said(people, clock, draw(index), index, int(first or 0) + index, numbers)
            ]
            record_many(found)
            events += len(found)
    seal_pending()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE consents_entry, consents_record, consents_state, consents_position, consents_seal")
    return events


def _numbers(first: int) -> dict[int, str]:
    rows = Customer.objects.filter(pk__gte=first, pk__lt=first + AT_ONCE)
    return dict(rows.values_list("pk", "number"))


def _said(
    people: People, clock: Clock, draws: tuple[int, ...], index: int, pk: int, numbers: dict[int, str]
) -> Iterator[Event]:
    """What one of them said, oldest first: half of the accounts take the newsletter, every sixth of them leaves it."""
    if people.category(index) not in (ACCOUNT, GUEST) or draws[0] > 0.62 * WHOLE:
        return
    person = people.person(index)
    came = people.came_at(index)
    if not person.email or pk not in numbers:
        return
    teller = _Teller(pk, numbers[pk], came, clock.now)
    if person.category == GUEST:
        if draws[1] < 0.5 * WHOLE:
            yield teller.noticed(person.email, came + draws[2] % 600)
        return
    yield from _newsletter(teller, person, draws)
    if draws[5] < 0.15 * WHOLE and not person.company:
        yield teller.given("birthday", "email", person.email, came + draws[6] % (90 * DAY), Source.SELF_SERVICE)
    if person.phone and draws[7] < 0.08 * WHOLE:
        yield teller.given("phone", "phone", person.phone, came + draws[8] % (200 * DAY), Source.PHONE_CALL)


def _newsletter(teller: _Teller, person: Person, draws: tuple[int, ...]) -> Iterator[Event]:
    at = teller.came + draws[2] % (30 * DAY)
    if draws[1] < 0.04 * WHOLE:
        yield teller.event(Kind.REFUSED, "newsletter", "email", person.email, at, Source.WEB_FORM)
        return
    yield teller.given("newsletter", "email", person.email, at, Source.DOUBLE_OPT_IN)
    left = at + DAY + (teller.now - at) * draws[4] // WHOLE
    if draws[3] < 0.17 * WHOLE and left < teller.now:
        source = Source.ONE_CLICK if draws[3] % 3 else Source.SELF_SERVICE
        yield teller.event(Kind.WITHDRAWN, "newsletter", "email", person.email, left, source)


class _Teller:
    """Makes the events of one customer."""

    def __init__(self, pk: int, number: str, came: int, now: int) -> None:
        self.pk, self.number, self.came, self.now = pk, number, came, now

    def given(self, purpose: str, channel: str, endpoint: str, at: int, source: Source) -> Event:
        """A yes to the wording of its day."""
        text, version = _TEXTS[purpose], 1 + at // (700 * DAY) % _VERSIONS
        wording = Wording(sha256(f"{version}\n{text}".encode()).hexdigest(), f"{purpose}:{version}", "de")
        return self.event(Kind.GIVEN, purpose, channel, endpoint, at, source, wording)

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
