"""Wires the desk."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The staff's desk: dashboard, customer list, search, the customer page."""

    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"
