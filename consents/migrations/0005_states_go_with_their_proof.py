"""A yes goes when the record that decides it goes: what nobody can prove any more is not said either.

A no stays as long as the customer does: that its proof has had its day does not make it a yes.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION consents_record_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM consents_state s USING gone g WHERE s.customer_id = g.customer_id AND s.entry_id = g.entry_id
        AND s.state NOT IN ('refused', 'withdrawn', 'revoked', 'expired', 'invalidated');
    RETURN NULL;
END $$;
CREATE TRIGGER consents_record_gone AFTER DELETE ON consents_record
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION consents_record_gone();
ALTER TABLE consents_record ENABLE ALWAYS TRIGGER consents_record_gone;
"""
BACKWARD = "DROP FUNCTION consents_record_gone CASCADE"


class Migration(migrations.Migration):
    dependencies = [("consents", "0004_receipts")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
