"""Tells recipients by mail (Art. 19 GDPR) and follows what became of each mail; the outbox keeps no text of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from mail import templates
from mail.composing import language_of
from mail.models import Message, MessageClass
from mail.sending import queue
from privacy.models import Notice
from privacy.remembering import Told, remember
from privacy.toldwords import in_words

TEMPLATE = "recipient_notice"

# The mail of the last attempt decides.
_FOLLOW = """
UPDATE privacy_notice AS n
SET state = told.state, sent_at = CASE WHEN told.state = 'sent' THEN coalesce(told.sent_at, now()) END
FROM (
    SELECT w.id, m.sent_at,
        CASE WHEN m.state IN ('failed', 'refused', 'cancelled') OR m.bounce IN ('hard', 'complaint') THEN 'bounced'
             WHEN m.state = 'sent' THEN 'sent' ELSE 'queued' END AS state
    FROM privacy_notice AS w
    JOIN mail_message AS m ON m.key = w.mail_key
    WHERE w.state IN ('queued', 'sent') AND w.mail_key <> ''{these}
) AS told
WHERE n.id = told.id AND n.state <> told.state
RETURNING n.recipient_id, n.kind, n.customer_id, n.subject_ref, n.state
"""


def register_template() -> None:
    """Called from the app's `ready`."""
    sample = {"details": "Jürgen Müller, 10482", "kind": "erasure", "many": False}
    templates.register(
        TEMPLATE, _("Notice to a recipient"), MessageClass.NOTICE, ("notices",), load=load, sample=sample
    )


def load(message: Message) -> Mapping[str, Any]:
    """What the mail says, read when it is sent; what somebody has settled meanwhile needs no telling."""
    rows = Notice.archive.filter(pk__in=message.context["notices"]).order_by("pk")
    told = [(row.details, row.kind) for row in rows]
    with translation.override(language_of(message)):
        details = [in_words(text) for text, _kind in told if text]
    return {"details": "\n\n".join(details), "kind": told[0][1], "many": len(details) > 1}


@transaction.atomic
def send(notices: Sequence[Notice]) -> bool:
    """Put one mail into the outbox for notices of one kind to one recipient; False where the recipient has no address
    and a person must tell it."""
    first = notices[0]
    address = first.recipient.email
    if not address:
        return False
    key = f"recipient-notice:{first.pk}:{first.attempts + 1}"
    ids = [notice.pk for notice in notices]
    Notice.archive.filter(pk__in=ids).update(attempts=F("attempts") + 1, state=Notice.State.QUEUED, mail_key=key)
    queue(
        TEMPLATE,
        address=address,
        message_class=MessageClass.NOTICE,
        context={"notices": ids},
        language=first.recipient.language,
        key=key,
    )
    return True


def follow_mails(ids: list[int]) -> int:
    """`follow` for the notices of these mails, which have just gone out or come back."""
    keys = list(Message.objects.filter(pk__in=ids, template=TEMPLATE).values_list("key", flat=True))
    return _follow(" AND w.mail_key = ANY(%s)", [keys]) if keys else 0


def follow() -> int:
    """Bring all notices in line with their mails: sent, or back again; answers how many have changed. One statement.

    A mail may come back long after it was sent, so those that were sent are looked at, too. The journal hears of each.
    """
    return _follow("", [])


@transaction.atomic
def _follow(these: str, params: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW.replace("{these}", these), params)
        changed = [Told(*row) for row in cursor.fetchall()]
    remember(changed)
    return len(changed)
