"""A purpose goes out of use, and its version begins, at one instant, which the database alone says.

Between two clocks lay milliseconds in which the version of before still answered: yes, of a purpose that was no longer
used. Whoever takes it out of use, by whatever way, and whatever time they name: nobody can do so for the past.
"""

from django.db import migrations

VERSION = """
CREATE OR REPLACE FUNCTION consents_purpose_changed() RETURNS trigger LANGUAGE plpgsql AS $$
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
    SELECT NEW.id, coalesce(max(v.number), 0) + 1, greatest({instant}, max(v.valid_from)), NEW.basis,
        NEW.channels, NEW.advertising, NEW.existing_customers, NEW.minimum_age, NEW.stale_months, NEW.retired_at
    FROM consents_purposeversion v WHERE v.purpose_id = NEW.id;
    RETURN NULL;
END $$;
"""
RETIRES = """
CREATE FUNCTION consents_purpose_retires() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.retired_at := greatest(clock_timestamp(),
        (SELECT max(v.valid_from) FROM consents_purposeversion v WHERE v.purpose_id = NEW.id));
    RETURN NEW;
END $$;
CREATE TRIGGER consents_purpose_retires BEFORE UPDATE ON consents_purpose
    FOR EACH ROW WHEN (OLD.retired_at IS NULL AND NEW.retired_at IS NOT NULL)
    EXECUTE FUNCTION consents_purpose_retires();
ALTER TABLE consents_purpose ENABLE ALWAYS TRIGGER consents_purpose_retires;
"""
RETIRED = "CASE WHEN TG_OP = 'UPDATE' AND OLD.retired_at IS NULL THEN NEW.retired_at END"
FORWARD = VERSION.format(instant=f"coalesce({RETIRED}, clock_timestamp())") + RETIRES
BACKWARD = VERSION.format(instant="clock_timestamp()") + "DROP FUNCTION consents_purpose_retires CASCADE;"


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0015_flags_that_go"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
