"""Opens what flags closed that had gone before the states followed them (0015): nobody has to know of a command."""

from django.db import migrations

# As the rule is installed (`consents.opening`); in a new database there is nothing to open.
MEND = """
SELECT consents_refresh(ARRAY(
    SELECT DISTINCT s.customer_id FROM consents_state s JOIN consents_purpose p ON p.id = s.purpose_id
    WHERE s.granted AND NOT s.open AND p.minimum_age <> '{}'::jsonb
        AND NOT EXISTS (SELECT 1 FROM customers_flag f
            WHERE f.customer_id = s.customer_id AND f.kind = 'minor' AND f.lifted_at IS NULL)))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0016_out_of_use_at_one_instant"),
        ("customers", "0010_restricted_contact_persons"),
    ]

    operations = [migrations.RunSQL(MEND, migrations.RunSQL.noop)]
