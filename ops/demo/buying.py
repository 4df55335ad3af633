"""The orders of the demo in the order of time, with lines, papers under numbers without gaps, and returns."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ops.demo.copying import NULL, Writer, raw
from ops.demo.fates import Fate, fate_of
from ops.demo.people import ACCOUNT, GUEST, People, Person
from ops.demo.products import Basket, Piece, make_baskets
from ops.demo.seasons import DAY, WHOLE, Draws, drawing, stamp
from ops.demo.staffing import Shop
from orders.documents import PLACE
from orders.models import Document, Order, OrderLine, Return, ReturnLine
from orders.numbering import PREFIXES
from vault.fields import SealedField
from vault.keyring import keyring

PER_CUSTOMER = 3
# Papers besides the invoice: since the shop issues them here, which is not long.
ALL_PAPERS_SINCE = 45 * DAY
_GIFT_NOTES = (
    "Alles Gute zum Geburtstag! Trink einen auf uns.",
    "Danke für die schöne Zeit in Hamburg. Deine Kolleginnen und Kollegen",
    "Frohe Weihnachten und einen guten Rutsch!",
    "Zum Einzug: damit die Küche gleich nach zu Hause riecht.",
)
_NOTES = (
    "Bitte grob mahlen.",
    "Bitte ohne Rechnung im Paket.",
    "Anlieferung nur vormittags.",
    "Bohnen bitte frisch geröstet.",
)


@dataclass(slots=True)
class Bought:
    """One order while it is being written."""

    pk: int
    number: str
    customer: int
    person: Person
    basket: Basket
    fate: Fate
    draws: Draws
    currency: str
    billing: bytes
    # Where the parcel goes where no other address is given: the billing address as far as the carrier needs it.
    place: bytes
    delivery: bytes | None = None
    delivery_place: bytes | None = None
    recipient: int | None = None
    gift_note: str = ""


class Purchases:
    """Writes orders one after the other; what comes later than its order (credit notes) waits in a heap."""

    def __init__(self, people: People, shop: Shop, writer: Writer, first_customer: int, seed: int) -> None:
        self.people, self.shop, self.writer, self.first_customer = people, shop, writer, first_customer
        self.total = people.count * PER_CUSTOMER
        self.done = 0
        self.numbers: Counter[tuple[str, int]] = Counter()
        self._baskets = make_baskets(seed, 1500 if people.count < 20_000 else 8000)
        self._draw = drawing(seed, "orders")
        self._waiting: list[tuple[int, int, Bought, Piece, int]] = []
        self._seller = json.dumps(shop.seller, ensure_ascii=False)
        self._sellers: dict[int, str] = {}
        ring = keyring()
        models = (Order, Document, Return)
        fields = {m: [f for f in m._meta.concrete_fields if isinstance(f, SealedField)] for m in models}
        seal = {(model, f.name): ring.sealer(f.label) for model, found in fields.items() for f in found}
        self._billing, self._shipping = seal[Order, "billing"], seal[Order, "shipping"]
        self._gift, self._note = seal[Order, "gift_note"], seal[Order, "note"]
        self._paper_billing, self._paper_delivery = (
            seal[Document, "billing_snapshot"],
            seal[Document, "delivery_snapshot"],
        )
        self._paper_gift, self._back_note = seal[Document, "gift_note"], seal[Return, "note"]
        self.tell: Callable[[Bought], None] | None = None

    def follow(self, index: int) -> None:
        """What is bought from the coming of one customer until the next one comes."""
        category = self.people.category(index)
        began = self.people.came_at(index)
        if category == GUEST or (category == ACCOUNT and self._draw(-1 - index)[0] < 0.88 * WHOLE):
            self._buy(index, began)
        done = (index + 1) / self.people.count
        due = round(self.total * done * (0.55 + 0.45 * done)) - self.done
        for k in range(due):
            share = (index + 0.5 + (k + 1) / (due + 1)) / self.people.count
            who = self._who_again(index)
            if who is not None:
                self._buy(who, self.people.clock.at(min(share, 1 - 1e-9)))

    def finish(self) -> None:
        """The credit notes that are still to come."""
        self._issue_waiting(self.shop.clock.now)

    def _who_again(self, index: int) -> int | None:
        draws = self._draw(self.done)
        who = (
            draws[14] * (index + 1) // WHOLE
            if index < WHOLE
            else (draws[14] * WHOLE + draws[15]) * (index + 1) // WHOLE**2
        )
        # Regulars: every tenth buys often, every thousandth all the time.
        if draws[16] < 0.3 * WHOLE:
            who -= who % 10
        elif draws[16] < 0.33 * WHOLE:
            who -= who % 1000
        found = self.people.buyer_before(who)
        return found if found is not None else self._first_buyer(index)

    def _first_buyer(self, index: int) -> int | None:
        return next((n for n in range(index + 1) if self.people.buyer_before(n) == n), None)

    def _buy(self, index: int, at: int) -> None:
        self._issue_waiting(at)
        draws = self._draw(self.done)
        self.done += 1
        person = self.people.person(index)
        basket = self._baskets[draws[0] * len(self._baskets) // WHOLE]
        fate = fate_of(at, basket, draws, self.shop.clock)
        snapshot = person.snapshot()
        bought = Bought(
            pk=self.writer.take(Order),
            number=self._number("order", at),
            customer=self.first_customer + index,
            person=person,
            basket=basket,
            fate=fate,
            draws=draws,
            currency="CHF" if person.city.country == "CH" else "EUR",
            billing=_packed(snapshot),
            place=_placed(snapshot),
        )
        self._address(bought, snapshot)
        self._write_order(bought)
        first_line = self._write_lines(bought)
        self._write_papers(bought)
        if fate.asked_back:
            self._write_return(bought, first_line)
        if self.tell:
            self.tell(bought)

    def _address(self, bought: Bought, snapshot: dict[str, str]) -> None:
        """A present goes to its recipient; other parcels sometimes to a second address."""
        draws, person, delivery = bought.draws, bought.person, None
        if draws[10] < 0.02 * WHOLE and person.category == ACCOUNT:
            recipient = self.people.recipient_before(person.index, draws[12])
            if recipient is not None:
                bought.recipient = self.first_customer + recipient
                bought.gift_note = _GIFT_NOTES[draws[11] % 4]
                delivery = self.people.person(recipient).snapshot()
        elif draws[10] % 2 and (second := self.people.second_place(person)):
            city, street = second
            delivery = {**snapshot, "street": street, "postcode": city.postcode, "city": city.name, "country": "DE"}
        if delivery:
            bought.delivery = _packed(delivery)
            bought.delivery_place = _placed(delivery)

    def _write_order(self, b: Bought) -> None:
        fate, basket, shop = b.fate, b.basket, self.shop
        kind = "guest" if b.person.category == GUEST else "staff" if b.draws[9] < 0.025 * WHOLE else "account"
        type_ = shop.types[1 if b.recipient else 2 if kind == "staff" else 0]
        note = raw(self._note(_NOTES[b.draws[11] % 4].encode())) if b.draws[13] < 0.02 * WHOLE else NULL
        placed = stamp(fate.placed)
        self.writer.add(
            Order,
            f"{b.pk}\t{b.number}\t\t\t{type_}\t{b.customer}\t{b.recipient or NULL}\t{kind}\t{fate.status}\t"
            f"{fate.payment}\t{placed}\t{stamp(fate.paid)}\t{stamp(fate.invoiced)}\t{stamp(fate.delivered)}\t{stamp(fate.cancelled)}\t"
            f"{b.currency}\t{basket.total}\t{basket.shipping}\t0\t{basket.tax}\t{fate.refunded}\t"
            f"{raw(self._billing(b.billing))}\t{raw(self._shipping(b.delivery)) if b.delivery else NULL}\t"
            f"{'t' if b.delivery else 'f'}\t{raw(self._gift(b.gift_note.encode())) if b.gift_note else NULL}\t"
            f"{note}\t\t1\t{shop.origin}\t{placed}",
        )

    def _write_lines(self, b: Bought) -> int:
        ids = self.writer.next_id
        first = ids[OrderLine]
        for n, line in enumerate(b.basket.lines, start=first):
            self.writer.add(OrderLine, f"{n}\t{b.pk}\t{line}")
        ids[OrderLine] = first + len(b.basket.lines)
        return first

    def _write_papers(self, b: Bought) -> None:
        fate, now = b.fate, self.shop.clock.now
        recent = fate.placed > now - ALL_PAPERS_SINCE
        if recent and fate.placed + 60 < now:
            self._issue("received", fate.placed + 60, b, b.basket.sale)
            self._issue("confirmation", fate.placed + 60, b, b.basket.sale)
        if not fate.invoiced:
            return
        invoice = self._issue("invoice", fate.invoiced, b, b.basket.sale)
        if recent and fate.sent == fate.invoiced + 4 * 3600:
            self._issue("delivery_note", fate.sent, b, b.basket.sale)
        credited = fate.cancelled or fate.refunded_at
        if credited and fate.refunded:
            whole = b.basket.back_all if fate.whole else b.basket.back_first
            piece = b.basket.void if fate.cancelled else whole
            heapq.heappush(self._waiting, (credited, b.pk, b, piece, invoice))

    def _issue_waiting(self, until: int) -> None:
        """Credit notes get their numbers in the order of time, too."""
        while self._waiting and self._waiting[0][0] <= until:
            at, _pk, bought, piece, invoice = heapq.heappop(self._waiting)
            self._issue("credit_note", at, bought, piece, invoice)

    def _issue(self, kind: str, at: int, b: Bought, piece: Piece, corrects: int | None = None) -> int:
        pk, number = self.writer.take(Document), self._number(kind, at)
        billing = delivery = gift = recipient = NULL
        lines, rates, amounts = piece.papers, piece.rates, f"{piece.gross}\t{piece.net}\t{piece.tax}"
        if kind == "delivery_note":
            # Prices are no business of who opens the parcel.
            lines, rates, amounts = piece.goods, "[]", "0\t0\t0"
            recipient = str(b.recipient or NULL)
            gift = raw(self._paper_gift(b.gift_note.encode())) if b.gift_note else NULL
            delivery = raw(self._paper_delivery(b.delivery_place or b.place))
        else:
            billing = raw(self._paper_billing(b.place))
            if b.delivery_place and kind != "credit_note":
                delivery = raw(self._paper_delivery(b.delivery_place))
        seller = self._supplier(at) if kind == "invoice" else self._seller
        self.writer.add(
            Document,
            f"{pk}\t{b.pk}\t{b.customer}\t{recipient}\t{kind}\t{number}\t{stamp(at)}\t{corrects or NULL}\t"
            f"{seller}\t{lines}\t{billing}\t{delivery}\t{gift}\t{b.currency}\t{amounts}\t{rates}\t{NULL}\t"
            f"{b.number}\t{stamp(b.fate.placed)}",
        )
        return pk

    def _supplier(self, at: int) -> str:
        """The shop as an invoice names it, with the date of supply (§ 14(4) no. 6 UStG), not before the parcel."""
        day = self.shop.clock.day_of(at)
        if day not in self._sellers:
            supplied_on = self.shop.clock.date_of(at).isoformat()
            self._sellers[day] = json.dumps({**self.shop.seller, "supplied_on": supplied_on}, ensure_ascii=False)
        return self._sellers[day]

    def _write_return(self, b: Bought, first_line: int) -> None:
        fate, pk = b.fate, self.writer.take(Return)
        state = "refunded" if fate.refunded_at else "received" if fate.came_back else "requested"
        piece = b.basket.back_all if fate.whole else b.basket.back_first
        reason = ("withdrawal", "withdrawal", "withdrawal", "defect", "wrong", "other")[b.draws[12] % 6]
        self.writer.add_cells(
            Return,
            *(pk, b.pk, b.customer, state, reason, raw(self._back_note(b"")), piece.gross),
            *(stamp(fate.asked_back), stamp(fate.came_back), stamp(fate.refunded_at), self.shop.desk[b.draws[12] % 4]),
            b.number,
        )
        for n, quantity in enumerate(b.basket.quantities if fate.whole else b.basket.quantities[:1]):
            _position, sku, name, *_rest = b.basket.lines[n].split("\t")
            self.writer.add_cells(ReturnLine, pk, first_line + n, quantity, sku, name)

    def _number(self, key: str, at: int) -> str:
        year = self.shop.clock.year_of(at)
        self.numbers[key, year] += 1
        return f"{PREFIXES[key]}-{year}-{self.numbers[key, year]:05d}"


def _packed(snapshot: dict[str, str]) -> bytes:
    return json.dumps(snapshot, separators=(",", ":")).encode()


def _placed(snapshot: dict[str, str]) -> bytes:
    """What a paper shows of an address."""
    return _packed({name: value for name, value in snapshot.items() if name in PLACE})
