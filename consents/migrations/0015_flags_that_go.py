"""A flag whose last day has come closes nothing any more: the states follow, as they do when it is set or lifted."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION consents_flags_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM consents_refresh(ARRAY(SELECT DISTINCT n.customer_id FROM changed n WHERE n.kind = 'minor'));
    RETURN NULL;
END $$;
CREATE TRIGGER consents_flags_gone AFTER DELETE ON customers_flag
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION consents_flags_gone();
"""
BACKWARD = """
DROP TRIGGER consents_flags_gone ON customers_flag;
DROP FUNCTION consents_flags_gone;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0014_seldom_events"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
