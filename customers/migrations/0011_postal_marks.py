"""Keeps beside an address how the suppression list hashes it; whatever changes or deletes the address takes that along."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION customers_address_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM customers_postalmark WHERE address_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER customers_address_changed AFTER UPDATE OF street, postcode ON customers_address
    FOR EACH ROW WHEN ((NEW.street, NEW.postcode) IS DISTINCT FROM (OLD.street, OLD.postcode))
    EXECUTE FUNCTION customers_address_changed();
CREATE FUNCTION customers_addresses_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM customers_postalmark m USING gone g WHERE m.address_id = g.id;
    RETURN NULL;
END $$;
CREATE TRIGGER customers_addresses_gone AFTER DELETE ON customers_address
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION customers_addresses_gone();
"""
BACKWARD = """
DROP FUNCTION customers_address_changed CASCADE;
DROP FUNCTION customers_addresses_gone CASCADE;
"""


class Migration(migrations.Migration):
    # The index of the list is made while others write.
    atomic = False

    dependencies = [
        ("customers", "0010_restricted_contact_persons"),
    ]

    operations = [
        migrations.CreateModel(
            name="PostalMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.BinaryField(max_length=34, verbose_name="fingerprint for the suppression list")),
                (
                    "address",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="marks",
                        to="customers.address",
                        verbose_name="address",
                    ),
                ),
            ],
            options={
                "verbose_name": "fingerprint of an address",
                "verbose_name_plural": "fingerprints of addresses",
                "indexes": [models.Index(fields=["mark"], name="customers_postal_mark")],
                "constraints": [models.UniqueConstraint(fields=("address", "mark"), name="customers_postal_mark_once")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        AddIndexConcurrently(
            model_name="suppression",
            index=models.Index(condition=models.Q(("channel", "post")), fields=["since"], name="customers_suppr_post"),
        ),
    ]
