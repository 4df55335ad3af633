"""What `doctor` asks about the outbox: each mail went out at most once for one occasion and one person."""

from __future__ import annotations

from django.db import connection

from datamap.diagnosis import Finding, Options

# An occasion has a key, which says it once. Of a mailing it is template and context, of which the campaign is a part.
TWICE = {
    "occasions stand in the outbox twice": """
        SELECT count(*) FROM (SELECT 1 FROM mail_message WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1) d""",
    "mails share a Message-ID": """
        SELECT count(*) FROM (SELECT 1 FROM mail_message GROUP BY message_id HAVING count(*) > 1) d""",
    "people got the same mailing twice": """
        SELECT count(*) FROM (
            SELECT 1 FROM mail_message
            WHERE state IN ('sending', 'sent', 'unknown') AND message_class IN ('advertising', 'feedback', 'recall')
                AND (customer_id IS NOT NULL OR recipient_index IS NOT NULL)
            GROUP BY template, context, customer_id, recipient_index HAVING count(*) > 1) d""",
    "letters were kept twice for one occasion": """
        SELECT count(*) FROM (SELECT 1 FROM mail_letter WHERE key IS NOT NULL GROUP BY key HAVING count(*) > 1) d""",
    "mails were sent and still wait": """
        SELECT count(*) FROM mail_message WHERE state = 'queued' AND sent_at IS NOT NULL""",
}


def check_once(_options: Options) -> Finding:
    """Each mail was sent at most once for one occasion (or campaign) and one person."""
    faults = []
    with connection.cursor() as cursor:
        for what, statement in TWICE.items():
            cursor.execute(statement)
            (count,) = cursor.fetchone()
            if count:
                faults.append(f"{count} {what}")
        cursor.execute("SELECT count(*) FROM mail_message WHERE state = 'sent'")
        (sent,) = cursor.fetchone()
    return Finding(not faults, "; ".join(faults) or f"{sent} sent, none twice")
