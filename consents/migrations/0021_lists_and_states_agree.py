"""Whoever writes a state about an address, and whoever changes the suppression list about it, take turns.

Between a statement that asks the list and its commit an entry could come in: the state said that nothing stood against
it, and the set form counted an address that the list had stopped. Writers about one address do not wait for each
other (`storing`), only for the list, and the list for them. An address is told by the last byte of its hash: so few
locks that a set of any size takes them all. An entry waits for its turn before it is there, so that nobody waits for
it whom it waits for.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION consents_suppression_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(189034514, get_byte(m, octet_length(m) - 1))
    FROM unnest(ARRAY[NEW.endpoint, OLD.endpoint]) AS m WHERE m IS NOT NULL;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER consents_suppression_turn BEFORE INSERT OR UPDATE OR DELETE ON customers_suppression
    FOR EACH ROW EXECUTE FUNCTION consents_suppression_turn();
"""
BACKWARD = "DROP FUNCTION consents_suppression_turn CASCADE;"


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0020_what_a_text_is_for_stands"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
