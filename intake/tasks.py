"""What workers do for imports; which batch and how far stands in the database."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.db.models import Q

from intake.models import Batch
from intake.running import give_up, work_on
from intake.storage import older_files

# A file is stored before its batch is: a younger one may belong to an upload that has not ended.
ORPHAN_AGE = timedelta(days=1)


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
    """Delete files after their last day, and those no batch names; beat asks every night."""
    for batch in Batch.objects.with_expired_files()[:1000]:
        batch.discard_files()
    storage = Batch._meta.get_field("file").storage
    for name in older_files(storage, ORPHAN_AGE):
        if not Batch.objects.filter(Q(file=name) | Q(lines_file=name)).exists():
            storage.delete(name)
