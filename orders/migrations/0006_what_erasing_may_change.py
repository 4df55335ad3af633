"""Lets an erasure cut a document from its order and from the paper it corrects, and nothing else do so.

What the paper says of the order stands like the rest of it.
"""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION orders_document_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF (NEW.id, NEW.kind, NEW.number, NEW.issued_at, NEW.order_number, NEW.ordered_at, NEW.seller, NEW.currency,
        NEW.gross, NEW.net, NEW.tax, NEW.rates)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.number, OLD.issued_at, OLD.order_number, OLD.ordered_at, OLD.seller, OLD.currency,
        OLD.gross, OLD.net, OLD.tax, OLD.rates)
       OR NOT erasing AND (
            (NEW.order_id, NEW.corrects_id, NEW.lines) IS DISTINCT FROM (OLD.order_id, OLD.corrects_id, OLD.lines)
            OR NOT orders_sealed_anew(OLD.billing_snapshot, NEW.billing_snapshot)
            OR NOT orders_sealed_anew(OLD.delivery_snapshot, NEW.delivery_snapshot)
            OR NOT orders_sealed_anew(OLD.gift_note, NEW.gift_note)
            OR NOT orders_sealed_anew(OLD.reason, NEW.reason)
       )
    THEN
        RAISE EXCEPTION 'An issued document is never changed; issue a credit note instead.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""

BACKWARD = """
CREATE OR REPLACE FUNCTION orders_document_stands() RETURNS trigger LANGUAGE plpgsql AS $$
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
            OR NOT orders_sealed_anew(OLD.reason, NEW.reason)
       )
    THEN
        RAISE EXCEPTION 'An issued document is never changed; issue a credit note instead.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0005_papers_name_their_order")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
