"""What workers do for the staff app."""

from celery import shared_task

from staff.sessions import drop_ended


@shared_task
def drop_ended_sessions() -> None:
    """Delete sessions that have ended; beat asks every night."""
    drop_ended()
