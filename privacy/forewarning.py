"""Whom the end of an account has to be told, and how long the night then waits for a word of theirs (POLICY, ACCOUNT).

Nobody who can be told ends without having had the days of the settings, also where the day had come when the portal
first saw the account. Whoever cannot be told ends on their day. The wait keeps the person's own file alone: whatever
else about them is past its day goes (C5).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from customers.models import ContactPoint, Customer
from datamap.workdays import local_date
from mail.delivering import GIVE_UP
from mail.models import Message
from privacy.models import Policy

KIND = "notice"
REASON = _("The person was told that their account ends, and has this long to say a word.")

# The time begins when the mail has gone out. One that will not go out has begun it once and for all, and one that still
# waits when the outbox should have given up counts as given up: no mail server that is away keeps anybody for ever.
_RUNNING = """
SELECT id, until FROM (
    SELECT c.id, %(days)s + ((CASE WHEN m.sent_at IS NOT NULL THEN m.sent_at
        WHEN m.state IN ('queued', 'sending') THEN m.created_at + %(give_up)s
        ELSE coalesce(m.attempted_at, m.created_at) END) AT TIME ZONE %(zone)s)::date AS until
    FROM unnest(%(ids)s::bigint[]) AS asked (id) JOIN customers_customer c ON c.id = asked.id
    JOIN customers_summary s ON s.customer_id = c.id
    JOIN mail_message m
        ON m.key = 'account-ends:' || c.id || ':' || to_char(s.last_activity AT TIME ZONE %(zone)s, 'YYYY-MM-DD')
    WHERE c.status = 'account'
) told WHERE until > %(as_of)s
"""


@dataclass(frozen=True)
class Silent:
    """Somebody who can be told, and since when nothing has been heard of them."""

    pk: int
    language: str
    since: date

    @property
    def key(self) -> str:
        """What the notice of this silence is called in the outbox: it goes out once."""
        return f"account-ends:{self.pk}:{self.since:%Y-%m-%d}"


def untold(ids: Collection[int], zone: ZoneInfo) -> list[Silent]:
    """Those of these persons who have an account, can be written to, and were not told of this silence yet."""
    people = Customer.objects.active().unrestricted().accounts().filter(pk__any_of=list(ids))
    has_email = ContactPoint.objects.filter(customer=OuterRef("pk"), kind=ContactPoint.Kind.EMAIL)
    # Where the summary is still to be written, what it will say.
    since = Coalesce("summary__last_activity", "registered_at", "created_at")
    rows = people.filter(Exists(has_email)).values_list("pk", "language", since)
    silent = [Silent(pk, language, local_date(at, zone)) for pk, language, at in rows]
    told = set(Message.objects.filter(key__in=[one.key for one in silent]).values_list("key", flat=True))
    return [one for one in silent if one.key not in told]


def waits(ids: Collection[int], as_of: date, zone: ZoneInfo) -> dict[int, date]:
    """Those of these persons who were told and whose time is not over on this day, with the day on which it is."""
    facts: dict[str, Any] = {"ids": list(ids), "as_of": as_of, "zone": zone.key}
    facts |= {"days": Policy.current().warn_days, "give_up": GIVE_UP}
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, facts)
        return dict(cursor.fetchall())
