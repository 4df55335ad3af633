"""A copy of an identity card goes with its check: the row that would say when is gone by then."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("privacy", "0008_marks_found")]

    operations = [
        migrations.RemoveIndex("identitycopy", "privacy_identitycopy_checked"),
        migrations.RemoveField("identitycopy", "checked_at"),
    ]
