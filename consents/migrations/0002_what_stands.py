"""Lets the ledger stand: privileges first, triggers second; and has the states follow what happens below.

Entries, places, seals and lists of erased entries take INSERT and SELECT alone, for the owner of the tables as well,
and whatever `session_replication_role` says. A record may go, inside a transaction that says
`SET LOCAL obhut.erasing = 'on'` as an erasure or a retention run does, and is noted then. A published text stands, word
for word. Emptying a table whole is for a test database, which says `obhut.flush`.
"""

from django.db import migrations

STANDING = ("entry", "position", "seal", "erasureproof")
LEDGER = (*STANDING, "record", "erasedrecord")

FORWARD = """
CREATE FUNCTION consents_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger of consents is only ever added to.' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION consents_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('obhut.flush', true), '') <> 'on' THEN
        RAISE EXCEPTION 'The ledger of consents is never emptied.' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION consents_record_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('obhut.erasing', true), '') <> 'on' THEN
        RAISE EXCEPTION 'The record of a consent goes by an erasure or at its last day, and not otherwise.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO consents_erasedrecord (entry_id, at) VALUES (OLD.entry_id, now());
    RETURN OLD;
END $$;

CREATE FUNCTION consents_erased_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.by_id IS NOT NULL OR (NEW.entry_id, NEW.at) IS DISTINCT FROM (OLD.entry_id, OLD.at) THEN
        RAISE EXCEPTION 'What was erased is entered once.' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION consents_text_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NULL THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR (NEW.id, NEW.text_id, NEW.number, NEW.title_de, NEW.title_en, NEW.body_de, NEW.body_en,
            NEW.sha256_de, NEW.sha256_en, NEW.valid_from, NEW.published_at)
        IS DISTINCT FROM (OLD.id, OLD.text_id, OLD.number, OLD.title_de, OLD.title_en, OLD.body_de, OLD.body_en,
            OLD.sha256_de, OLD.sha256_en, OLD.valid_from, OLD.published_at)
    THEN
        RAISE EXCEPTION 'A published text stands; publish a new version.' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER consents_record_goes BEFORE DELETE ON consents_record
    FOR EACH ROW EXECUTE FUNCTION consents_record_goes();
ALTER TABLE consents_record ENABLE ALWAYS TRIGGER consents_record_goes;
CREATE TRIGGER consents_erased_once BEFORE UPDATE OR DELETE ON consents_erasedrecord
    FOR EACH ROW EXECUTE FUNCTION consents_erased_once();
ALTER TABLE consents_erasedrecord ENABLE ALWAYS TRIGGER consents_erased_once;
CREATE TRIGGER consents_text_stands BEFORE UPDATE OR DELETE ON consents_legaltextversion
    FOR EACH ROW EXECUTE FUNCTION consents_text_stands();
ALTER TABLE consents_legaltextversion ENABLE ALWAYS TRIGGER consents_text_stands;
"""
STANDS = """
CREATE TRIGGER consents_{0}_stands BEFORE UPDATE OR DELETE ON consents_{0}
    FOR EACH ROW EXECUTE FUNCTION consents_stands();
ALTER TABLE consents_{0} ENABLE ALWAYS TRIGGER consents_{0}_stands;
"""
NOT_EMPTIED = """
CREATE TRIGGER consents_{0}_not_emptied BEFORE TRUNCATE ON consents_{0}
    FOR EACH STATEMENT EXECUTE FUNCTION consents_not_emptied();
ALTER TABLE consents_{0} ENABLE ALWAYS TRIGGER consents_{0}_not_emptied;
"""
# Whoever owns the tables keeps every right and is stopped by triggers alone; the app's role does not get so far.
PRIVILEGES = """
DO $$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT DISTINCT table_name, grantee FROM information_schema.role_table_grants
        WHERE table_schema = current_schema() AND grantee <> current_user AND table_name = ANY ('{{{tables}}}')
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM %I', granted.table_name, granted.grantee);
    END LOOP;
END $$;
"""
# The states follow at once; `consents_refresh` is made after each migration (consents.opening).
FOLLOWING = """
CREATE FUNCTION consents_refresh(ids bigint[]) RETURNS void LANGUAGE sql AS 'SELECT NULL::void';

CREATE FUNCTION consents_customer_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM consents_refresh(ARRAY[NEW.id]);
    RETURN NULL;
END $$;
CREATE TRIGGER consents_customer_changed AFTER UPDATE OF restricted_at, deactivated_at ON customers_customer
    FOR EACH ROW WHEN ((NEW.restricted_at, NEW.deactivated_at) IS DISTINCT FROM (OLD.restricted_at, OLD.deactivated_at))
    EXECUTE FUNCTION consents_customer_changed();

CREATE FUNCTION consents_person_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM consents_refresh(ARRAY[NEW.customer_id]);
    RETURN NULL;
END $$;
CREATE TRIGGER consents_stop_changed AFTER UPDATE OF advertising_stopped_at ON customers_summary
    FOR EACH ROW WHEN (NEW.advertising_stopped_at IS DISTINCT FROM OLD.advertising_stopped_at)
    EXECUTE FUNCTION consents_person_changed();
CREATE TRIGGER consents_stop_set AFTER INSERT ON customers_summary
    FOR EACH ROW WHEN (NEW.advertising_stopped_at IS NOT NULL) EXECUTE FUNCTION consents_person_changed();
CREATE TRIGGER consents_flag_changed AFTER INSERT OR UPDATE ON customers_flag
    FOR EACH ROW WHEN (NEW.kind = 'minor') EXECUTE FUNCTION consents_person_changed();

CREATE FUNCTION consents_suppression_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM consents_refresh(ARRAY(SELECT customer_id FROM consents_state WHERE mark IN (NEW.endpoint, OLD.endpoint)));
    RETURN NULL;
END $$;
CREATE TRIGGER consents_suppression_changed AFTER INSERT OR UPDATE OR DELETE ON customers_suppression
    FOR EACH ROW EXECUTE FUNCTION consents_suppression_changed();

CREATE FUNCTION consents_contacts_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever is being erased loses the states too.
    IF coalesce(current_setting('obhut.erasing', true), '') <> 'on' THEN
        PERFORM consents_refresh(ARRAY(
            SELECT DISTINCT s.customer_id FROM changed n JOIN consents_state s ON s.customer_id = n.customer_id));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER consents_contacts_added AFTER INSERT ON customers_contactpoint
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION consents_contacts_changed();
CREATE TRIGGER consents_contacts_gone AFTER DELETE ON customers_contactpoint
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION consents_contacts_changed();
CREATE TRIGGER consents_contact_changed AFTER UPDATE OF whole_index ON customers_contactpoint
    FOR EACH ROW WHEN (NEW.whole_index IS DISTINCT FROM OLD.whole_index) EXECUTE FUNCTION consents_person_changed();
"""
BACKWARD = """
DROP FUNCTION consents_contacts_changed, consents_suppression_changed, consents_person_changed,
    consents_customer_changed, consents_refresh, consents_text_stands, consents_erased_once, consents_record_goes,
    consents_not_emptied, consents_stands CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("consents", "0001_purposes_and_ledger"), ("customers", "0007_due_persons")]

    operations = [
        migrations.RunSQL(
            FORWARD
            + "".join(map(STANDS.format, STANDING))
            + "".join(map(NOT_EMPTIED.format, LEDGER))
            + PRIVILEGES.format(tables=",".join(f"consents_{name}" for name in STANDING))
            + FOLLOWING,
            BACKWARD,
        )
    ]
