"""Has a worker prove its keys before it takes a task; imported when a worker starts."""

from typing import Any

from celery.signals import celeryd_after_setup

from vault.proof import WrongKeys, verify_keys


@celeryd_after_setup.connect
def prove_keys(**_: Any) -> None:
    """End the worker when its keys do not belong to the database (a signal swallows ordinary exceptions)."""
    try:
        verify_keys()
    except WrongKeys as refusal:
        raise SystemExit(str(refusal)) from refusal
