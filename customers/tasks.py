"""What beat wakes for customers; the work is done by the stories."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from customers.claims import drop_expired_claims
from customers.indexing import recount_words
from customers.postal import note_marks
from datamap.workdays import local_date


@shared_task
def drop_claims() -> int:
    """Drop unproven opt-ins whose period is over."""
    return drop_expired_claims(local_date(timezone.now()))


@shared_task
def recount_search_words() -> int:
    """Bring the dictionary of words up to date and drop words nobody carries any more."""
    return recount_words()


@shared_task
def note_postal_marks() -> int:
    """Have new and changed addresses ready for the question whom the suppression list stops by post."""
    return note_marks()
