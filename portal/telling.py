"""Puts events of the timeline into words and opens what is sealed: one query per kind, for one page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consents.events import CLOSING, GRANTING
from consents.models import Record
from customers.models import Note
from customers.timeline import TimelineSource
from datamap.preparing import SOME_KEY, Standing
from interactions.models import Complaint, FollowUp, Interaction
from mail.models import Letter, Message
from mail.templates import label_of
from orders.models import Document, Order, OrderLine, Return
from portal.cards import link
from privacy.models import Request
from staff.templatetags.look import money

CONTACT_ICONS = {"call": "phone", "email": "mail", "chat": "chat", "visit": "visit", "letter": "doc"}
Event = tuple[str, datetime, int, str]


def _standing(of: Callable[[list[int]], Any]) -> Standing[Any]:
    return Standing(of, [SOME_KEY])


def _rows(model: Any) -> Standing[Any]:
    return _standing(lambda ids: model.objects.filter(pk__any_of=ids))


_COMPLAINTS, _DOCUMENTS, _INTERACTIONS, _LETTERS = map(_rows, (Complaint, Document, Interaction, Letter))
_MESSAGES, _ORDERS, _REQUESTS, _RETURNS = map(_rows, (Message, Order, Request, Return))
_NOTES = _standing(lambda ids: Note.objects.filter(pk__any_of=ids).select_related("author"))
_RECORDS = _standing(lambda ids: Record.objects.filter(pk__any_of=ids).select_related("purpose", "customer"))
_STEPS = _standing(lambda ids: FollowUp.objects.open().filter(interaction__any_of=ids))
_PIECES = _standing(
    lambda ids: OrderLine.objects.filter(order__any_of=ids).values_list("order").annotate(n=Sum("quantity"))
)


@dataclass
class Entry:
    """One event as the timeline shows it."""

    at: datetime
    title: str
    icon: str
    text: str = ""
    outcome: str = ""
    chip: str = ""
    tone: str = ""
    url: str = ""


def tell(events: Iterable[Event], known: Mapping[str, TimelineSource]) -> list[Entry]:
    """Entries in the order of the events; what this page knows no words for is told by its source's label."""
    listed = list(events)
    ids: dict[str, list[int]] = {}
    for kind, _at, row_id, _payload in listed:
        ids.setdefault(kind, []).append(row_id)
    told = {kind: TELLERS[kind](wanted) for kind, wanted in ids.items() if kind in TELLERS}
    entries = []
    for kind, at, row_id, payload in listed:
        source = known[kind]
        entry = told.get(kind, {}).get(row_id) or _plain(source, payload)
        entry.at = at
        entry.icon = entry.icon or source.icon
        entries.append(entry)
    return entries


def _plain(source: TimelineSource, payload: str) -> Entry:
    known = json.loads(payload)
    if source.words is not None:
        return Entry(_NEVER, str(source.label), source.icon, source.words(known))
    text = " · ".join(str(value) for value in known.values() if isinstance(value, str) and value)
    return Entry(_NEVER, str(source.label), source.icon, text)


def _notes(ids: list[int]) -> dict[int, Entry]:
    return {
        row.pk: Entry(row.created_at, _("Note"), "note", row.text, row.author.name if row.author else "")
        for row in _NOTES(ids)
    }


def _orders(ids: list[int]) -> dict[int, Entry]:
    pieces = dict(_PIECES(ids))
    told = {}
    for row in _ORDERS(ids):
        words = [money(row.total, row.currency)]
        if row.pk in pieces:
            count = number_format(pieces[row.pk].normalize(), use_l10n=True) if pieces[row.pk] else "0"
            words.insert(0, ngettext("%s article", "%s articles", int(pieces[row.pk] or 0)) % count)
        if row.deviating:
            words.append(_("delivery to another address"))
        unusual = row.status not in (Order.Status.COMPLETED, Order.Status.SHIPPED)
        told[row.pk] = Entry(
            row.placed_at,
            _("Order %s") % row.number,
            "bag",
            " · ".join(words),
            chip=str(row.get_status_display()) if unusual else "",
            tone="warn" if row.status in (Order.Status.CANCELLED, Order.Status.RETURNED) else "",
            url=link("orders:detail", row.pk),
        )
    return told


def _documents(ids: list[int]) -> dict[int, Entry]:
    return {
        row.pk: Entry(
            row.issued_at,
            f"{row.get_kind_display()} {row.number}",
            "doc",
            # A delivery note says what was in the parcel, not what it cost.
            "" if row.kind == Document.Kind.DELIVERY_NOTE else money(row.gross, row.currency),
            tone="info",
            url=link("orders:document", row.pk),
        )
        for row in _DOCUMENTS(ids)
    }


def _returns(ids: list[int]) -> dict[int, Entry]:
    return {
        row.pk: Entry(
            row.requested_at,
            _("Return for order %s") % row.order_number,
            "undo",
            f"{row.get_reason_display()} · {row.get_state_display()}",
            row.note,
            tone="warn",
            url=link("orders:detail", row.order_id) if row.order_id else "",
        )
        for row in _RETURNS(ids)
    }


def _contacts(ids: list[int]) -> dict[int, Entry]:
    steps = {step.interaction_id: step for step in _STEPS(ids)}
    told = {}
    for row in _INTERACTIONS(ids):
        step = steps.get(row.pk)
        told[row.pk] = Entry(
            row.occurred_at,
            row.headline,
            CONTACT_ICONS.get(row.kind, "chat"),
            row.content,
            _("Outcome: %s") % row.outcome if row.outcome else "",
            _("Next step: %(step)s %(day)s") % {"step": step.step, "day": _short(step.due_on)} if step else "",
            url=link("interactions:detail", row.pk),
        )
    return told


def _complaints(ids: list[int]) -> dict[int, Entry]:
    return {
        row.pk: Entry(
            row.opened_at,
            _("Complaint"),
            "warning",
            row.subject,
            _("Outcome: %s") % row.resolution if row.resolution else "",
            "" if row.closed_at else str(row.get_state_display()),
            tone="warn",
            url=link("interactions:complaint", row.pk),
        )
        for row in _COMPLAINTS(ids)
    }


def _letters(ids: list[int]) -> dict[int, Entry]:
    return {
        row.pk: Entry(row.sent_at, _("Letter"), "doc", row.subject, url=link("mail:letter", row.pk))
        for row in _LETTERS(ids)
    }


def _mails(ids: list[int]) -> dict[int, Entry]:
    return {
        row.pk: Entry(
            row.sent_at or _NEVER,
            str(row.get_message_class_display()).capitalize(),
            "mail",
            str(label_of(row)),
            chip=str(row.get_bounce_display()) if row.bounce else "",
            tone="warn" if row.bounce else "",
            url=link("mail:detail", row.pk),
        )
        for row in _MESSAGES(ids)
    }


def _short(day: Any) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


def _requests(ids: list[int]) -> dict[int, Entry]:
    return {
        row.pk: Entry(
            row.received_at,
            _("Request: %s") % row.get_kind_display(),
            "shield",
            f"{row.code} · {row.get_channel_display()}",
            chip=str(row.get_state_display()),
            tone="" if row.closed_at else "info",
            url=link("privacy:request", row.pk),
        )
        for row in _REQUESTS(ids)
    }


def _consents(ids: list[int]) -> dict[int, Entry]:
    told = {}
    for row in _RECORDS(ids):
        told[row.pk] = Entry(
            row.occurred_at,
            _("Consent: %s") % row.purpose.name,
            "check" if row.kind in GRANTING else "x" if row.kind in CLOSING else "clock",
            f"{row.get_channel_display()} · {row.get_source_display()}",
            chip=str(row.get_kind_display()),
            tone="warn" if row.kind in CLOSING else "",
            url=link("consents:customer", row.customer.number) if row.customer else "",
        )
    return told


_NEVER = datetime.min

# By the key under which an app registers its kind of event.
TELLERS: dict[str, Callable[[list[int]], dict[int, Entry]]] = {
    "note": _notes,
    "order": _orders,
    "document": _documents,
    "return": _returns,
    "contact": _contacts,
    "complaint": _complaints,
    "letter": _letters,
    "mail": _mails,
    "request": _requests,
    "consent": _consents,
}
