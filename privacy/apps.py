"""Wires the rights of people over everything the floors below hold."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """Requests, erasure, packages, retention runs, accountability."""

    name = "privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from datamap import standing
        from privacy.alerts import register_alerts
        from privacy.holding import holds_on

        standing.register_holds(holds_on)
        register_alerts()
