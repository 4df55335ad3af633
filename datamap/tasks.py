"""What beat wakes for the journal."""

from celery import shared_task

from datamap.keeping import keep, trim


@shared_task
def keep_journal() -> None:
    """Settle open entries and write the hour's checkpoint."""
    keep()


@shared_task
def trim_journal() -> None:
    """Drop the months of the journal that no backup can be older than."""
    trim()
