"""Who accepted or was shown which text, scanned consents, and ways to find entries by wording and time."""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import vault.fields
import vault.files


class Migration(migrations.Migration):
    # The ledger may be long already: its indexes are built beside what goes on.
    atomic = False

    dependencies = [
        ("consents", "0005_states_go_with_their_proof"),
        ("customers", "0007_due_persons"),
    ]

    operations = [
        migrations.CreateModel(
            name="Acceptance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.CharField(max_length=80, verbose_name="place")),
                ("order_number", models.TextField(blank=True, default="", verbose_name="order number")),
                (
                    "demand",
                    models.CharField(
                        choices=[("accept", "must be accepted"), ("show", "must be shown")],
                        max_length=10,
                        verbose_name="demand",
                    ),
                ),
                ("language", models.CharField(max_length=2, verbose_name="language")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("web_form", "Form on a web page"),
                            ("double_opt_in", "Double opt-in"),
                            ("rfc8058", "One-click unsubscribe"),
                            ("self_service", "By the customer on the privacy pages"),
                            ("phone_call", "Phone call"),
                            ("paper", "On paper"),
                            ("in_store", "In the store"),
                            ("sale", "At a sale"),
                            ("import", "Import"),
                            ("platform", "Shop platform"),
                            ("provider", "Report of the mail provider"),
                            ("desk", "At the desk"),
                            ("erasure", "Request for erasure"),
                            ("system", "By rule"),
                        ],
                        max_length=16,
                        verbose_name="source",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
            ],
            options={
                "verbose_name": "acceptance of a text",
                "verbose_name_plural": "acceptances of texts",
            },
        ),
        migrations.CreateModel(
            name="Scan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", vault.fields.SealedTextField(max_length=255, verbose_name="file name")),
                ("content_type", models.CharField(max_length=100)),
                ("size", models.PositiveIntegerField(verbose_name="size")),
                (
                    "file",
                    models.FileField(
                        max_length=200,
                        storage=vault.files.SealedFileStorage("consents.scan.file"),
                        upload_to="",
                        verbose_name="file",
                    ),
                ),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "verbose_name": "scanned consent",
                "verbose_name_plural": "scanned consents",
            },
        ),
        migrations.AddField(
            model_name="acceptance",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="text_acceptances",
                to="customers.customer",
                verbose_name="customer",
            ),
        ),
        migrations.AddField(
            model_name="acceptance",
            name="version",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="acceptances",
                to="consents.legaltextversion",
                verbose_name="version",
            ),
        ),
        migrations.AddField(
            model_name="scan",
            name="record",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="scans",
                to="consents.record",
                verbose_name="consent event",
            ),
        ),
        migrations.AddIndex(
            model_name="acceptance",
            index=models.Index(fields=["version", "-at", "-id"], name="consents_acceptance_version"),
        ),
        migrations.AddIndex(
            model_name="acceptance",
            index=models.Index(
                fields=["at", "id"],
                name="consents_acceptance_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="acceptance",
            constraint=models.UniqueConstraint(
                fields=("customer", "version", "place", "order_number"), name="consents_acceptance_once"
            ),
        ),
        AddIndexConcurrently(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("text_sha256", ""), _negated=True),
                fields=["text_sha256", "id"],
                name="consents_entry_text",
            ),
        ),
        AddIndexConcurrently(
            model_name="entry",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["ts"], name="consents_entry_time"
            ),
        ),
    ]
