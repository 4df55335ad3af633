"""Lets advertising and requests for feedback out where a consent allows it at that moment, and notes its use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils import timezone

from consents.deciding import REASONS, may
from consents.events import Channel
from consents.models import Purpose, State
from consents.uses import IS_PAUSE, SHORTEST
from customers.models import Customer
from customers.summary import note_contact
from mail.addressing import address_of
from mail.gates import ASKED_FIRST, NOT_ALLOWED, Refusal, register_gate
from mail.models import Message, MessageClass

USUAL = {MessageClass.ADVERTISING: "newsletter", MessageClass.FEEDBACK: "feedback"}
"""The purpose of a mail whose context names none."""
REFUSALS = {key: Refusal(key, text) for key, text in REASONS.items()}
NO_PURPOSE = Refusal("no_purpose", NOT_ALLOWED.text)

_INDEX: Any = State._meta.get_field("endpoint_index")
_USED = f"""
WITH gone AS MATERIALIZED (
    SELECT m.customer_id, m.sent_at AS at,
        coalesce(m.context->>'purpose', %(usual)s::jsonb->>m.message_class) AS purpose,
        coalesce(g.index, (
            SELECT p.whole_index FROM customers_contactpoint p WHERE p.customer_id = m.customer_id AND p.kind = 'email'
            ORDER BY p.is_primary DESC, p.id LIMIT 1)) AS index
    FROM mail_message m LEFT JOIN unnest(%(named)s::bigint[], %(indexes)s::bytea[]) AS g (id, index) ON g.id = m.id
    WHERE m.id = ANY (%(ids)s) AND m.state = 'sent' AND m.message_class = ANY (%(classes)s)
        AND m.customer_id IS NOT NULL
),
used AS MATERIALIZED (
    SELECT g.customer_id, p.id AS purpose_id, p.stale_months, {SHORTEST} AS shortest, g.index, max(g.at) AS at
    FROM gone g JOIN consents_purpose p ON p.key = g.purpose GROUP BY 1, 2, 3, 4, 5
),
records AS (
    UPDATE consents_record r SET used_at = u.at, pauses = CASE
        WHEN {IS_PAUSE.format(since="r.used_at", shortest="u.shortest", at="u.at")}
            THEN r.pauses || ARRAY[r.used_at, u.at] ELSE r.pauses END
    FROM used u
    WHERE r.customer_id = u.customer_id AND r.purpose_id = u.purpose_id AND r.channel = 'email'
        AND r.endpoint_index = u.index AND r.used_at < u.at AND (r.ended_at IS NULL OR r.ended_at > u.at)
)
UPDATE consents_state s SET fresh_until = u.at + make_interval(months => u.stale_months) FROM used u
WHERE s.customer_id = u.customer_id AND s.purpose_id = u.purpose_id AND s.channel = 'email'
    AND s.endpoint_index = u.index AND s.granted AND s.fresh_until < u.at + make_interval(months => u.stale_months)
"""  # noqa: S608


def register_gates() -> None:
    """Tell the outbox; called from the app's `ready`."""
    for message_class in ASKED_FIRST:
        register_gate(message_class, gate, knows_objections=True)


def purpose_of(message: Message) -> str:
    """What a mail is sent for: its context names it as `purpose`, else it is the usual one of its class."""
    named: Mapping[str, Any] = message.context
    return str(named.get("purpose") or USUAL[MessageClass(message.message_class)])


def gate(message: Message) -> Refusal | None:
    """Why this mail is not allowed at this moment; None where a consent or a notice at the sale allows it."""
    if message.customer is None:
        return REFUSALS["never_asked"]
    key = purpose_of(message)
    # A contract allows no advertising, whatever a mail says that it is for.
    if not Purpose.objects.filter(key=key, advertising=True, message_class=message.message_class).exists():
        return NO_PURPOSE
    decision = may(message.customer, key, Channel.EMAIL, address_of(message))
    return None if decision.allowed else REFUSALS[decision.reason]


def note_sent(ids: list[int]) -> None:
    """Each mail that has gone out is a use of its consent: it stays fresh from then on. One statement for the set.

    To a prospect it is a contact, too: who still gets what they asked for is no forgotten lead (domain.md 5, LEAD).
    """
    named = Message.objects.filter(pk__in=ids, recipient__isnull=False, message_class__in=ASKED_FIRST)
    given = [(pk, _INDEX.blind(address)) for pk, address in named.values_list("pk", "recipient")]
    with connection.cursor() as cursor:
        cursor.execute(_USED, {
            "ids": ids, "classes": [one.value for one in USUAL], "usual": json.dumps(USUAL),
            "named": [pk for pk, _index in given], "indexes": [index for _pk, index in given],
        })  # fmt: skip
    mails = Message.objects.filter(pk__in=ids, state=Message.State.SENT, message_class__in=ASKED_FIRST)
    prospects = mails.filter(customer__status=Customer.Status.PROSPECT).values_list("customer", flat=True)
    if found := sorted(set(prospects)):
        note_contact(found, timezone.now())
