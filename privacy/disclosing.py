"""Notes what went to a recipient about a person, and keeps it under the pseudonym when the person is erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer
from privacy.models import Disclosure, Recipient
from privacy.recipients import is_third_country, recipients_of
from staff.models import User


class DisclosureRefused(ValueError):
    """What cannot be noted like that; `field` says what is wrong."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


def note_disclosure(
    recipient: Recipient,
    customers: Iterable[Customer],
    *,
    data: str,
    purpose: str,
    basis: str,
    at: datetime | None = None,
    origin: str = Disclosure.Origin.HAND,
    note: str = "",
    by: User | None = None,
) -> list[Disclosure]:
    """Note that data of these persons went to a recipient; country and safeguard are kept as they are today.

    Atomic. Raises DisclosureRefused: an instant that has not come yet, a third country without a safeguard (Art. 44).
    """
    when = at or timezone.now()
    if when > timezone.now():
        raise DisclosureRefused("at", _("This lies in the future."))
    if is_third_country(recipient.country) and not recipient.safeguard:
        raise DisclosureRefused(
            "recipient", _("This recipient sits in a third country without a safeguard (Art. 44 GDPR).")
        )
    rows = [
        Disclosure(
            recipient=recipient, customer=customer, at=when, data=data, purpose=purpose, basis=basis, origin=origin,
            country=recipient.country, safeguard=recipient.safeguard, note=note, noted_by=by,
        )
        for customer in customers
    ]  # fmt: skip
    return Disclosure.archive.bulk_create(rows)


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
