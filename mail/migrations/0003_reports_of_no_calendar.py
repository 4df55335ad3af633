"""Lets reports go on whose time no calendar has: an older version stored it, and no worker could read the row.

One such row kept all reports behind it waiting. As for one that comes today, the arrival counts (`mail.events`).
"""

from django.db import migrations

# Among those that wait alone, along their index: whatever was worked off has been read.
MEND = """
UPDATE mail_providerevent SET occurred_at = NULL
WHERE processed_at IS NULL AND (occurred_at < '1900-01-01 00:00Z' OR occurred_at >= '3000-01-01 00:00Z')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("mail", "0002_letter_key"),
    ]

    operations = [migrations.RunSQL(MEND, migrations.RunSQL.noop)]
