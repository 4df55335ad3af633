"""Notes what went to a recipient about a person, also of somebody who was erased since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import tombstones
from customers.models import Customer
from privacy import latecomers
from privacy.models import Disclosure, Erasure, Recipient
from privacy.recipients import is_third_country
from staff.models import User


class DisclosureRefused(ValueError):
    """What cannot be noted like that; `field` says what is wrong."""

    def __init__(self, field: str, text: str) -> None:
        self.field = field
        super().__init__(text)


@transaction.atomic
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

    What was corrected or restricted after the data went out is told to the recipient now (Art. 19). Atomic. Raises
    DisclosureRefused: an instant that has not come yet, a third country without a safeguard (Art. 44).
    """
    when = _instant(recipient, at)
    people = list(customers)
    # Whoever corrects or restricts at the same time has the person locked: one of the two tells the recipient.
    locked = Customer.objects.select_for_update(no_key=True).filter(pk__in=[one.pk for one in people])
    list(locked.order_by("pk").values_list("pk"))
    said = {"data": data, "purpose": purpose, "basis": basis, "origin": origin, "note": note, "noted_by": by}
    rows = Disclosure.archive.bulk_create(_row(recipient, when, said, customer=customer) for customer in people)
    latecomers.tell(recipient, {one.pk: when for one in people})
    return rows


@dataclass(frozen=True)
class Ended:
    """Somebody whom the night ended: there is no receipt, only the mark and when it was."""

    subject_ref: UUID
    at: datetime


def ended_under(subject_ref: UUID) -> Ended | None:
    """The person whom the night ended under this mark; None for one whose erasure was asked for, and for no mark."""
    at = tombstones.erased_at(subject_ref)
    if at is None or Erasure.objects.filter(subject_ref=subject_ref).exists():
        return None
    return Ended(subject_ref, at)


@transaction.atomic
def note_of_erased(
    gone: Erasure | Ended,
    recipient: Recipient,
    *,
    known_by: str,
    data: str,
    purpose: str,
    basis: str,
    at: datetime,
    note: str = "",
    by: User | None = None,
) -> Disclosure:
    """Note under the pseudonym what somebody had received of a person who is erased, or whom the night ended; atomic.

    Who received it before the erasure is told of that (Art. 19). `known_by`: by what the recipient finds the person; it
    goes once the recipient knows. Raises DisclosureRefused as `note_disclosure`, and for what went out later.
    """
    when = _instant(recipient, at)
    since = gone.started_at if isinstance(gone, Erasure) else gone.at
    if since is None or when >= since:
        raise DisclosureRefused("at", _("By then the person was erased."))
    said = {"data": data, "purpose": purpose, "basis": basis, "note": note, "noted_by": by}
    under = {"subject_ref": gone.subject_ref, "blocked_at": timezone.now()}
    row = Disclosure.archive.bulk_create([_row(recipient, when, said, **under)])[0]
    erasure = gone if isinstance(gone, Erasure) else None
    latecomers.tell_of_erasure(recipient, gone.subject_ref, erasure, known_by)
    return row


def _instant(recipient: Recipient, at: datetime | None) -> datetime:
    """The instant of a disclosure; refuses what cannot be or must not be."""
    when = at or timezone.now()
    if when > timezone.now():
        raise DisclosureRefused("at", _("This lies in the future."))
    if is_third_country(recipient.country) and not recipient.safeguard:
        raise DisclosureRefused(
            "recipient", _("This recipient sits in a third country without a safeguard (Art. 44 GDPR).")
        )
    return when


def _row(recipient: Recipient, when: datetime, said: dict[str, Any], **whose: Any) -> Disclosure:
    return Disclosure(
        recipient=recipient, at=when, country=recipient.country, safeguard=recipient.safeguard, **said, **whose
    )
