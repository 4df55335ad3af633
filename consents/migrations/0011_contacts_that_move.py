"""Lets the states follow an address or number that moves to another customer: both owners are looked at."""

from django.db import migrations

# Replaced in place: the table is not locked against reading, and no moment is without the trigger.
FORWARD = """
CREATE FUNCTION consents_contact_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM consents_refresh(ARRAY[OLD.customer_id, NEW.customer_id]);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER consents_contact_changed AFTER UPDATE OF whole_index, customer_id ON customers_contactpoint
    FOR EACH ROW
    WHEN ((NEW.whole_index, NEW.customer_id) IS DISTINCT FROM (OLD.whole_index, OLD.customer_id))
    EXECUTE FUNCTION consents_contact_changed();
"""
BACKWARD = """
CREATE OR REPLACE TRIGGER consents_contact_changed AFTER UPDATE OF whole_index ON customers_contactpoint
    FOR EACH ROW WHEN (NEW.whole_index IS DISTINCT FROM OLD.whole_index) EXECUTE FUNCTION consents_person_changed();
DROP FUNCTION consents_contact_changed;
"""


class Migration(migrations.Migration):
    dependencies = [("consents", "0010_due_records")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
