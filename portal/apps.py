"""Wires the desk."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The staff's desk: dashboard, customer list, search, the customer page."""

    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from datamap.accesslog import name_pages

        name_pages(
            {
                "customer_detail": _("Customer"),
                "customer_timeline": _("Timeline"),
                "customer_history": _("Changes"),
                "customer_export": _("Export of a list"),
            }
        )
