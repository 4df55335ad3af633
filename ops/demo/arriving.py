"""The customers of the demo as rows: names, addresses, contact points, tags, wishes, notes and flags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from customers.indexing import entry_for
from customers.models import (
    Address,
    ContactPerson,
    ContactPoint,
    Customer,
    CustomerTag,
    ExternalId,
    Flag,
    Note,
    OptInClaim,
    Preference,
    SearchEntry,
    Suppression,
)
from customers.normalizing import email_key, phone_key
from customers.sealing import EVIDENCE, EVIDENCE_INDEX, NOTE, NOTE_INDEX, PERSON_EMAIL, PERSON_PHONE, Sealer
from customers.suppression import hasher
from ops.demo import words
from ops.demo.copying import NULL, Writer, raw
from ops.demo.people import ACCOUNT, GUEST, PROSPECT, RECIPIENT, People, Person
from ops.demo.places import City, phone_number
from ops.demo.seasons import DAY, WHOLE, stamp
from ops.demo.staffing import Shop

_STATUS = {ACCOUNT: "account", GUEST: "guest", PROSPECT: "prospect", RECIPIENT: "prospect"}
_LANGUAGES = {"FR": "fr", "NL": "nl", "LU": "fr"}
_INTERESTS = ("Espresso", "Filterkaffee", "Mühlen", "Barista-Kurse", "Entkoffeiniert", "Geschirr", "Geschenke")
_CHANNELS = ("E-Mail", "E-Mail", "Telefon", "Post")
_NOTES = (
    "Bittet um Lieferung immer an die Packstation.",
    "Röstet selbst und fragt regelmäßig nach Rohkaffee.",
    "Hat im Laden die neue Mühle ausprobiert, überlegt noch.",
    "Möchte Rechnungen als PDF an die Buchhaltung.",
    "Bestellt vor Weihnachten Geschenksets für das ganze Team.",
    "Bitte beim Nachbarn abgeben, Klingel defekt.",
    "Verträgt keinen Kaffee mit Robusta-Anteil, Beratung war erwünscht.",
    "Kulanz gewährt: Ersatz für den gesprungenen Handfilter.",
    "Spricht lieber Englisch am Telefon.",
)
_FRAUD = "Mehrere Lieferungen an wechselnde Anschriften, Lastschrift zurückgegeben."
_MINOR = "Hat am Telefon angegeben, noch nicht 18 zu sein."


def _speakers(person: Person) -> list[tuple[str, str]]:
    """First and last name of whoever speaks for a company: the one who ordered first, and every second time another."""
    if not person.company:
        return []
    draws = person.draws
    another = (words.WOMEN[draws[21] % 170], words.COMMON[draws[22] % 120])
    return [(person.first_name, person.last_name), another][: 1 + draws[31] % 2]


class Arrivals:
    """Writes one customer after the other into a `Writer`."""

    def __init__(self, people: People, shop: Shop, writer: Writer, first_number: int) -> None:
        self.people, self.shop, self.writer = people, shop, writer
        self.first_number = first_number
        # Customer and since when: who has unsubscribed gets no advertising.
        self.stops: dict[int, int] = {}
        self._sealer = Sealer()
        self._email = ContactPerson._meta.get_field("email").seal
        self._phone = ContactPerson._meta.get_field("phone").seal
        self._hash = hasher("email")
        self._reason = Flag._meta.get_field("reason").seal

    def arrive(self, index: int) -> None:
        """All rows of one customer but the purchases and the contacts."""
        person = self.people.person(index)
        at = self.people.came_at(index)
        pk = self.writer.take(Customer)
        came = stamp(at)
        places = self._addresses(person, pk, came)
        self._customer(person, pk, at, places)
        self._contact_points(person, pk, came)
        if person.company:
            self._contact_persons(person, pk, came)
        self._extras(person, pk, at)

    def _customer(self, person: Person, pk: int, at: int, places: list[City]) -> None:
        draws, account = person.draws, person.category == ACCOUNT
        number = str(self.first_number + person.index)
        kind = "company" if person.company else "person"
        # A company is known by its name; who speaks for it is a contact person.
        first, last = ("", "") if person.company else (person.first_name, person.last_name)
        title, salutation = ("", "") if person.company else (person.title, person.salutation)
        speakers = [name for given, family in _speakers(person) for name in (family, given)]
        entry = entry_for(number, kind, first, last, person.company, [(c.postcode, c.name) for c in places], speakers)
        birthday = account and not person.company and draws[17] < 0.3 * WHOLE
        day, month = (1 + draws[17] % 28, 1 + draws[16] % 12) if birthday else (NULL, NULL)
        left = restricted = None
        now = self.shop.clock.now
        if account and self.people.left_early(person.index):
            left = at + 40 * DAY + (now - at) * draws[26] // WHOLE
        if account and person.index % 251 == 3:
            restricted = now - DAY * (3 + draws[27] % 200)
        vat_id = f"DE9{person.index % 10**8:08d}" if person.company and person.city.country == "DE" else ""
        came = stamp(at)
        self.writer.add(
            Customer,
            f"{pk}\t{number}\t{kind}\t{_STATUS[person.category]}\t{salutation}\t{title}\t{first}\t{last}\t"
            f"{person.company}\t{vat_id}\t{_LANGUAGES.get(person.city.country, 'de')}\t{day}\t{month}\t"
            f"{came if account else NULL}\t{stamp(left if left and left < now else None)}\t"
            f"{stamp(restricted if restricted and restricted > at else None)}\t{entry.sort_name}\t1\t"
            f"{self.shop.origin}\t{came}",
        )
        self.writer.add(SearchEntry, f"{pk}\t{entry.text}\t{entry.phonetic}\t{entry.postcode}")

    def _addresses(self, person: Person, pk: int, came: str) -> list[City]:
        places: list[tuple[str, City, str]] = []
        if person.category != PROSPECT or person.draws[18] % 2:
            places.append(("shipping" if person.category == RECIPIENT else "billing", person.city, person.street))
        second = self.people.second_place(person)
        if second:
            places.append(("shipping", *second))
        recipient = person.company or person.name
        for n, (kind, city, street) in enumerate(places):
            self.writer.add(
                Address,
                f"{self.writer.take(Address)}\t{pk}\t{kind}\t{recipient}\t{raw(self._sealer.street(street.encode()))}\t"
                f"{raw(self._sealer.street_index(street))}\t{city.postcode}\t{city.name}\t{city.country}\t"
                f"{'f' if n else 't'}\t{self.shop.origin}\t{came}",
            )
        return [city for _, city, _ in places]

    def _contact_points(self, person: Person, pk: int, came: str) -> None:
        seal, origin = self._sealer.value, self.shop.origin
        for kind, value in (("email", person.email), ("phone", person.phone)):
            if not value:
                continue
            email = kind == "email"
            indexes = (
                self._sealer.email_indexes(email_key(value)) if email else self._sealer.phone_indexes(phone_key(value))
            )
            whole, part, match = map(raw, indexes)
            verified = came if email and person.category == ACCOUNT and person.draws[18] % 5 else NULL
            self.writer.add(
                ContactPoint,
                f"{self.writer.take(ContactPoint)}\t{pk}\t{kind}\t{raw(seal(value.encode()))}\t{whole}\t{part}\t"
                f"{match}\t\tt\t{verified}\t{origin}\t{came}",
            )

    def _contact_persons(self, person: Person, pk: int, came: str) -> None:
        draws, host = person.draws, person.email.partition("@")[2]
        for n, (first, last) in enumerate(_speakers(person)):
            email = f"{words.latin(first)}.{words.latin(last)}@{host}" if host else ""
            phone = phone_number(person.index * 2 + n) if draws[25] % 2 else ""
            salutation = person.salutation if n == 0 else ""
            self.writer.add(
                ContactPerson,
                f"{self.writer.take(ContactPerson)}\t{pk}\t{salutation}\t{first}\t{last}\t"
                f"{words.POSITIONS[(draws[31] + n) % 6]}\t"
                f"{raw(self._email(email))}\t{raw(PERSON_EMAIL.blind(email))}\t{raw(self._phone(phone))}\t"
                f"{raw(PERSON_PHONE.blind(phone))}\t{self.shop.origin}\t{came}",
            )

    def _extras(self, person: Person, pk: int, at: int) -> None:
        draws, shop, add = person.draws, self.shop, self.writer.add_cells
        if person.category not in (ACCOUNT, PROSPECT):
            return
        later = stamp(at + (shop.clock.now - at) * draws[28] // WHOLE)
        if draws[21] < 0.13 * WHOLE or person.company:
            tag = 1 if person.company else draws[21] % len(shop.tags)
            add(CustomerTag, pk, shop.tags[tag], shop.origin, later)
        if draws[22] < 0.2 * WHOLE and person.category == ACCOUNT:
            add(ExternalId, pk, "altsystem", f"K{person.index + 1:07d}", shop.origin)
        if draws[23] < 0.16 * WHOLE:
            said, by = ("staff", shop.desk[draws[23] % 4]) if draws[23] % 3 == 0 else ("customer", None)
            add(Preference, pk, "interest", _INTERESTS[draws[23] % 7], said, later, by, shop.origin)
            if draws[23] % 2:
                add(Preference, pk, "channel", _CHANNELS[draws[24] % 4], said, later, by, shop.origin)
        if draws[24] > 0.955 * WHOLE:
            text = _NOTES[draws[25] % len(_NOTES)]
            add(
                Note,
                pk,
                raw(NOTE.seal(text)),
                raw(NOTE_INDEX.blind(text)),
                shop.desk[draws[25] % 4],
                shop.origin,
                later,
            )
        if draws[26] < 0.07 * WHOLE and person.email:
            self._claim(person, pk, at)
        if person.category == ACCOUNT and not person.company and (person.index % 397 == 11 or person.index % 911 == 4):
            self._flag(person, pk, at)
        if person.index % 83 == 9 and person.email and (key := email_key(person.email)):
            since = at + (shop.clock.now - at) * draws[29] // WHOLE
            self.stops[pk] = since
            add(
                Suppression,
                *(raw(self._hash(key)), "email", "advertising", "unsubscribed", stamp(since), shop.origin),
                stamp(since),
            )

    def _claim(self, person: Person, pk: int, at: int) -> None:
        """An opt-in the old system asserted: it comes with the demo and is no consent."""
        state = ("yes", "yes", "yes", "no", "pending")[person.draws[26] % 5]
        evidence = {"OPTIN_TIME": stamp(at)} if state == "yes" else {}
        self.writer.add_cells(
            OptInClaim,
            *(pk, "email", state, raw(EVIDENCE.seal(evidence)), raw(EVIDENCE_INDEX.blind(evidence))),
            *(self.shop.origin, stamp(self.shop.clock.now - 20 * DAY)),
        )

    def _flag(self, person: Person, pk: int, at: int) -> None:
        clock = self.shop.clock
        fraud = person.index % 397 == 11
        set_at = max(at, clock.now - DAY * (5 + person.draws[28] % 300))
        review = (datetime.fromtimestamp(clock.now, UTC) + timedelta(days=person.draws[28] % 90 - 10)).date()
        lifted = set_at + 9 * DAY if person.draws[27] % 4 == 0 and set_at + 9 * DAY < clock.now else None
        desk = self.shop.desk[0]
        self.writer.add_cells(
            Flag,
            *(pk, "fraud" if fraud else "minor", raw(self._reason(_FRAUD if fraud else _MINOR)), desk),
            *(stamp(set_at), review, stamp(lifted), desk if lifted else None),
        )
