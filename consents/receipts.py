"""Receipts: what a person is given of an entry, so that they can prove it without us, also after we erased it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from consents import checkpoints, notes
from consents.deciding import version_then
from consents.events import Kind, Source
from consents.hashing import path
from consents.models import Purpose, ReceiptMark, Record, Seal
from consents.recording import micros
from consents.verify import CHECKPOINT, FORMAT, RECEIPT, armored, signed
from customers.models import Customer
from datamap.controlling import controller, legal_zone
from datamap.models import Controller
from mail.addressing import language_of
from mail.gates import Refusal
from mail.models import Message, MessageClass
from mail.sending import queue

TEMPLATE = "consent_receipt"
AT_ONCE = 500
"""So many entries are looked at in one transaction."""
IN_ONE_MAIL = 20
MAILED = [kind.value for kind in (Kind.GIVEN, Kind.RENEWED, Kind.REFUSED, Kind.WITHDRAWN, Kind.REVOKED, Kind.EXPIRED,
                                  Kind.INVALIDATED)]  # fmt: skip
# Who is erased is answered otherwise; what a file tells of long ago, or the journal after a restore, is no change. What
# staff prove of an import by evidence of their own is one: no import says it, and it is of no batch.
NOT_MAILED = [Source.ERASURE.value, Source.IMPORT.value]
_DUE = """
SELECT p.number, p.entry_id, r.customer_id FROM consents_position p
LEFT JOIN consents_entry e ON e.id = p.entry_id AND e.kind = ANY (%s) AND e.actor_ref <> 'journal'
LEFT JOIN consents_record r ON r.entry_id = e.id AND r.blocked_at IS NULL
    AND (r.source <> ALL (%s) OR r.source = 'import' AND e.ref_id IS NULL AND e.actor_ref <> 'import')
WHERE p.number > %s AND p.number <= %s ORDER BY p.number LIMIT %s
"""
_PLACE = """
SELECT p.number, s.number, s.first, s.last, s.previous FROM consents_position p
JOIN consents_seal s ON p.number BETWEEN s.first AND s.last WHERE p.entry_id = %s
ORDER BY s.last LIMIT 1
"""


NOTHING_LEFT = Refusal("nothing_left", pgettext_lazy("mail", "What it was to say is no longer here."))


class NotYet(LookupError):
    """The entry is not sealed, or no checkpoint covers it yet; within the hour it will be."""


class Erased(LookupError):
    """What the entry was about is erased: whoever has the receipt has the only copy."""


@dataclass(frozen=True)
class Receipt:
    """One receipt: the file, the checkpoint it leads to, and what it says for people."""

    content: bytes
    checkpoint: str
    person: Mapping[str, str]

    @property
    def name(self) -> str:
        """What the file is called: the number of the entry, which names nobody."""
        return f"consent-{self.person['id']}.json"

    @property
    def lines(self) -> str:
        """The receipt and its checkpoint as lines that survive any mail."""
        return f"{armored(self.content, RECEIPT)}\n{armored(self.checkpoint.encode(), CHECKPOINT)}"


def receipt_of(entry_id: int, language: str = "de", book: checkpoints.Book | None = None) -> Receipt:
    """The receipt of an entry, blocked ones too; who makes several opens the book of checkpoints once.

    Raises NotYet, and Erased where its record is gone.
    """
    record = Record.archive.select_related("entry", "purpose").filter(pk=entry_id).first()
    if record is None:
        raise Erased(f"The record of entry {entry_id} is gone.")
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, [entry_id])
        place = cursor.fetchone()
    note = (book or checkpoints.Book()).over(place[0]) if place else None
    if note is None:
        raise NotYet(f"No checkpoint covers entry {entry_id}.")
    with translation.override(language):
        person = in_words(record, controller())
    body = _body(record, place, note) | {"person": person}
    return Receipt(signed(body, checkpoints.signing_key()), note, person)


def _body(record: Record, place: tuple[Any, ...], note: str) -> dict[str, Any]:
    entry = record.entry
    position, _number, first, last, previous = place
    proof = record.proof
    return {
        "format": FORMAT,
        # As it was called when this was signed: a shop may have moved since.
        "ledger": notes.origin_of(note),
        "entry": {
            "uuid": entry.uuid.hex,
            "recorded": micros(entry.ts),
            "kind": entry.kind,
            "purpose": entry.purpose,
            "text_sha256": entry.text_sha256,
            "actor": entry.actor_ref,
            "ref": entry.ref_id.hex if entry.ref_id else "",
        },
        "salt": proof[:64],
        "payload": orjson.loads(proof[64:]),
        "place": {"position": position, "path": [step.hex() for step in _path(first, last, position)]},
        "before": bytes(previous).hex(),
        "seals": _seals(first, notes.size_of(note)),
    }


def _path(first: int, last: int, position: int) -> list[bytes]:
    """The inclusion proof of one entry within its seal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.leaf FROM consents_position p JOIN consents_entry e ON e.id = p.entry_id "
            "WHERE p.number BETWEEN %s AND %s ORDER BY p.number",
            [first, last],
        )
        return path([bytes(leaf) for (leaf,) in cursor.fetchall()], position - first)


def _seals(first: int, size: int) -> list[list[Any]]:
    """The seals from the one that begins with `first` to the one that ends with `size`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, first, last, root FROM consents_seal WHERE last BETWEEN %s AND %s ORDER BY last",
            [first, size],
        )
        return [[number, begin, end, bytes(tree).hex()] for number, begin, end, tree in cursor.fetchall()]


def in_words(record: Record, who: Controller) -> dict[str, str]:
    """Who, what, why (as the purpose was then), how to withdraw, and the number, in the active language."""
    purpose, then = record.purpose, version_then(record.purpose, record.entry.ts)
    when = date_format(record.occurred_at.astimezone(legal_zone(who)), "DATETIME_FORMAT")
    told = {"use": record.use, "event": record.get_kind_display(), "when": when}
    return {
        "who": ", ".join(filter(None, (who.name, who.street, f"{who.postcode} {who.city}".strip(), who.email)))
        or checkpoints.origin(),
        "what": _("%(use)s: %(event)s on %(when)s.") % told,
        "about": purpose.description,
        "why": str(then.get_basis_display()),
        "withdraw": _how_to_withdraw(then.basis, who),
        "id": str(record.entry.uuid),
        "language": translation.get_language() or "",
    }


def _how_to_withdraw(basis: str, who: Controller) -> str:
    """How a consent is withdrawn, or an objection made, in the active language."""
    if basis == Purpose.Basis.CONTRACT:
        return _("This belongs to your contract with us and ends with it.")
    where = who.email or checkpoints.origin()
    return _(
        "You may withdraw at any time, free of charge and without a reason: through the link in each of our mails, or "
        "with a word to %(where)s. What was done before stays lawful."
    ) % {"where": where}


def send_receipts(at_once: int = AT_ONCE) -> int:
    """Queue a mail to everybody whose consents changed and are sealed and signed by now; answers how many mails.

    Each change once, whoever asks how often: the mark moves in the transaction that queues the mails.
    """
    checkpoint = checkpoints.newest()
    total = 0
    while checkpoint is not None and (sent := _send_some(checkpoint.size, at_once)) is not None:
        total += sent
    return total


def pass_over_sealed() -> None:
    """Tell nobody of what is sealed by now: whoever loads an invented past has changed nothing for anybody."""
    size = Seal.objects.aggregate(last=Max("last"))["last"] or 0
    ReceiptMark.objects.update_or_create(pk=1, defaults={"position": size, "moved_at": timezone.now()})


@transaction.atomic
def _send_some(size: int, at_once: int) -> int | None:
    ReceiptMark.objects.get_or_create(pk=1)
    mark = ReceiptMark.objects.select_for_update().get(pk=1)
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [MAILED, NOT_MAILED, mark.position, size, at_once])
        rows = cursor.fetchall()
    if not rows:
        return None
    changes: dict[int, list[int]] = {}
    for _number, entry, customer in rows:
        if customer is not None:
            changes.setdefault(customer, []).append(entry)
    people = Customer.objects.in_bulk(list(changes))
    told = [_tell(people[pk], entries) for pk, entries in changes.items() if pk in people]
    mark.position, mark.moved_at = rows[-1][0], timezone.now()
    mark.save()
    return sum(told)


def _tell(customer: Customer, entries: Sequence[int]) -> int:
    """Queue what one person is told; a mail holds up to `IN_ONE_MAIL` receipts."""
    parts = [list(entries[start : start + IN_ONE_MAIL]) for start in range(0, len(entries), IN_ONE_MAIL)]
    for part in parts:
        queue(
            TEMPLATE,
            to=customer,
            message_class=MessageClass.NOTICE,
            context={"entries": part},
            key=f"consent-receipt:{part[0]}",
        )
    return len(parts)


def load(message: Message) -> dict[str, Any]:
    """What the mail says, read when it is sent: nothing of it lies in the outbox."""
    return {"receipts": list(_readable(message.context["entries"], language_of(message))), "key": public_key()}


def nothing_left(message: Message) -> Refusal | None:
    """A gate: why a mail of receipts stays here; everything that it was to tell has gone meanwhile."""
    if message.template != TEMPLATE or Record.archive.filter(pk__in=message.context["entries"]).exists():
        return None
    return NOTHING_LEFT


def _readable(entries: Iterable[int], language: str) -> Iterable[Receipt]:
    book = checkpoints.Book()
    for entry in entries:
        try:
            yield receipt_of(entry, language, book)
        except Erased:
            continue


def public_key() -> str:
    """The key by which anybody checks receipts and checkpoints."""
    return notes.public_text(checkpoints.verifying_key())


def send_checkpoint() -> bool:
    """Queue the mail with the newest checkpoint to the privacy officer, once a day; False where nobody is named.

    It is a witness outside the shop: a ledger that was rewritten does not fit what the officer has.
    """
    who = controller()
    if not who.officer_email or checkpoints.newest() is None:
        return False
    day = timezone.localdate()
    queue("consent_checkpoint", address=who.officer_email, message_class=MessageClass.NOTICE,
          context={"day": day.isoformat()}, key=f"consent-checkpoint:{day.isoformat()}")  # fmt: skip
    return True


def load_checkpoint(message: Message) -> dict[str, Any]:
    """The newest checkpoint when the mail is sent."""
    note = checkpoints.last_written() or ""
    day = date.fromisoformat(message.context["day"])
    return {"day": day, "note": note, "lines": armored(note.encode(), CHECKPOINT), "key": public_key()}
