from typing import Any

from django.db import migrations

from datamap.seed import plant


def plant_catalogue(apps: Any, schema_editor: Any) -> None:
    plant(apps.get_model("datamap", "RetentionRule"))


class Migration(migrations.Migration):
    dependencies = [("datamap", "0001_initial")]
    operations = [migrations.RunPython(plant_catalogue, migrations.RunPython.noop)]
