"""Finds what is kept under the mark of an erasure: a tombstone stays until the last such row is gone."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

MARKED = models.Q(subject_ref__isnull=False)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("privacy", "0007_unanswered_requests")]

    operations = [
        AddIndexConcurrently(model, models.Index(fields=["subject_ref"], condition=MARKED, name=f"privacy_{model}_ref"))
        for model in ("request", "restriction", "hold")
    ]
