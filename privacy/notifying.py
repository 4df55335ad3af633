"""Tells recipients by mail (Art. 19 GDPR) and follows what became of each mail; the outbox keeps no text of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from mail import templates
from mail.models import Message, MessageClass
from mail.sending import queue
from privacy.models import Notice

TEMPLATE = "recipient_notice"

# The mail of the last attempt decides: its key names the notice and the attempt.
_FOLLOW = """
UPDATE privacy_notice AS n
SET state = told.state, sent_at = CASE WHEN told.state = 'sent' THEN coalesce(told.sent_at, now()) END
FROM (
    SELECT w.id, m.sent_at,
        CASE WHEN m.state IN ('failed', 'refused', 'cancelled') OR m.bounce IN ('hard', 'complaint') THEN 'bounced'
             WHEN m.state = 'sent' THEN 'sent' ELSE 'queued' END AS state
    FROM privacy_notice AS w
    JOIN mail_message AS m ON m.key = 'recipient-notice:' || w.id || ':' || w.attempts
    WHERE w.state IN ('queued', 'sent') AND w.attempts > 0
) AS told
WHERE n.id = told.id AND n.state <> told.state
"""


def register_template() -> None:
    """Called from the app's `ready`."""
    sample = {"details": "Jürgen Müller, 10482", "kind": "erasure"}
    templates.register(TEMPLATE, _("Notice to a recipient"), MessageClass.NOTICE, ("notice",), load=load, sample=sample)


def load(message: Message) -> Mapping[str, Any]:
    """What the mail says, read when it is sent; once somebody has settled the notice there is nothing left to tell."""
    notice = Notice.archive.get(pk=message.context["notice"])
    return {"details": notice.details, "kind": notice.kind}


@transaction.atomic
def send(notice: Notice) -> bool:
    """Put the mail of a notice into the outbox; False where the recipient has no address and a person must tell it."""
    address = notice.recipient.email
    if not address:
        return False
    notice.attempts += 1
    notice.state = Notice.State.QUEUED
    notice.save(update_fields=["attempts", "state"])
    queue(
        TEMPLATE,
        address=address,
        message_class=MessageClass.NOTICE,
        context={"notice": notice.pk},
        language=notice.recipient.language,
        key=_key(notice),
    )
    return True


def follow() -> int:
    """Bring notices in line with their mails: sent, or back again; answers how many have changed. One statement.

    A mail may come back long after it was sent, so those that were sent are looked at, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW)
        return cursor.rowcount


def _key(notice: Notice) -> str:
    return f"recipient-notice:{notice.pk}:{notice.attempts}"
