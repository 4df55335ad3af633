"""Lets somebody look again at a restriction and say that it goes on. No row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("privacy", "0015_restrictions_of_erased"),
    ]

    operations = [
        migrations.AddField(
            model_name="restriction",
            name="review_on",
            field=models.DateField(blank=True, null=True, verbose_name="review on"),
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
                    ("closed", "Closed"),
                ],
                max_length=18,
                verbose_name="step",
            ),
        ),
    ]
