"""Opt-ins that waited over an update keep the note of their age check: it says the limit of each purpose now."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def name_purposes(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The old note said the highest limit alone: whoever passed that one has passed each."""
    using = schema_editor.connection.alias
    purposes = apps.get_model("consents", "Purpose").objects.using(using)
    aged = {purpose.key for purpose in purposes.all() if purpose.minimum_age}
    waiting: Any = apps.get_model("consents", "PendingOptIn").objects.using(using).filter(confirmed_at__isnull=True)
    for pending in waiting.only("asked", "evidence").iterator(chunk_size=500):
        note = (pending.evidence or {}).get("age_check", {})
        if "limit" not in note:
            continue
        limits = {one["purpose"]: note["limit"] for one in pending.asked if one["purpose"] in aged}
        pending.evidence["age_check"] = {"limits": limits, "jurisdiction": note["jurisdiction"]}
        pending.save(update_fields=["evidence", "network_index"])


class Migration(migrations.Migration):
    dependencies = [("consents", "0012_versions_of_purposes")]

    operations = [migrations.RunPython(name_purposes, migrations.RunPython.noop, elidable=True)]
