"""Keeps a copy of a customer's status in the summary, by triggers, so that one index finds the persons who are due."""

from django.db import migrations, models

STEP = 20_000
FORWARD = """
CREATE FUNCTION customers_summary_takes_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Shared with nobody who changes it just now: that change would not see this row, nor this row the change.
    SELECT status INTO NEW.status FROM customers_customer WHERE id = NEW.customer_id FOR SHARE;
    RETURN NEW;
END $$;

CREATE FUNCTION customers_customer_hands_on_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE customers_summary SET status = NEW.status WHERE customer_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER customers_customer_hands_on_status AFTER UPDATE OF status ON customers_customer
    FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION customers_customer_hands_on_status();

CREATE TRIGGER customers_summary_takes_status BEFORE INSERT ON customers_summary
    FOR EACH ROW EXECUTE FUNCTION customers_summary_takes_status();

-- Whoever saves a whole summary writes the status read some time before.
CREATE TRIGGER customers_summary_keeps_status BEFORE UPDATE OF customer_id, status ON customers_summary
    FOR EACH ROW WHEN ((NEW.customer_id, NEW.status) IS DISTINCT FROM (OLD.customer_id, OLD.status))
    EXECUTE FUNCTION customers_summary_takes_status();
"""
BACKWARD = """
DROP TRIGGER customers_summary_keeps_status ON customers_summary;
DROP TRIGGER customers_summary_takes_status ON customers_summary;
DROP TRIGGER customers_customer_hands_on_status ON customers_customer;
DROP FUNCTION customers_customer_hands_on_status();
DROP FUNCTION customers_summary_takes_status();
"""
# A row that a trigger has filled meanwhile is left as it is.
FILL = """
UPDATE customers_summary s SET status = c.status FROM customers_customer c
WHERE c.id = s.customer_id AND s.status = '' AND s.customer_id > %s AND s.customer_id <= %s
"""


def fill(apps, schema_editor):
    """In steps, each a transaction of its own, so that nobody waits."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(customer_id), 0) FROM customers_summary")
        (most,) = cursor.fetchone()
        for first in range(0, most, STEP):
            cursor.execute(FILL, [first, first + STEP])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0005_suppression_mentions")]

    operations = [
        migrations.AddField(
            "summary",
            "status",
            models.CharField(
                choices=[("account", "Account"), ("guest", "Guest"), ("prospect", "Prospect")],
                db_default="",
                default="",
                editable=False,
                max_length=10,
                verbose_name="status",
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
