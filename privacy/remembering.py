"""What the journal remembers of notices to recipients, so that a restore does not tell them again (ADR 11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from datamap import journal
from mail.deciding import cancel, mark_arrived
from mail.models import Message
from privacy.models import Notice

KIND = "recipient_told"
State = Notice.State
# Which of several notices of one kind about one person an entry speaks of: the one that is next to come that far.
_BEFORE = {
    State.SENT: (State.QUEUED, State.BOUNCED, State.SENT),
    State.BOUNCED: (State.SENT, State.QUEUED, State.BOUNCED),
    State.DONE: (State.BOUNCED, State.QUEUED, State.SENT),
    State.IMPOSSIBLE: (State.BOUNCED, State.QUEUED, State.SENT),
}


class Told(NamedTuple):
    """How far one notice came; the names are those of `Notice`."""

    recipient_id: int
    kind: str
    customer_id: int | None
    subject_ref: UUID | None
    state: str


def of_notice(notice: Notice) -> Told:
    """The same of a row that was saved just now."""
    return Told(notice.recipient_id, notice.kind, notice.customer_id, notice.subject_ref, notice.state)


def remember(notices: Iterable[Told]) -> None:
    """Write down how far these notices came, in the caller's transaction. Raises what the journal raises."""
    at = timezone.now().isoformat(timespec="seconds")
    rows = [
        {
            "recipient": told.recipient_id,
            "notice": told.kind,
            "customer": told.customer_id,
            "subject_ref": str(told.subject_ref) if told.subject_ref else None,
            "state": told.state,
            "at": at,
        }
        for told in notices
        if told.state in _BEFORE
    ]
    journal.write_many(KIND, rows)


def replay(entry: Mapping[str, Any]) -> str:
    """Bring a notice of the restored database, or of the replay before this entry, to where it had come.

    Its mail is not sent again. "already" where there is no such notice: its person, or the recipient, is not here.
    """
    state = State(entry["state"])
    whose = {"customer": entry["customer"]} if entry["customer"] else {"subject_ref": entry["subject_ref"]}
    places = [When(state=one, then=Value(place)) for place, one in enumerate(_BEFORE[state])]
    rows = Notice.archive.select_for_update().filter(
        recipient=entry["recipient"], kind=entry["notice"], state__in=_BEFORE[state], **whose
    )
    notice = rows.order_by(Case(*places, output_field=IntegerField()), "queued_at", "pk").first()
    if notice is None or notice.state == state:
        return "already"
    _stop_mail(notice)
    at = datetime.fromisoformat(entry["at"])
    notice.state, notice.mail_key = state, ""
    notice.sent_at = (notice.sent_at or at) if state in (State.SENT, State.DONE) else None
    if state in (State.DONE, State.IMPOSSIBLE):
        notice.settled_at, notice.details = at, ""
        notice.reason = _("Settled before the database was restored.")
    notice.save(update_fields=["state", "mail_key", "sent_at", "settled_at", "details", "reason"])
    return "replayed"


def _stop_mail(notice: Notice) -> None:
    """A mail that the replay has queued does not go out; of one that waited in the backup it is known what became."""
    message = Message.objects.filter(key=notice.mail_key).first() if notice.mail_key else None
    if message is not None and not (message.context.get("notices") == [notice.pk] and cancel(message)):
        mark_arrived(message, by=None)
