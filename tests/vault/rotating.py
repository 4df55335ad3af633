"""A process that rotates and kills itself in the middle of its second batch, as a power cut would."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django
from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connection


class PowerCut:
    """Kills the process after the n-th UPDATE of guests, before its transaction ends."""

    def __init__(self, updates: int) -> None:
        self.left = updates

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        if sql.startswith('UPDATE "shop_guest"'):
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return result


if __name__ == "__main__":
    settings.DATABASES["default"]["NAME"] = sys.argv[1]
    django.setup()
    config = AppConfig.create("tests.vault.shop")
    config.apps, config.models = apps, apps.all_models["shop"]
    apps.app_configs["shop"] = config
    config.import_models()
    from vault.rotation import rotate_indexes, rotate_seals  # noqa: PLC0415  the apps must be loaded first

    with connection.execute_wrapper(PowerCut(2)):
        (rotate_indexes if sys.argv[2] == "index" else rotate_seals)()
