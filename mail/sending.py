"""The way into the outbox, and the one way out of it: `queue`, for sets `queue_many`, and `deliver_due`."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction

from customers.models import Customer
from customers.reading import is_email
from mail.addressing import sending_domain
from mail.delivering import deliver_due
from mail.models import Enclosure, Letter, Message, MessageClass
from mail.tasks import deliver
from mail.templates import template_of
from mail.waking import wake_once

__all__ = ["Attachment", "Mail", "deliver_due", "queue", "queue_many", "wake"]

LONGEST_VALUE = 300


@dataclass(frozen=True)
class Attachment:
    """A file to enclose with a letter; plain (name, content, content type) tuples do as well."""

    name: str
    content: bytes
    content_type: str = "application/pdf"


@dataclass(frozen=True)
class Mail:
    """One mail of a set: the customer's id, and what `queue` takes under these names."""

    to: int
    context: Mapping[str, Any]
    key: str
    language: str | None = None


def queue(
    template: str,
    *,
    to: Customer | None = None,
    address: str | None = None,
    message_class: str,
    context: Mapping[str, Any],
    language: str | None = None,
    key: str | None = None,
    attachments: Sequence[Attachment | tuple[str, bytes, str]] = (),
    letter_category: str | None = None,
) -> Message:
    """Put a mail into the outbox, in the caller's transaction; a worker is woken when that commits.

    It goes to the current address of the customer `to`, or to `address` (which is sealed) where the person is no
    customer or the mail must go elsewhere. Whether it may go is decided when it is sent (`mail.gates`), not here. The
    same `key` again answers the row that is there. Letters are kept as sent, as `letter_category` LETTER (the
    default) or REQUEST, with their attachments; nothing else has attachments.

    Raises ValueError for a template, class, address or context that does not fit.
    """
    _refuse_unfit(template, message_class, context, to, address)
    if message_class != MessageClass.LETTER and (attachments or letter_category):
        raise ValueError("Only letters are kept and have attachments.")
    kept_as = Letter.KeptAs(letter_category or Letter.KeptAs.LETTER)
    values = _values(template, message_class, context, language) | {"customer": to, "recipient": address}
    with transaction.atomic():
        message, created = Message.objects.get_or_create(key=key, defaults=values) if key else (None, True)
        if message is None:
            message = Message.objects.create(**values)
        if created and message_class == MessageClass.LETTER:
            _begin_letter(message, kept_as, attachments)
    if created:
        wake()
    return message


@transaction.atomic
def queue_many(template: str, mails: Collection[Mail], *, message_class: str) -> int:
    """`queue` for a set of customers, in as many queries as for one; answers how many mails are new.

    Letters are begun one by one, by `queue`. Raises ValueError as it does, with nothing queued.
    """
    if message_class == MessageClass.LETTER:
        raise ValueError("Letters are kept as sent and queued one by one.")
    for mail in mails:
        _refuse_unfit(template, message_class, mail.context, mail.to, None)
    known = set(Message.objects.filter(key__in=[mail.key for mail in mails]).values_list("key", flat=True))
    rows = [
        Message(**_values(template, message_class, mail.context, mail.language), customer_id=mail.to, key=mail.key)
        for mail in mails
        if mail.key not in known
    ]
    # Whoever queues the same at this moment has said it as well.
    Message.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        wake()
    return len(rows)


def _values(template: str, message_class: str, context: Mapping[str, Any], language: str | None) -> dict[str, Any]:
    number = uuid.uuid4()
    return {
        "uuid": number,
        "message_class": message_class,
        "template": template,
        "language": language or "",
        "context": dict(context),
        "message_id": f"<{number}@{sending_domain()}>",
    }


def wake() -> None:
    """Wake one worker when the transaction commits, however many mails it queues; beat finds what is missed."""
    wake_once(_deliver_soon)


def _refuse_unfit(
    template: str, message_class: str, context: Mapping[str, Any], to: Customer | int | None, address: str | None
) -> None:
    known = template_of(template)
    if known.message_class != message_class:
        raise ValueError(f"The template {template} is for mails of the class {known.message_class}.")
    if to is None and address is None:
        raise ValueError("A mail needs a customer or an address.")
    if address is not None and not is_email(address):
        raise ValueError("This is no e-mail address.")
    if set(known.fields) != set(context):
        wrong = ", ".join(sorted(set(known.fields) ^ set(context)))
        raise ValueError(f"The context of {template} does not fit its fields: {wrong}.")
    if not _is_simple(dict(context)):
        raise ValueError("The context holds ids and simple values; personal data are read when the mail is sent.")


def _is_simple(value: Any) -> bool:
    """Whether this may lie in clear in the outbox: no free text, no address."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_simple(inner) for name, inner in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_simple, value))
    if isinstance(value, str):
        return len(value) <= LONGEST_VALUE and "@" not in value and "\0" not in value
    return value is None or isinstance(value, bool | int | float)


def _begin_letter(message: Message, kept_as: str, attachments: Sequence[Attachment | tuple[str, bytes, str]]) -> None:
    """The letter's row, with its files; the text is written into it when it is sent."""
    letter = Letter.objects.create(message=message, customer=message.customer, key=message.key, kept_as=kept_as)
    for given in attachments:
        one = given if isinstance(given, Attachment) else Attachment(*given)
        enclosure = Enclosure(letter=letter, name=one.name, content_type=one.content_type, size=len(one.content))
        enclosure.file.save("file", ContentFile(one.content), save=False)
        enclosure.save()


def _deliver_soon() -> None:
    deliver.delay()
