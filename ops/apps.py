"""Wires the top floor: what `doctor` asks about the installation."""

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """Commands that know the whole house."""

    name = "ops"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from datamap.diagnosis import register_check
        from ops import examining, filechecks

        register_check("database", examining.check_database)
        register_check("roles", examining.check_roles)
        register_check("keys", examining.check_keys)
        register_check("sealed_values", examining.check_sealed_values)
        register_check("files", filechecks.check_files)
        register_check("lists", examining.check_lists)
        register_check("broker", examining.check_broker)
        register_check("beat", examining.check_beat)
        register_check("jobs", examining.check_jobs)
        register_check("backups", examining.check_backups)
        register_check("canary", filechecks.check_canary)
