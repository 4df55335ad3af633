"""What beat wakes for the operation of the house."""

import time

from celery import shared_task
from django.core.cache import cache

from ops.backing_up import rotate
from ops.examining import PULSE


@shared_task
def pulse() -> None:
    """Note that beat and a worker live; `doctor` reads it."""
    cache.set(PULSE, int(time.time()), None)


@shared_task
def rotate_backups() -> None:
    """End the backups that are past their last day."""
    rotate()
