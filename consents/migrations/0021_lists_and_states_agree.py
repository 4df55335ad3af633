"""Whoever writes a state about an address, and whoever changes the suppression list about it, take turns.

Between a statement that asks the list and its commit an entry could come in: the state said that nothing stood against
it, and the set form counted an address that the list had stopped. Writers about one address do not wait for each
other (`storing`), only for the list, and the list for them. An address is told by the last byte of its hash: so few
locks that a set of any size takes them all.
"""

from django.db import migrations

CHANGED = """
CREATE OR REPLACE FUNCTION consents_suppression_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {turn}
    PERFORM consents_refresh(ARRAY(SELECT customer_id FROM consents_state WHERE mark IN (NEW.endpoint, OLD.endpoint)));
    RETURN NULL;
END $$;
"""
TURN = """
    PERFORM pg_advisory_xact_lock(189034514, get_byte(m, octet_length(m) - 1))
    FROM unnest(ARRAY[NEW.endpoint, OLD.endpoint]) AS m WHERE m IS NOT NULL;
"""
FORWARD, BACKWARD = CHANGED.format(turn=TURN), CHANGED.format(turn="")


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0020_what_a_text_is_for_stands"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
