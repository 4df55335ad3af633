"""A restriction that its person's erasure has overtaken ended then: nothing else would ever begin its last three years."""

from django.db import migrations

FORWARD = """
UPDATE privacy_restriction SET lifted_at = blocked_at, notice_sent_at = least(coalesce(notice_sent_at, blocked_at), blocked_at)
WHERE blocked_at IS NOT NULL AND lifted_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("privacy", "0014_restricted_contact_persons")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
