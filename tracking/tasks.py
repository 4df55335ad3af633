"""What the workers do for visits: months made ahead, devices without consent cut."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from tracking import cutting, months


@shared_task
def prepare_months() -> None:
    """Make the months to come; beat wakes it every night."""
    months.make_ahead(timezone.localdate())


@shared_task
def cut_devices() -> None:
    """End devices of people without consent that nobody ended; beat wakes it every night."""
    cutting.sweep()
