from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Files and, later, platforms coming in."""

    name = "intake"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from datamap.ending import register_ending
        from intake.forgetting import forget_batches
        from intake.models import Batch
        from intake.storage import LABEL, sealed_files
        from vault.columns import register_store

        register_store(LABEL, sealed_files())
        # The counts of an import stay; what came from its file goes, once nobody works on it.
        told = "r.file <> '' OR r.lines_file <> '' OR r.failure <> ''"
        working = ", ".join(f"'{state}'" for state in Batch.WORKING)
        register_ending("intake.Batch", forget_batches, still=f"({told}) AND r.state NOT IN ({working})")
