from django.apps import AppConfig


class DatamapConfig(AppConfig):
    name = "datamap"
    default_auto_field = "django.db.models.BigAutoField"
