"""Lets a restriction be one of a contact person alone, beside that of the company. No row is rewritten."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0010_restricted_contact_persons"),
        ("privacy", "0013_contact_persons_and_questions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="restriction",
            name="privacy_restriction_once",
        ),
        migrations.AddField(
            model_name="restriction",
            name="contact_person",
            field=models.BigIntegerField(blank=True, editable=False, null=True, verbose_name="contact person"),
        ),
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at__isnull", True)),
                fields=("customer", "contact_person", "case"),
                name="privacy_restriction_once_each",
                nulls_distinct=False,
            ),
        ),
    ]
