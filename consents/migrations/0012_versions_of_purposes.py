"""Keeps what a purpose allowed when: a trigger writes a version whenever what decides is changed, whoever does it.

A version takes INSERT and SELECT alone, as the ledger does. What stands when this runs becomes the first one.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION consents_purpose_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.basis, NEW.channels, NEW.advertising, NEW.existing_customers, NEW.minimum_age,
            NEW.stale_months, NEW.retired_at)
        IS NOT DISTINCT FROM (OLD.basis, OLD.channels, OLD.advertising, OLD.existing_customers, OLD.minimum_age,
            OLD.stale_months, OLD.retired_at)
    THEN
        RETURN NULL;
    END IF;
    -- A clock that was put back orders nothing anew.
    INSERT INTO consents_purposeversion (purpose_id, number, valid_from, basis, channels, advertising,
        existing_customers, minimum_age, stale_months, retired_at)
    SELECT NEW.id, coalesce(max(v.number), 0) + 1, greatest(clock_timestamp(), max(v.valid_from)), NEW.basis,
        NEW.channels, NEW.advertising, NEW.existing_customers, NEW.minimum_age, NEW.stale_months, NEW.retired_at
    FROM consents_purposeversion v WHERE v.purpose_id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION consents_version_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What held for a purpose stands.' USING ERRCODE = 'integrity_constraint_violation';
END $$;

INSERT INTO consents_purposeversion (purpose_id, number, valid_from, basis, channels, advertising,
    existing_customers, minimum_age, stale_months, retired_at)
SELECT id, 1, clock_timestamp(), basis, channels, advertising, existing_customers, minimum_age, stale_months, retired_at
FROM consents_purpose;

CREATE TRIGGER consents_purpose_changed AFTER INSERT OR UPDATE ON consents_purpose
    FOR EACH ROW EXECUTE FUNCTION consents_purpose_changed();
ALTER TABLE consents_purpose ENABLE ALWAYS TRIGGER consents_purpose_changed;
CREATE TRIGGER consents_version_stands BEFORE UPDATE OR DELETE ON consents_purposeversion
    FOR EACH ROW EXECUTE FUNCTION consents_version_stands();
ALTER TABLE consents_purposeversion ENABLE ALWAYS TRIGGER consents_version_stands;
CREATE TRIGGER consents_version_not_emptied BEFORE TRUNCATE ON consents_purposeversion
    FOR EACH STATEMENT EXECUTE FUNCTION consents_not_emptied();
ALTER TABLE consents_purposeversion ENABLE ALWAYS TRIGGER consents_version_not_emptied;

DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT grantee FROM information_schema.role_table_grants
        WHERE table_schema = current_schema() AND grantee <> current_user AND table_name = 'consents_purposeversion'
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON consents_purposeversion FROM %I', granted.grantee);
    END LOOP;
END $$;
"""
BACKWARD = """
DROP TRIGGER consents_purpose_changed ON consents_purpose;
DROP FUNCTION consents_purpose_changed;
DROP FUNCTION consents_version_stands CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0011_contacts_that_move"),
    ]

    operations = [
        migrations.CreateModel(
            name="PurposeVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("valid_from", models.DateTimeField(verbose_name="valid from")),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("consent", "Consent (Art. 6(1)(a) GDPR)"),
                            ("contract", "Contract (Art. 6(1)(b) GDPR)"),
                            ("interests", "Legitimate interests until an objection (Art. 6(1)(f) GDPR)"),
                        ],
                        max_length=10,
                        verbose_name="legal basis",
                    ),
                ),
                (
                    "channels",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("email", "E-mail"),
                                ("sms", "SMS"),
                                ("whatsapp", "WhatsApp"),
                                ("phone", "Phone"),
                                ("post", "Post"),
                                ("web", "Web pages"),
                            ],
                            max_length=10,
                        ),
                        size=None,
                        verbose_name="channels",
                    ),
                ),
                ("advertising", models.BooleanField(verbose_name="is advertising")),
                ("existing_customers", models.BooleanField(verbose_name="allowed to existing customers")),
                ("minimum_age", models.JSONField(verbose_name="minimum age by country")),
                (
                    "stale_months",
                    models.PositiveSmallIntegerField(null=True, verbose_name="stale after months without use"),
                ),
                ("retired_at", models.DateTimeField(null=True, verbose_name="no longer used since")),
                (
                    "purpose",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="consents.purpose",
                        verbose_name="purpose",
                    ),
                ),
            ],
            options={
                "verbose_name": "version of a purpose",
                "verbose_name_plural": "versions of purposes",
                "ordering": ["purpose", "-number"],
                "constraints": [models.UniqueConstraint(fields=("purpose", "number"), name="consents_purpose_version")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
