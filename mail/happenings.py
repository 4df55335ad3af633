"""What mail tells the timeline of a customer."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.timeline import TimelineSource

SOURCES = (
    TimelineSource(
        key="letter",
        label=_("Letters"),
        icon="doc",
        sql="""
            SELECT 'letter', l.sent_at, l.id, jsonb_build_object('kept_as', l.kept_as)
            FROM mail_letter AS l
            WHERE l.customer_id = %(customer)s AND l.sent_at IS NOT NULL AND l.blocked_at IS NULL
        """,
        at="l.sent_at",
        id="l.id",
        permission="mail.letters",
    ),
    TimelineSource(
        key="mail",
        label=_("Mails"),
        icon="mail",
        sql="""
            SELECT 'mail', m.sent_at, m.id, jsonb_build_object('template', m.template)
            FROM mail_message AS m
            WHERE m.customer_id = %(customer)s AND m.state = 'sent' AND m.sent_at IS NOT NULL
              AND m.message_class <> 'letter'
        """,
        at="m.sent_at",
        id="m.id",
        permission="mail.view",
    ),
)
