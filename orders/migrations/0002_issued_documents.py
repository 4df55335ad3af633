"""Keeps issued documents as they are, also against SQL by hand (AO § 146(4), HGB § 239(3)).

Free: the pointers to people, which are no part of the paper. A sealed value may be sealed anew under another key
(`vault_rotate`). Everything else, and deleting, only inside a transaction that says
`SET LOCAL obhut.erasing = 'on'`, as an erasure or a retention run does; even then the kind, number, date and amounts
of a document stand.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION orders_document_stands() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erasing boolean := coalesce(current_setting('obhut.erasing', true), '') = 'on';
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF erasing THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'An issued document is never deleted before its retention period is over.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.id, NEW.order_id, NEW.kind, NEW.number, NEW.issued_at, NEW.corrects_id, NEW.seller, NEW.currency,
        NEW.gross, NEW.net, NEW.tax, NEW.rates)
       IS DISTINCT FROM
       (OLD.id, OLD.order_id, OLD.kind, OLD.number, OLD.issued_at, OLD.corrects_id, OLD.seller, OLD.currency,
        OLD.gross, OLD.net, OLD.tax, OLD.rates)
       OR NOT erasing AND (
            NEW.lines IS DISTINCT FROM OLD.lines
            OR NOT orders_sealed_anew(OLD.billing_snapshot, NEW.billing_snapshot)
            OR NOT orders_sealed_anew(OLD.delivery_snapshot, NEW.delivery_snapshot)
            OR NOT orders_sealed_anew(OLD.gift_note, NEW.gift_note)
       )
    THEN
        RAISE EXCEPTION 'An issued document is never changed; issue a credit note instead.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION orders_sealed_anew(before bytea, after bytea) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    -- The first three bytes are version and key id; the text below keeps its length under any key.
    SELECT before IS NOT DISTINCT FROM after
        OR before IS NOT NULL AND after IS NOT NULL
           AND substring(before FROM 1 FOR 3) <> substring(after FROM 1 FOR 3)
           AND length(before) = length(after)
$$;

CREATE TRIGGER orders_document_stands BEFORE UPDATE OR DELETE ON orders_document
    FOR EACH ROW EXECUTE FUNCTION orders_document_stands();

-- An undo finds what a batch changed; rows of one batch lie together, so BRIN costs an import nothing.
CREATE INDEX orders_hist_order_batch ON orders_historicalorder
    USING brin (batch) WITH (pages_per_range = 16, autosummarize = on);
"""

BACKWARD = """
DROP INDEX orders_hist_order_batch;
DROP TRIGGER orders_document_stands ON orders_document;
DROP FUNCTION orders_document_stands();
DROP FUNCTION orders_sealed_anew(bytea, bytea);
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
