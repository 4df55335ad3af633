"""What happens to mails around an erasure beyond what declarations say: what waits is stopped, answers still go."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from django.db.models import QuerySet

from customers.models import ContactPoint
from mail.addressing import address_of, language_of, sending_domain
from mail.composing import write_letter
from mail.gates import ERASED
from mail.models import Letter, Message

State = Message.State


def before_erasure(ids: list[int]) -> None:
    """Stop every mail that waits for these customers, but for the answers to their own requests.

    Such an answer is written and addressed now, while somebody is there to be written to, and then stands on its own:
    who asked for erasure is told that it is done (Art. 12(3) GDPR).
    """
    waiting = Message.objects.filter(customer__any_of=ids, state=State.QUEUED)
    answers = waiting.filter(message_class="letter", letter__kept_as=Letter.KeptAs.REQUEST)
    for message in answers.select_related("customer").select_for_update(of=("self",)):
        address = address_of(message)
        letter = write_letter(message, address) if address else None
        if letter is not None:
            _let_it_stand_alone(message, letter, str(address))
    waiting.update(state=State.CANCELLED, reason=ERASED.key, lease=None, lease_until=None)
    points = ContactPoint.objects.filter(customer__any_of=ids, kind=ContactPoint.Kind.EMAIL)
    if _named().exists():
        forget_addresses({point.value for point in points.iterator(chunk_size=1000)})


def _let_it_stand_alone(message: Message, letter: Letter, address: str) -> None:
    """Hand the letter to a row of its own that names nobody: the person's rows are chosen already, and will go."""
    key, message.key = message.key, None
    message.save(update_fields=["key"])
    number = uuid.uuid4()
    letter.message = Message.objects.create(
        uuid=number,
        key=key,
        message_class=message.message_class,
        template=message.template,
        language=language_of(message),
        recipient=address,
        message_id=f"<{number}@{sending_domain()}>",
        next_attempt_at=message.next_attempt_at,
        queued_at=message.queued_at,
    )
    letter.save(update_fields=["message"])


def _named() -> QuerySet[Message]:
    return Message.objects.filter(recipient_index__isnull=False, customer__isnull=True)


def forget_addresses(addresses: Collection[str]) -> None:
    """Rows that name one of these addresses instead of a customer lose it, unless they are an answer on its way."""
    theirs = _named().filter(recipient_index__in=list(addresses))
    on_its_way = theirs.filter(
        letter__kept_as=Letter.KeptAs.REQUEST, state__in=(State.QUEUED, State.SENDING, State.UNKNOWN)
    )
    others = theirs.exclude(pk__in=list(on_its_way.values_list("pk", flat=True)))
    others.filter(state=State.QUEUED).update(state=State.CANCELLED, reason=ERASED.key, lease=None, lease_until=None)
    for message in others.only("pk", "recipient"):
        message.recipient, message.provider_id = None, ""
        message.save(update_fields=["recipient", "recipient_index", "provider_id"])
