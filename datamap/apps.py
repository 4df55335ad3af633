"""Wires the ground floor: finds every app's declarations, permissions and menu entries."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class DatamapConfig(AppConfig):
    """What the shop holds, why and for how long."""

    name = "datamap"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        autodiscover_modules("datamap")
        autodiscover_modules("permissions")
        autodiscover_modules("menu")
