"""A small app that replays erasures by deleting the person: what the restored database of a test needs."""

from typing import Any

from django.apps import AppConfig


def erase(payload: Any) -> str:
    """Delete the customer of the payload with everything that hangs on them."""
    from customers.models import Customer

    deleted, _models = Customer.objects.unrestricted().filter(pk=payload["person"]).delete()
    return "replayed" if deleted else "already"


class EraserConfig(AppConfig):
    """Registers the handler."""

    name = "tests.datamap.eraser"
    label = "eraser"

    def ready(self) -> None:
        from datamap.journal import register_replay

        register_replay("erasure", erase)
