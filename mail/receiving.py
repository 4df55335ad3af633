"""Takes in what anymail reads from providers' webhooks."""

from __future__ import annotations

from typing import Any

from anymail.signals import AnymailTrackingEvent

from mail.events import store_event
from mail.tasks import work_off
from mail.waking import wake_once


def receive(sender: Any, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """Store the report and wake a worker: a provider waits no longer than that."""
    if store_event(event, esp_name):
        wake_once(_work_off_soon)


def _work_off_soon() -> None:
    work_off.delay()
