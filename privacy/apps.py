"""Wires the rights of people over everything the floors below hold."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """Requests, erasure, packages, retention runs, accountability."""

    name = "privacy"
    default_auto_field = "django.db.models.BigAutoField"
