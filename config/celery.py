"""The Celery application that `celery -A config` starts; tasks live in each app's tasks.py."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Every task asks first whether this database may be worked with.
app = Celery("obhut", task_cls="datamap.guardedtask:GuardedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def keep_what_is_loaded(**_signal: Any) -> None:
    """What is loaded stays: no collection of garbage needs to walk through it in the middle of a task."""
    gc.collect()
    gc.freeze()
