"""What may be done with a person's data, and the proof of it: purposes, wordings, the ledger of consents."""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """`consents.may` is the door of this app; it needs the models, which are not there while the app loads.

    The offline verifier lives in this package too and must not load Django.
    """
    if name == "may":
        return import_module("consents.deciding").may
    raise AttributeError(name)
