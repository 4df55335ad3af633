"""Whoever changes a purpose, the page, a migration or SQL: its versions and the states that follow from it agree.

A purpose goes out of use, and its version begins, at one instant, which the database alone says. Between two clocks lay
milliseconds in which the version of before still answered: yes, of a purpose that was no longer used; and nobody takes
one out of use for the past. What is open or fresh follows in the same statement.
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
    {following}
    RETURN NULL;
END $$;
"""
# As `recording` and `rebuilding` count it: fresh from the last use, else from the consent.
FOLLOWING = """
    IF TG_OP = 'UPDATE' AND NEW.stale_months IS DISTINCT FROM OLD.stale_months THEN
        UPDATE consents_state s SET fresh_until = greatest(coalesce(r.fresh_from, r.used_at, s.since), r.occurred_at)
            + make_interval(months => NEW.stale_months)
        FROM consents_record r WHERE r.entry_id = s.entry_id AND s.purpose_id = NEW.id AND s.granted;
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.advertising, NEW.minimum_age = '{}') IS DISTINCT FROM (OLD.advertising,
        OLD.minimum_age = '{}') THEN
        PERFORM consents_refresh(ARRAY(SELECT DISTINCT customer_id FROM consents_state WHERE purpose_id = NEW.id));
    END IF;
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
FORWARD = VERSION.format(instant=f"coalesce({RETIRED}, clock_timestamp())", following=FOLLOWING) + RETIRES
BACKWARD = VERSION.format(instant="clock_timestamp()", following="") + "DROP FUNCTION consents_purpose_retires CASCADE;"


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0015_flags_that_go"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
