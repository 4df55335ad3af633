"""What a text is called, its kind and its purpose stand once a version of it is published.

A proof names a wording by key and version, and it is one because of the purpose beside which it was shown: whoever
turned the wording of one purpose into that of another would have the words of before agree to something else.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION consents_text_is_meant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM consents_legaltextversion v WHERE v.text_id = OLD.id AND v.published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'A text of which a version is published keeps its key, its kind and its purpose.'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER consents_text_is_meant BEFORE UPDATE ON consents_legaltext
    FOR EACH ROW WHEN ((NEW.id, NEW.key, NEW.kind, NEW.purpose_id)
        IS DISTINCT FROM (OLD.id, OLD.key, OLD.kind, OLD.purpose_id))
    EXECUTE FUNCTION consents_text_is_meant();
ALTER TABLE consents_legaltext ENABLE ALWAYS TRIGGER consents_text_is_meant;
"""
BACKWARD = "DROP FUNCTION consents_text_is_meant CASCADE;"


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0019_texts_are_not_emptied"),
    ]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
