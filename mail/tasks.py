"""What workers do for the outbox; which mail and how far stands in the database."""

from __future__ import annotations

from celery import shared_task

from mail.delivering import deliver_due
from mail.enclosing import drop_orphans
from mail.events import work_off_events

AT_ONCE = 200


@shared_task
def deliver() -> None:
    """Send what is due; beat asks every minute, and whoever queues a mail at once."""
    if deliver_due(AT_ONCE) == AT_ONCE:
        deliver.delay()


@shared_task
def work_off() -> None:
    """Take in what providers reported; beat asks every minute."""
    while work_off_events(AT_ONCE) == AT_ONCE:
        pass


@shared_task
def drop_orphan_files() -> None:
    """Delete enclosures whose letter was never saved; beat asks every night."""
    drop_orphans()
