"""Keeps on a contact when its complaint was settled, by triggers, so that one index finds the disputes that are over."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

STEP = 20_000
FORWARD = """
CREATE FUNCTION interactions_contact_takes_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Shared with nobody who settles just now: that change would not see this contact, nor this contact the change.
    NEW.complaint_closed_at :=
        (SELECT c.closed_at FROM interactions_complaint c WHERE c.id = NEW.complaint_id FOR SHARE);
    RETURN NEW;
END $$;

CREATE FUNCTION interactions_complaint_hands_on_settlement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE interactions_interaction SET complaint_closed_at = NEW.closed_at WHERE complaint_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER interactions_complaint_hands_on_settlement AFTER UPDATE OF closed_at ON interactions_complaint
    FOR EACH ROW WHEN (NEW.closed_at IS DISTINCT FROM OLD.closed_at)
    EXECUTE FUNCTION interactions_complaint_hands_on_settlement();

CREATE TRIGGER interactions_contact_takes_settlement BEFORE INSERT ON interactions_interaction
    FOR EACH ROW WHEN (NEW.complaint_id IS NOT NULL OR NEW.complaint_closed_at IS NOT NULL)
    EXECUTE FUNCTION interactions_contact_takes_settlement();

-- A contact that is cut from its complaint no longer knows; and nobody else writes here.
CREATE TRIGGER interactions_contact_keeps_settlement
    BEFORE UPDATE OF complaint_id, complaint_closed_at ON interactions_interaction
    FOR EACH ROW WHEN ((NEW.complaint_id, NEW.complaint_closed_at)
        IS DISTINCT FROM (OLD.complaint_id, OLD.complaint_closed_at))
    EXECUTE FUNCTION interactions_contact_takes_settlement();
"""
BACKWARD = """
DROP TRIGGER interactions_contact_keeps_settlement ON interactions_interaction;
DROP TRIGGER interactions_contact_takes_settlement ON interactions_interaction;
DROP TRIGGER interactions_complaint_hands_on_settlement ON interactions_complaint;
DROP FUNCTION interactions_complaint_hands_on_settlement();
DROP FUNCTION interactions_contact_takes_settlement();
"""
# Along the settled complaints: few contacts have one.
FILL = """
UPDATE interactions_interaction i SET complaint_closed_at = c.closed_at FROM interactions_complaint c
WHERE i.complaint_id = c.id AND c.closed_at IS NOT NULL AND i.complaint_closed_at IS NULL
  AND c.id > %s AND c.id <= %s
"""


def fill(apps, schema_editor):
    """In steps, each a transaction of its own, so that nobody waits."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM interactions_complaint")
        (most,) = cursor.fetchone()
        for first in range(0, most, STEP):
            cursor.execute(FILL, [first, first + STEP])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("interactions", "0005_life_read_from_index")]

    operations = [
        migrations.AddField(
            "interaction",
            "complaint_closed_at",
            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="complaint settled"),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            "interaction",
            models.Index(
                fields=["complaint_closed_at", "id"],
                condition=models.Q(complaint_closed_at__isnull=False, record_class="claim"),
                name="interactions_claim_settled",
            ),
        ),
        AddIndexConcurrently(
            "interaction",
            models.Index(
                fields=["closed_at", "id"],
                condition=models.Q(complaint_closed_at__isnull=True, record_class="claim"),
                name="interactions_claim_unsettled",
            ),
        ),
    ]
