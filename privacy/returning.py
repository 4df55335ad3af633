"""Letters about requests that came back: the person has been told nothing yet (Art. 12(1), (3) GDPR).

What became of a mail is kept at the letter, since the outbox forgets it earlier. A newer letter about the same request
settles it; so does the same mail that is sent again and arrives, or what somebody notes that was done instead.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from datamap.controlling import legal_zone
from datamap.workdays import local_date
from mail.models import Message
from privacy.letters import KEY, TEMPLATE
from privacy.models import Request, RequestLetter
from privacy.steps import Step, StepRefused, stamp, step_of
from staff.models import User

# The outbox gives up after days, and what is known of a mail is dropped after a month (EVENT).
WATCHED = timedelta(days=31)
# Who reports a letter as unwanted has received it.
_FOLLOW = """
UPDATE privacy_requestletter AS l SET came_back_at = CASE WHEN told.back THEN now() END
FROM (
    SELECT w.id, m.state IN ('failed', 'refused', 'cancelled') OR m.bounce = 'hard' AS back
    FROM privacy_requestletter AS w JOIN mail_message AS m ON m.key = %(key)s || w.id
    WHERE w.way = 'mail' AND {these}
) AS told
WHERE l.id = told.id AND told.back <> (l.came_back_at IS NOT NULL)
"""


def follow_mails(ids: list[int]) -> None:
    """`follow` for the letters of these mails, of which something has just become known."""
    keys = Message.objects.filter(pk__in=ids, template=TEMPLATE, key__startswith=KEY).values_list("key", flat=True)
    if letters := [int(key.removeprefix(KEY)) for key in keys if key]:
        _follow("w.id = ANY(%(letters)s)", {"letters": letters})


def follow() -> None:
    """Bring the letters of the last month in line with their mails; one statement."""
    _follow("w.written_at > %(since)s", {"since": timezone.now() - WATCHED})


def _follow(these: str, facts: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW.format(these=these), facts | {"key": KEY})


def returned(request: Request) -> list[str]:
    """What came back and told the person nothing: a request with any of it does not close."""
    said = _("%(letter)s of %(day)s came back: the person does not have it.")
    zone = legal_zone()
    return [
        said % {"letter": one.get_kind_display(), "day": date_format(local_date(one.written_at, zone), "DATE_FORMAT")}
        for one in back(RequestLetter.objects.filter(request=request)).order_by("pk")
    ]


def undelivered() -> Q:
    """The requests of which `returned` has something to say."""
    return Q(Exists(back(RequestLetter.objects.filter(request=OuterRef("pk")))))


def back(letters: QuerySet[RequestLetter]) -> QuerySet[RequestLetter]:
    """Those that came back and are not settled, neither by themselves nor with a newer one."""
    reached = Q(came_back_at=None) | Q(settled_at__isnull=False)
    newer = RequestLetter.objects.filter(reached, request=OuterRef("request"), pk__gt=OuterRef("pk"))
    return letters.filter(~Exists(newer), came_back_at__isnull=False, settled_at=None)


def settle(letter: RequestLetter, done: str, *, version: int | None, by: User) -> None:
    """Note what was done instead, or that the person cannot be reached. Raises StepRefused without words, and for a
    letter that did not come back or is settled already."""
    with step_of(letter.request, version) as locked:
        row = back(RequestLetter.objects.filter(request=locked)).filter(pk=letter.pk).first()
        if row is None:
            raise StepRefused(_("This is settled already."))
        if not done.strip():
            raise StepRefused(_("Say how the person learned of it, or why they cannot be reached."))
        row.settled_at = timezone.now()
        row.save(update_fields=["settled_at"])
        stamp(locked, Step.LETTER_SETTLED, by=by, reason=f"{row.get_kind_display()}: {done.strip()}")
