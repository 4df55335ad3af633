"""Remembers each objection to advertising, not the last alone: answers about the past need those before it, too."""

import django.db.models.deletion
from django.db import migrations, models

# Whoever writes the summary, the history follows.
FOLLOWING = """
CREATE FUNCTION customers_stop_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.advertising_stopped_at IS NULL THEN
        UPDATE customers_advertisingstop SET ended_at = greatest(now(), since)
        WHERE customer_id = NEW.customer_id AND ended_at IS NULL;
    ELSE
        INSERT INTO customers_advertisingstop (customer_id, since)
        VALUES (NEW.customer_id, NEW.advertising_stopped_at)
        ON CONFLICT (customer_id, since) DO UPDATE SET ended_at = NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER customers_stop_changed AFTER UPDATE OF advertising_stopped_at ON customers_summary
    FOR EACH ROW WHEN (NEW.advertising_stopped_at IS DISTINCT FROM OLD.advertising_stopped_at)
    EXECUTE FUNCTION customers_stop_noted();
CREATE TRIGGER customers_stop_set AFTER INSERT ON customers_summary
    FOR EACH ROW WHEN (NEW.advertising_stopped_at IS NOT NULL) EXECUTE FUNCTION customers_stop_noted();
"""
BACKWARD = "DROP FUNCTION customers_stop_noted CASCADE"
# What stands; a row that the triggers have made meanwhile is left as it is.
STANDING = """
INSERT INTO customers_advertisingstop (customer_id, since)
SELECT customer_id, advertising_stopped_at FROM customers_summary WHERE advertising_stopped_at IS NOT NULL
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    # Each step by itself, so that no lock on the summaries is held while they are read.
    atomic = False

    dependencies = [("customers", "0007_due_persons")]

    operations = [
        migrations.CreateModel(
            name="AdvertisingStop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(verbose_name="since")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="advertising_stops",
                        to="customers.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "verbose_name": "objection to advertising",
                "verbose_name_plural": "objections to advertising",
                "constraints": [models.UniqueConstraint(fields=("customer", "since"), name="customers_stop_once")],
            },
        ),
        migrations.RunSQL(FOLLOWING, BACKWARD),
        migrations.RunSQL(STANDING, migrations.RunSQL.noop),
    ]
