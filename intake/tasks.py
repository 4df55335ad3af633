"""What workers do for imports; which batch and how far stands in the database."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from intake.models import Batch
from intake.running import give_up, work_on


@shared_task
def work_on_batch(batch_id: str) -> None:
    """Check, run or undo one batch."""
    work_on(UUID(batch_id))


@shared_task
def resume_batches() -> None:
    """Wake a worker for every batch that nobody is working on; beat asks every minute."""
    for batch in Batch.objects.resumable().order_by("created_at")[:100]:
        if batch.file or batch.state == Batch.State.UNDOING:
            work_on_batch.delay(str(batch.pk))
        else:
            give_up(batch)


@shared_task
def expire_files() -> None:
    """Delete files after their last day; beat asks every night."""
    for batch in Batch.objects.with_expired_files()[:1000]:
        batch.discard_files()
