"""Wires the desk."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The staff's desk: dashboard, customer list, search, the customer page."""

    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from datamap.accesslog import name_pages
        from datamap.ending import register_ending
        from portal.leaving import end_views

        # A view that colleagues share is about nobody once its owner has no name.
        register_ending("portal.SavedView", end_views, still="r.shared_at IS NULL")
        name_pages(
            {
                "customer_detail": _("Customer"),
                "customer_timeline": _("Timeline"),
                "customer_history": _("Changes"),
                "customer_export": _("Export of a list"),
            }
        )
