"""Keeps at a letter about a request that its mail came back, longer than the outbox knows of it."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("privacy", "0017_breach_rules")]

    operations = [
        migrations.AddField(
            model_name="requestletter",
            name="came_back_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="came back"),
        ),
        migrations.AddField(
            model_name="requestletter",
            name="settled_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="settled"),
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
                    ("goes_on", "Looked at again: the restriction goes on"),
                    ("answered", "Answered"),
                    ("refusal_proposed", "Refusal proposed"),
                    ("refusal_declined", "Refusal not approved"),
                    ("refused", "Refused"),
                    ("reopened", "Taken up again"),
                    ("linked", "Linked with a request about the same matter"),
                    ("letter", "Letter written"),
                    ("letter_settled", "Letter that came back: settled"),
                    ("closed", "Closed"),
                ],
                max_length=18,
                verbose_name="step",
            ),
        ),
        AddIndexConcurrently(
            model_name="requestletter",
            index=models.Index(
                condition=models.Q(("came_back_at__isnull", False), ("settled_at__isnull", True)),
                fields=["request"],
                name="privacy_letter_came_back",
            ),
        ),
        AddIndexConcurrently(
            model_name="requestletter",
            index=models.Index(
                condition=models.Q(("way", "mail")), fields=["written_at"], name="privacy_letter_mailed"
            ),
        ),
    ]
