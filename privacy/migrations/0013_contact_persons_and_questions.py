"""Lets a request and a copy be about somebody who speaks for a company, a request wait for what it is about, and an
erasure keep in a column whether the person wants to be written to. No row is rewritten but the few that wait."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import vault.fields


def take_the_wish_out(apps, schema_editor):
    """An erasure of a contact person that has not begun kept the wish among what is searched for."""
    waiting = apps.get_model("privacy", "Erasure").objects.filter(contact_person__isnull=False, started_at=None)
    for erasure in waiting.filter(state__in=("waiting", "scheduled")).iterator():
        erasure.suppress, erasure.needles = bool((erasure.needles or {}).get("suppress")), None
        erasure.save(update_fields=["suppress", "needles"])


def put_the_wish_back(apps, schema_editor):
    """As it was kept before."""
    waiting = apps.get_model("privacy", "Erasure").objects.filter(contact_person__isnull=False, started_at=None)
    for erasure in waiting.filter(state__in=("waiting", "scheduled")).iterator():
        erasure.needles = {"suppress": erasure.suppress}
        erasure.save(update_fields=["needles"])


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0012_erasures_of_contact_persons"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="erasure",
            name="suppress",
            field=models.BooleanField(default=False, editable=False, verbose_name="never to be written to again"),
        ),
        migrations.RunPython(take_the_wish_out, put_the_wish_back, elidable=True),
        migrations.AddField(
            model_name="package",
            name="contact_person",
            field=models.BigIntegerField(blank=True, editable=False, null=True, verbose_name="contact person"),
        ),
        migrations.AddField(
            model_name="request",
            name="clarification_asked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="asked what it is about"),
        ),
        migrations.AddField(
            model_name="request",
            name="clarified_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="said what it is about"),
        ),
        migrations.AddField(
            model_name="request",
            name="contact_person",
            field=models.BigIntegerField(blank=True, editable=False, null=True, verbose_name="contact person"),
        ),
        migrations.AlterField(
            model_name="requestevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("registered", "Registered"),
                    ("assigned", "Person found"),
                    ("owner", "Taken over"),
                    ("identity_asked", "Identity asked for"),
                    ("identity_settled", "Identity settled"),
                    ("copy_deleted", "Copy of the identity card deleted"),
                    ("clarify_asked", "Asked what it is about"),
                    ("clarified", "Said what it is about"),
                    ("contact", "Said who of the company asks"),
                    ("published", "Noted what had been made public"),
                    ("extended", "Extension announced"),
                    ("extended_late", "Extension announced too late: without effect"),
                    ("done", "Carried out"),
                    ("answered", "Answered"),
                    ("refusal_proposed", "Refusal proposed"),
                    ("refusal_declined", "Refusal not approved"),
                    ("refused", "Refused"),
                    ("reopened", "Taken up again"),
                    ("linked", "Linked with a request about the same matter"),
                    ("letter", "Letter written"),
                    ("closed", "Closed"),
                ],
                max_length=18,
                verbose_name="step",
            ),
        ),
        migrations.AlterField(
            model_name="requestletter",
            name="kind",
            field=models.CharField(
                choices=[
                    ("receipt", "Confirmation of receipt"),
                    ("identity", "Question about identity"),
                    ("clarify", "Question what the request is about"),
                    ("extension", "Notice of extension"),
                    ("answer", "Answer"),
                    ("refusal", "Refusal"),
                    ("lifting", "Notice before a restriction ends"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.CreateModel(
            name="PublishedData",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    vault.fields.SealedTextField(max_length=1000, verbose_name="what had been made public, and where"),
                ),
                (
                    "steps",
                    vault.fields.SealedTextField(
                        blank=True, default="", max_length=2000, verbose_name="what was done, or why nothing"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "others are still to be told"),
                            ("told", "others were told"),
                            ("unreasonable", "no step was reasonable"),
                        ],
                        default="open",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("noted_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="noted")),
                ("settled_at", models.DateTimeField(blank=True, null=True, verbose_name="settled")),
                (
                    "noted_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="published", to="privacy.request"
                    ),
                ),
            ],
            options={
                "verbose_name": "published data",
                "verbose_name_plural": "published data",
            },
        ),
    ]
