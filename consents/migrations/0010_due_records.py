"""What is due is found without looking at the records themselves, and calls without the consents of other channels."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("consents", "0009_texts_of_sign_ups")]

    operations = [
        AddIndexConcurrently(
            "record",
            models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["ended_at", "entry"],
                include=("channel", "used_at"),
                name="consents_record_ended",
            ),
        ),
        AddIndexConcurrently(
            "record",
            models.Index(
                condition=models.Q(("channel", "phone"), ("used_at__isnull", False)),
                fields=["used_at", "entry"],
                include=("ended_at",),
                name="consents_record_called",
            ),
        ),
        RemoveIndexConcurrently("record", "consents_record_due"),
        RemoveIndexConcurrently("record", "consents_record_due_tel"),
    ]
