from django.apps import AppConfig
from django.core import checks
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, post_save, pre_save


class VaultConfig(AppConfig):
    name = "vault"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from vault import proof, saving
        from vault.checks import check_blind_indexes
        from vault.keyring import keyring

        keyring()  # without usable keys nothing starts
        checks.register(check_blind_indexes, checks.Tags.models)
        connection_created.connect(proof.on_connect)
        post_migrate.connect(proof.after_migrate, sender=self)
        pre_save.connect(saving.before_save)
        post_save.connect(saving.after_save)
