"""Contacts, complaints and next steps of the demo, about orders and about everything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from interactions.models import Complaint, FollowUp, Interaction
from ops.demo import sayings
from ops.demo.buying import Bought
from ops.demo.copying import NULL, Writer, raw
from ops.demo.people import ACCOUNT, PROSPECT, RECIPIENT, People
from ops.demo.seasons import DAY, WHOLE, Draws, drawing, stamp
from ops.demo.staffing import Shop
from vault.keyring import keyring

_ABOUT_ORDER = (("call", sayings.ORDER_CALLS), ("call", sayings.ORDER_CALLS), ("email", sayings.ORDER_MAILS),
    ("email", sayings.ORDER_MAILS), ("chat", sayings.ORDER_CALLS))  # fmt: skip
_GENERAL = (("call", sayings.CALLS), ("call", sayings.CALLS), ("email", sayings.MAILS), ("email", sayings.MAILS),
    ("chat", sayings.CHATS), ("visit", sayings.VISITS), ("letter", sayings.LETTERS))  # fmt: skip
_SPOKEN = ("call", "chat", "visit")


class Talks:
    """Writes contacts one after the other into a `Writer`."""

    def __init__(self, people: People, shop: Shop, writer: Writer, first_customer: int, seed: int) -> None:
        self.people, self.shop, self.writer, self.first_customer = people, shop, writer, first_customer
        self._draw = drawing(seed, "talks")
        self._today = datetime.fromtimestamp(shop.clock.now, UTC).date()
        self._subject, self._resolution = _sealer(Complaint, "subject"), _sealer(Complaint, "resolution")
        self._content, self._outcome = _sealer(Interaction, "content"), _sealer(Interaction, "outcome")
        self._step = _sealer(FollowUp, "step")

    def follow(self, index: int) -> None:
        """What somebody asks without an order: a few ask often, most never."""
        category = self.people.category(index)
        if category == RECIPIENT:
            return
        draws = self._draw(index)
        share = draws[0] / WHOLE
        count = (
            5 if share > 0.985 else 2 if share > 0.94 else 1 if share > (0.7 if category == ACCOUNT else 0.85) else 0
        )
        if category == PROSPECT:
            count = max(count, 1)
        came, now = self.people.came_at(index), self.shop.clock.now
        for n in range(count):
            told = self._draw(-1 - (index * 8 + n))
            kind, texts = _GENERAL[told[1] % len(_GENERAL)]
            content, outcome = texts[told[2] % len(texts)]
            at = self._open_hours(came + (now - came) * told[3] // WHOLE)
            if at >= now:  # on the last day nobody has called yet: the day before, at the same hour
                at -= DAY
            at = min(max(at, came + 600), now)
            self._contact(self.first_customer + index, kind, at, content, outcome, told, "")

    def about(self, bought: Bought) -> None:
        """What somebody asks, or complains, about an order."""
        draws, fate = bought.draws, bought.fate
        if draws[17] > 0.16 * WHOLE:
            return
        at = self._open_hours(fate.placed + DAY + 15 * DAY * draws[18] // WHOLE)
        if at > self.shop.clock.now:
            return
        words = {"product": bought.basket.names[0].split(", ")[0], "number": bought.number}
        if draws[17] < 0.013 * WHOLE:
            self._complain(bought, at, words)
            return
        kind, texts = _ABOUT_ORDER[draws[19] % len(_ABOUT_ORDER)]
        content, outcome = texts[draws[20] % len(texts)]
        told = (*draws[20:], *draws[:20])
        self._contact(bought.customer, kind, at, content.format(**words), outcome.format(**words), told, bought.number)

    def _contact(
        self, customer: int, kind: str, at: int, content: str, outcome: str, draws: Draws, number: str,
        complaint: int | None = None,
    ) -> int:  # fmt: skip
        pk, now = self.writer.take(Interaction), self.shop.clock.now
        outgoing = draws[5] < 0.2 * WHOLE and kind != "visit" and complaint is None
        answered = at if outgoing or kind in _SPOKEN else at + 1800 + 2 * DAY * draws[6] * draws[6] // WHOLE**2
        closed = answered + (0 if draws[7] % 3 else DAY * 4 * draws[8] // WHOLE)
        answered_at, closed_at = (answered if answered < now else None), (closed if closed < now else None)
        record = "claim" if complaint else "letter" if kind == "letter" else "ticket"
        staff, came = self.shop.desk[draws[9] % 4], stamp(at)
        self.writer.add(
            Interaction,
            f"{pk}\t{customer}\t{kind}\t{'out' if outgoing else 'in'}\t{record}\t{came}\t{stamp(answered_at)}\t"
            f"{stamp(closed_at)}\t{raw(self._content(content.encode()))}\t"
            f"{raw(self._outcome((outcome if closed_at else '').encode()))}\t{number}\t{complaint or NULL}\t{staff}\t"
            f"{NULL}\t{NULL}\t1\t{came}",
        )
        if draws[10] < 0.09 * WHOLE or (at > now - 20 * DAY and draws[10] < 0.4 * WHOLE):
            self._follow_up(customer, pk, at, staff, draws)
        return pk

    def _follow_up(self, customer: int, interaction: int, at: int, staff: int, draws: Draws) -> None:
        """Old ones are done, but for the odd one forgotten; young ones are due around today."""
        said = datetime.fromtimestamp(at, UTC).date()
        due = said + timedelta(days=1 + draws[11] % 10)
        done: int | None = at + DAY * (1 + draws[11] % 9)
        if at > self.shop.clock.now - 20 * DAY:
            due = max(said, self._today + timedelta(days=draws[11] % 12 - 4))
            if draws[12] % 3:
                done = None
        elif draws[12] % 200 == 7 and at > self.shop.clock.now - 200 * DAY:
            done = None
        if done and done > self.shop.clock.now:
            done = None
            due = max(due, self._today)
        step = sayings.STEPS[draws[13] % len(sayings.STEPS)]
        self.writer.add_cells(
            FollowUp,
            *(customer, interaction, raw(self._step(step.encode())), due, staff, staff, stamp(at), stamp(done)),
            staff if done else None,
        )

    def _complain(self, bought: Bought, at: int, words: dict[str, str]) -> None:
        draws, now = bought.draws, self.shop.clock.now
        subject, resolution = sayings.COMPLAINTS[draws[20] % len(sayings.COMPLAINTS)]
        answered: int | None = at + 1800 + 2 * DAY * draws[21] // WHOLE
        closed: int | None = at + 2 * DAY + 25 * DAY * draws[22] // WHOLE
        state = "rejected" if draws[23] % 7 == 0 else "settled"
        if (closed and closed > now) or (draws[23] % 90 == 5 and at > now - 120 * DAY):
            closed, resolution = None, ""
            state = "in_progress" if draws[23] % 2 else "open"
        if answered and (answered > now or state == "open"):
            answered = None
        if state == "rejected":
            resolution = sayings.REJECTED
        pk, subject = self.writer.take(Complaint), subject.format(**words)
        self.writer.add_cells(
            Complaint,
            *(pk, bought.customer, raw(self._subject(subject.encode())), state, bought.number),
            *(self.shop.desk[draws[24] % 4], stamp(at), stamp(answered), stamp(closed)),
            *(raw(self._resolution(resolution.encode())), 1),
        )
        told = (*draws[20:], *draws[:20])
        text = f"Beschwerde zu Bestellung {bought.number}: {subject}."
        kind = "email" if draws[24] % 2 else "call"
        self._contact(bought.customer, kind, at, text, resolution, told, bought.number, complaint=pk)

    def _open_hours(self, at: int) -> int:
        """The same day while the shop is open, from nine to six; that of the last day is still to come."""
        clock = self.shop.clock
        start = clock.starts[clock.day_of(at)]
        return start + 9 * 3600 + (at - start) * 9 // 24


def _sealer(model: type, name: str) -> Callable[[bytes], bytes]:
    return keyring().sealer(model._meta.get_field(name).label)  # type: ignore[attr-defined]
