"""Finds blocked contacts and complaints by their mark."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

MARKED = models.Q(subject_ref__isnull=False)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("interactions", "0002_blocked_rows")]

    operations = [
        AddIndexConcurrently(model, models.Index(fields=["subject_ref"], condition=MARKED, name=f"interactions_{name}"))
        for model, name in (("complaint", "complaint_ref"), ("interaction", "ref"))
    ]
