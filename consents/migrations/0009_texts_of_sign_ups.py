"""Opt-ins that wait hold the texts of their page; the newsletter form is the sign-up page, and one place."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def one_place(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What was due at the newsletter form is due on the sign-up page, but for wordings, which stand there anyway."""
    rows = apps.get_model("consents", "Placement").objects.using(schema_editor.connection.alias)
    there = rows.filter(place="sign_up").values("text")
    rows.filter(place="newsletter").exclude(text__in=there).exclude(text__kind="consent").update(place="sign_up")
    rows.filter(place="newsletter").delete()


class Migration(migrations.Migration):
    dependencies = [("consents", "0008_fresh_from")]

    operations = [
        migrations.AddField(
            model_name="pendingoptin",
            name="texts",
            field=models.JSONField(blank=True, default=list, verbose_name="texts accepted or shown"),
        ),
        migrations.RunPython(one_place, migrations.RunPython.noop, elidable=True),
    ]
