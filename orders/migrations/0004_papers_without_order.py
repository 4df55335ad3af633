"""Lets a blocked paper stand without its order: it carries what it says of the order itself."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0003_credit_reason"),
    ]

    operations = [
        migrations.AddField(
            model_name="document",
            name="order_number",
            field=models.TextField(blank=True, db_default="", default="", editable=False, verbose_name="order number"),
        ),
        migrations.AddField(
            model_name="document",
            name="ordered_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="placed"),
        ),
        migrations.AddField(
            model_name="return",
            name="order_number",
            field=models.TextField(blank=True, db_default="", default="", editable=False, verbose_name="order number"),
        ),
        migrations.AddField(
            model_name="returnline",
            name="name",
            field=models.CharField(blank=True, db_default="", default="", max_length=300, verbose_name="article"),
        ),
        migrations.AddField(
            model_name="returnline",
            name="sku",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=120, verbose_name="article number"
            ),
        ),
        migrations.AlterField(
            model_name="document",
            name="corrects",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="corrections",
                to="orders.document",
                verbose_name="corrects",
            ),
        ),
        migrations.AlterField(
            model_name="document",
            name="order",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="documents",
                to="orders.order",
            ),
        ),
        migrations.AlterField(
            model_name="return",
            name="order",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="returns",
                to="orders.order",
            ),
        ),
        migrations.AlterField(
            model_name="returnline",
            name="line",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="returned",
                to="orders.orderline",
            ),
        ),
    ]
