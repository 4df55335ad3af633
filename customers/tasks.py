"""What beat wakes for customers; the work is done by the stories."""

from __future__ import annotations

from celery import shared_task

from customers.indexing import recount_words
from customers.postal import note_marks


@shared_task
def recount_search_words() -> int:
    """Bring the dictionary of words up to date and drop words nobody carries any more."""
    return recount_words()


@shared_task
def note_postal_marks() -> int:
    """Have new and changed addresses ready for the question whom the suppression list stops by post."""
    return note_marks()
