"""Published texts are not emptied out: TRUNCATE passes by a trigger for rows (security.md 2)."""

from django.db import migrations

FORWARD = """
CREATE TRIGGER consents_text_not_emptied BEFORE TRUNCATE ON consents_legaltextversion
    FOR EACH STATEMENT EXECUTE FUNCTION consents_not_emptied();
ALTER TABLE consents_legaltextversion ENABLE ALWAYS TRIGGER consents_text_not_emptied;
"""
BACKWARD = "DROP TRIGGER consents_text_not_emptied ON consents_legaltextversion;"


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0018_pauses_between_uses"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
