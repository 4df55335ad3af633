"""Puts right what an older sale that came in later had hidden: the younger notice at the same address stands.

Only where nothing but notices was ever told, which is the whole story of nearly all such states; of the others
`rebuild_consent_state` says what the ledger has. No state is read that is no notice.
"""

from django.db import migrations

MEND = """
UPDATE consents_state s SET entry_id = n.entry_id, late = n.late, confirmed = n.confirmed, source = n.source,
    fresh_until = greatest(coalesce(n.fresh_from, n.used_at), n.occurred_at) + make_interval(months => p.stale_months)
FROM consents_purpose p, consents_state t CROSS JOIN LATERAL (
    SELECT r.entry_id, r.late, r.confirmed, r.source, r.fresh_from, r.used_at, r.occurred_at,
        bool_and(r.kind = 'noticed') OVER () AS plain
    FROM consents_record r
    WHERE r.customer_id = t.customer_id AND r.purpose_id = t.purpose_id AND r.channel = t.channel
        AND r.endpoint_index IS NOT DISTINCT FROM t.endpoint_index AND r.blocked_at IS NULL
    ORDER BY r.occurred_at DESC, r.entry_id DESC LIMIT 1
) n
WHERE t.state = 'noticed' AND n.plain AND n.entry_id <> t.entry_id AND n.occurred_at = t.since
    AND s.id = t.id AND p.id = t.purpose_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consents", "0021_lists_and_states_agree"),
    ]

    operations = [migrations.RunSQL(MEND, migrations.RunSQL.noop)]
