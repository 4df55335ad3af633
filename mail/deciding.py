"""What a person decides about a mail, or about all in doubt: it has arrived, send it again, do not send it."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from mail.models import Letter, Message
from mail.querysets import MessageQuerySet
from mail.sending import wake
from staff.models import User

State = Message.State
SENDABLE_AGAIN = (State.UNKNOWN, State.FAILED, State.REFUSED, State.CANCELLED)


@transaction.atomic
def mark_arrived(message: Message, *, by: User | None) -> bool:
    """Somebody has found out that a mail in doubt arrived; False where it is in doubt no more."""
    at = Coalesce(F("attempted_at"), F("created_at"))
    if not _decide(message, (State.UNKNOWN,), by, state=State.SENT, reason="", sent_at=at):
        return False
    message.refresh_from_db()
    Letter.archive.filter(message=message, sent_at=None).update(sent_at=message.sent_at)
    return True


@transaction.atomic
def send_again(message: Message, *, by: User) -> bool:
    """Let it go out once more, under the same Message-ID; the gates are asked anew. False where it is on its way."""
    done = _decide(message, SENDABLE_AGAIN, by, **_afresh())
    if done:
        wake()
    return done


@transaction.atomic
def send_all_again(messages: MessageQuerySet, *, by: User) -> int:
    """`send_again` for those of the set that are in doubt; answers how many."""
    count = messages.undecided().update(decided_by=by, decided_at=timezone.now(), **_afresh())
    if count:
        wake()
    return count


def cancel_all(messages: MessageQuerySet, *, by: User) -> int:
    """Those of the set that are in doubt count as not sent, and stay so unless somebody sends one again; how many."""
    return messages.undecided().update(
        decided_by=by, decided_at=timezone.now(), state=State.CANCELLED, lease=None, lease_until=None
    )


def _afresh() -> dict[str, Any]:
    now = timezone.now()
    return {
        "state": State.QUEUED,
        "reason": "",
        "attempts": 0,
        "queued_at": now,
        "next_attempt_at": now,
        "lease": None,
        "lease_until": None,
    }


def cancel(message: Message, *, by: User | None = None) -> bool:
    """Take a mail out that still waits; False where it is on its way already."""
    return _decide(message, (State.QUEUED,), by, waiting_only=True, state=State.CANCELLED, reason="")


def _decide(
    message: Message, states: tuple[str, ...], by: User | None, *, waiting_only: bool = False, **values: Any
) -> bool:
    """One winner: of two people who decide at once the second changes nothing."""
    rows = Message.objects.filter(pk=message.pk, state__in=states)
    if waiting_only:
        rows = rows.filter(lease__isnull=True)
    return bool(rows.update(decided_by=by, decided_at=timezone.now(), **values))
