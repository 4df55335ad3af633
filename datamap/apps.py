"""Wires the ground floor: finds every app's declarations, permissions and menu entries, and its own check."""

from importlib import import_module
from typing import Any

from celery.signals import worker_init
from django.apps import AppConfig
from django.apps import apps as installed
from django.db import connections
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class DatamapConfig(AppConfig):
    """What the shop holds, why and for how long."""

    name = "datamap"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("datamap")
        autodiscover_modules("permissions")
        autodiscover_modules("menu")
        autodiscover_modules("packages")
        import_module("datamap.checks")
        import_module("datamap.arrays").register()
        worker_init.connect(import_module("datamap.guardedtask").refuse_start)
        versioning = import_module("datamap.versioning")
        # Which of two periods is the longer one an entry does not tell: in doubt it is not taken, and whoever got an
        # error makes the version again.
        import_module("datamap.journal").register_replay(versioning.KIND, versioning.replay_version, loosens=True)
        diagnosis = import_module("datamap.diagnosis")
        diagnosis.register_check("journal", diagnosis.check_journal)
        diagnosis.register_check("quarantine", diagnosis.check_quarantine)
        post_migrate.connect(replant_catalogue, sender=self)


def replant_catalogue(using: str, apps: Any = installed, **kwargs: Any) -> None:
    """Give an emptied database its catalogue back: `flush` empties the table, and no date can be computed
    without it."""
    from datamap.seed import plant

    try:
        rules = apps.get_model("datamap", "RetentionRule")
    except LookupError:
        return  # migrated back to before the table
    with connections[using].cursor() as cursor:
        if rules._meta.db_table not in connections[using].introspection.table_names(cursor):
            return
    if not rules._default_manager.using(using).exists():
        plant(rules)
