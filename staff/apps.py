"""Wires the staff app: after each `migrate` the matrix of roles gets the cells it lacks."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    """Who works here."""

    name = "staff"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from allauth.mfa.signals import authenticator_added, authenticator_removed

        from staff.adapters import SEAL_LABEL
        from staff.factors import factor_added, factor_removed
        from staff.roles import sync_matrix
        from vault.columns import register_store
        from vault.stores import SealedJSONValues

        post_migrate.connect(sync_matrix, sender=self, dispatch_uid="staff.sync_matrix")
        # allauth tells of a changed second factor in no other way.
        authenticator_added.connect(factor_added, dispatch_uid="staff.factor_added")
        authenticator_removed.connect(factor_removed, dispatch_uid="staff.factor_removed")
        # A key that still seals somebody's second factor cannot be retired.
        register_store("mfa", SealedJSONValues("mfa.Authenticator", "data", SEAL_LABEL))
