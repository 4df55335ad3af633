"""Adds to the search text of double names their halves, by which a misspelt half is found."""

from django.db import migrations

STEP = 20_000
# Their words come into the dictionary with the next count of all words (`indexing.recount_words`).
FILL = """
WITH double AS (
    SELECT e.customer_id, string_agg(DISTINCT half, ' ') AS halves
    FROM customers_searchentry e, unnest(string_to_array(e.text, ' ')) word, unnest(string_to_array(word, '-')) half
    WHERE e.customer_id > %s AND e.customer_id <= %s AND e.text LIKE '%%-%%' AND word LIKE '%%-%%'
        AND length(half) BETWEEN 4 AND 60 AND half !~ '^[0-9]' AND half <> ALL (string_to_array(e.text, ' '))
    GROUP BY e.customer_id
)
UPDATE customers_searchentry e SET text = e.text || ' ' || d.halves FROM double d WHERE e.customer_id = d.customer_id
"""


def fill(apps, schema_editor):
    """In steps, each a transaction of its own, so that nobody waits."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(customer_id), 0) FROM customers_searchentry")
        (most,) = cursor.fetchone()
        for first in range(0, most, STEP):
            cursor.execute(FILL, [first, first + STEP])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0011_postal_marks")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
