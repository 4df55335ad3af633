from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Files and, later, platforms coming in."""

    name = "intake"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from intake.storage import LABEL, sealed_files
        from vault.columns import register_store

        register_store(LABEL, sealed_files())
