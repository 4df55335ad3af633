"""Keeps who had received what of a person by what happens every day, when the person is erased (C-553/07)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from privacy.models import Disclosure
from privacy.recipients import recipients_of


@transaction.atomic
def keep_standing(refs: Mapping[int, UUID]) -> int:
    """Write down what follows from the rows of persons who are about to be erased, under their pseudonyms.

    `refs` are customer ids with their `subject_ref`. Afterwards the rows are gone and nobody could say any more who
    had received what (C-553/07). Call it in the transaction that removes them. Idempotent; answers how many entries
    were written.
    """
    known = Disclosure.archive.filter(subject_ref__in=refs.values(), origin=Disclosure.Origin.STANDING)
    written = set(known.values_list("subject_ref", "recipient_id", "data"))
    now = timezone.now()
    rows = [
        Disclosure(
            recipient=told.recipient, subject_ref=refs[person], blocked_at=now, at=told.last_at, data=told.data,
            purpose=told.purpose, basis=told.basis, origin=Disclosure.Origin.STANDING, country=told.country,
            safeguard=told.safeguard,
        )
        for person, received in recipients_of(list(refs)).items() for told in received
        if told.origin == Disclosure.Origin.STANDING and told.disclosure_id is None
        and (refs[person], told.recipient.pk, told.data) not in written
    ]  # fmt: skip
    return len(Disclosure.archive.bulk_create(rows))
