"""What workers do for imports; which batch and how far stands in the database."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from intake.models import Batch
from intake.running import work_on


@shared_task
def work_on_batch(batch_id: str) -> None:
    """Check, run or undo one batch."""
    work_on(UUID(batch_id))


@shared_task
def resume_batches() -> None:
    """Wake a worker for every batch that nobody is working on; beat asks every minute."""
    for pk in Batch.objects.resumable().exclude(file="").values_list("pk", flat=True)[:100]:
        work_on_batch.delay(str(pk))


@shared_task
def expire_files() -> None:
    """Delete files after their last day; beat asks every night."""
    for batch in Batch.objects.with_expired_files()[:1000]:
        batch.discard_files()
