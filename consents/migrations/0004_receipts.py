"""How far receipts have gone out: what stands in the ledger before needs none by mail."""

import django.utils.timezone
from django.db import migrations, models

MARK = """
INSERT INTO consents_receiptmark (id, position, moved_at)
SELECT 1, coalesce(max(number), 0), now() FROM consents_position
"""


class Migration(migrations.Migration):
    dependencies = [("consents", "0003_opt_ins")]

    operations = [
        migrations.CreateModel(
            name="ReceiptMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.BigIntegerField(default=0, verbose_name="place in the ledger")),
                ("moved_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="moved")),
            ],
            options={
                "verbose_name": "mark of the receipts",
                "verbose_name_plural": "marks of the receipts",
            },
        ),
        migrations.RunSQL(MARK, migrations.RunSQL.noop),
    ]
