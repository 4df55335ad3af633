"""Sends what is due, each mail once, with any number of workers.

A mail is marked `sending` and that is committed before the server hears of it. A worker that dies after the server
has taken the mail leaves the mark; when its lease has run out the mail is `unknown`, and a person decides. Nothing is
sent a second time without that.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from customers.reading import is_email
from mail.addressing import address_of
from mail.bouncing import note_bounce
from mail.composing import compose
from mail.gates import BAD_ADDRESS, refusal_of
from mail.models import Letter, Message
from mail.outcomes import FAULT, GAVE_UP, RESTORED, SERVER_DOWN, WORKER_LOST, Outcome, outcome_of

log = logging.getLogger(__name__)

State = Message.State
BATCH = 50
LEASE = timedelta(minutes=5)
FIRST_WAIT, LONGEST_WAIT = 60.0, 3600.0
# RFC 5321 4.5.4.1 asks for four to five days before giving up.
GIVE_UP = timedelta(days=4)
_random = secrets.SystemRandom()
Sent = Callable[[list[int]], Any]
"""(ids of mails): these have just gone out; ids of mails that have not may be among them."""
_sent: list[Sent] = []


def register_sent(told: Sent) -> None:
    """For apps above: have `told` called with each set of mails that has gone out; from an app's `ready`."""
    if told not in _sent:
        _sent.append(told)


def deliver_due(limit: int = 500) -> int:
    """Send up to `limit` mails that are due; answers how many were taken in hand. Needs to be outside a transaction.

    Where the server does not answer, what was taken is put off and the rest is left alone.
    """
    note_abandoned()
    taken = 0
    connection = get_connection()
    try:
        while taken < limit:
            lease = uuid.uuid4()
            claimed = _claim(lease, min(BATCH, limit - taken))
            taken += len(claimed)
            there = _deliver(connection, claimed, lease)
            for told in _sent if claimed else ():
                told(claimed)
            if not claimed or not there:
                break
    finally:
        _close(connection)
    return taken


def note_abandoned() -> int:
    """Mails whose worker is gone: nobody knows whether the server took them; answers how many."""
    gone = Message.objects.abandoned(timezone.now())
    return gone.update(state=State.UNKNOWN, reason=WORKER_LOST.key)


def doubt_waiting(began_at: datetime) -> int:
    """Mails that waited when a backup was made may have gone out since: a person decides; answers how many."""
    waiting = Message.objects.filter(state=State.QUEUED, created_at__lt=began_at)
    return waiting.update(state=State.UNKNOWN, reason=RESTORED.key, lease=None, lease_until=None)


def wait_after(attempts: int) -> timedelta:
    """How long a mail waits after so many attempts: doubling up to an hour, never all at the same moment."""
    seconds = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT)
    return timedelta(seconds=seconds * _random.uniform(0.8, 1.2))


def _claim(lease: uuid.UUID, count: int) -> list[int]:
    """Take a few due mails; two workers never take the same."""
    now = timezone.now()
    with transaction.atomic():
        due = Message.objects.due(now).select_for_update(skip_locked=True).order_by("next_attempt_at", "pk")
        claimed = list(due.values_list("pk", flat=True)[:count])
        Message.objects.filter(pk__in=claimed).update(lease=lease, lease_until=now + LEASE)
    return claimed


def _deliver(connection: Any, claimed: list[int], lease: uuid.UUID) -> bool:
    """Send these; False where the server is not there."""
    for place, pk in enumerate(claimed):
        try:
            connection.open()
        except Exception as error:
            log.warning("mail server not reached: %s", type(error).__name__)
            _put_off(claimed[place:], lease, SERVER_DOWN.key)
            return False
        mail = _begin(pk, lease)
        if mail is not None:
            _end(pk, lease, _send(connection, mail), mail)
    return True


def _begin(pk: int, lease: uuid.UUID) -> EmailMultiAlternatives | None:
    """Ask the gates, write the mail and mark it as being sent; None where it is not to be sent now."""
    try:
        with transaction.atomic():
            mine = Message.objects.select_for_update(of=("self",)).select_related("customer")
            message = mine.filter(pk=pk, lease=lease, state=State.QUEUED, lease_until__gt=timezone.now()).first()
            return _opened(message) if message else None
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        # Its text may quote a person: the log gets the kind of error, nothing else.
        log.error("mail %s could not be written: %s", pk, type(error).__name__)
        _put_off([pk], lease, FAULT.key)
        return None


def _opened(message: Message) -> EmailMultiAlternatives | None:
    address = address_of(message)
    refused = refusal_of(message, address)
    if refused is None and not is_email(str(address)):
        refused = BAD_ADDRESS
    now = timezone.now()
    if refused is not None:
        message.state, message.reason, message.lease, message.lease_until = State.REFUSED, refused.key, None, None
        message.save(update_fields=["state", "reason", "lease", "lease_until"])
        return None
    mail = compose(message, str(address))
    message.state, message.reason, message.reply_code, message.bounce = State.SENDING, "", "", Message.Bounce.NONE
    message.attempts, message.attempted_at, message.lease_until = message.attempts + 1, now, now + LEASE
    message.save(update_fields=["state", "reason", "reply_code", "bounce", "attempts", "attempted_at", "lease_until"])
    return mail


def _send(connection: Any, mail: EmailMultiAlternatives) -> Outcome:
    try:
        connection.send_messages([mail])
    except Exception as error:
        # Without the note of mail.smtp nobody can say whether the content was out: then it counts as out.
        handed_over = getattr(getattr(connection, "connection", None), "handed_over", True)
        _close(connection)
        return outcome_of(error, handed_over)
    return Outcome(State.SENT)


def _end(pk: int, lease: uuid.UUID, outcome: Outcome, mail: EmailMultiAlternatives) -> None:
    """Note what became of it; also where the lease ran out meanwhile, for now somebody knows."""
    now = timezone.now()
    with transaction.atomic():
        mine = Message.objects.select_for_update()
        message = mine.filter(pk=pk, lease=lease, state__in=(State.SENDING, State.UNKNOWN)).first()
        if message is None:
            return
        message.state, message.reason, message.reply_code = outcome.state, outcome.reason, outcome.reply_code
        message.bounce = outcome.bounce or message.bounce
        if outcome.state == State.SENT:
            _note_sent(message, mail, now)
        elif outcome.state == State.QUEUED:
            _wait_or_give_up(message, now)
        message.lease = message.lease_until = None
        message.save()
        if outcome.bounce:
            note_bounce(mail.to[0], outcome.bounce, now)


def _note_sent(message: Message, mail: EmailMultiAlternatives, now: datetime) -> None:
    message.sent_at = now
    status = getattr(mail, "anymail_status", None)
    message.provider_id = str(getattr(status, "message_id", None) or "")[:200]
    Letter.archive.filter(message=message).update(sent_at=now)


def _wait_or_give_up(message: Message, now: datetime) -> None:
    if now - message.queued_at > GIVE_UP:
        message.state, message.reason = State.FAILED, GAVE_UP.key
    message.next_attempt_at = now + wait_after(message.attempts)


def _put_off(claimed: Iterable[int], lease: uuid.UUID, reason: str) -> None:
    """Give mails back that were taken but not begun."""
    now = timezone.now()
    mine = Message.objects.filter(pk__in=list(claimed), lease=lease, state=State.QUEUED)
    for pk, attempts in list(mine.values_list("pk", "attempts")):
        later = now + wait_after(attempts + 1)
        mine.filter(pk=pk).update(
            attempts=F("attempts") + 1, next_attempt_at=later, reason=reason, lease=None, lease_until=None
        )
    too_old = Message.objects.filter(pk__in=list(claimed), state=State.QUEUED, queued_at__lt=now - GIVE_UP)
    too_old.filter(lease__isnull=True).update(state=State.FAILED, reason=GAVE_UP.key)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except Exception as error:  # the line is broken already
        log.info("mail connection closed badly: %s", type(error).__name__)
