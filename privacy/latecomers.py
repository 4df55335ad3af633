"""Recipients who are entered late: who had the data before a change is told of it all the same (Art. 19 GDPR).

Who received the data afterwards received them as they stand, and is told nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from customers.models import Customer
from privacy.models import Erasure, Notice, Recipient, Rectification, Request, Restriction
from privacy.notices import corrected, queue_notices, restricted
from privacy.recipients import recipients_of, save_recipient

PAGE = 1_000


@transaction.atomic
def enter_recipient(recipient: Recipient, *, version: int | None) -> bool:
    """`save_recipient`, and tell the recipient what changed since it was handed data day by day."""
    if not save_recipient(recipient, version=version):
        return False
    for ids in _changed_people():
        # No change of these persons slips through between the look and the notice.
        list(Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
        received = {
            person: min(mine)
            for person, rows in recipients_of(ids).items()
            if (mine := [told.first_at for told in rows if told.recipient.pk == recipient.pk])
        }
        tell(recipient, received)
    return True


def tell(recipient: Recipient, received: Mapping[int, datetime]) -> int:
    """Put on the list what of these persons was changed after this recipient `received` their data (id -> first time),
    and what it was not told. Answers how many notices are new; idempotent. The caller has the persons locked.
    """
    if not recipient.is_told or not received:
        return 0
    told, new = _told(recipient, received), 0
    for kind, customer_id, request, what in (*_corrections(received, told), *_restrictions(received, told)):
        new += queue_notices(kind, customer_id, None, request, what=what, only=recipient)
    return new


def tell_of_erasure(recipient: Recipient, subject_ref: UUID, erasure: Erasure | None, known_by: str) -> int:
    """Put the erasure of a person on the list for a recipient who had their data before, once; without an `erasure`
    the night ended the person."""
    kind = Notice.Kind.ERASURE
    knows = Notice.archive.filter(recipient=recipient, kind=kind, subject_ref=subject_ref)
    if not recipient.is_told or (erasure is None and knows.exists()):
        return 0
    request = erasure.request if erasure else None
    return queue_notices(kind, None, subject_ref, request, erasure, what=known_by, only=recipient)


_Told = Mapping[tuple[int, str, int | None], datetime]
"""(customer, kind, request) -> when this recipient was told last, or will be."""
_News = tuple[str, int, Request | None, str]
"""Kind, customer, request and what to tell."""


def _told(recipient: Recipient, received: Mapping[int, datetime]) -> _Told:
    rows = Notice.archive.filter(recipient=recipient, customer__in=list(received)).order_by("queued_at")
    return {(row.customer_id, row.kind, row.request_id): row.queued_at for row in rows}  # type: ignore[misc]


def _corrections(received: Mapping[int, datetime], told: _Told) -> Iterator[_News]:
    kind = Notice.Kind.RECTIFICATION.value
    applied = Rectification.objects.filter(
        request__customer__in=list(received), state=Rectification.State.APPLIED, decided_at__isnull=False
    )
    # One field may have been corrected under several requests; the last word counts.
    last = {(one.request.customer_id, one.field): one for one in applied.select_related("request").order_by("pk")}
    news: dict[tuple[int, int], list[Rectification]] = defaultdict(list)
    for (customer_id, _field), one in last.items():
        assert customer_id is not None and one.decided_at is not None  # as filtered
        known = told.get((customer_id, kind, one.request_id))
        if one.decided_at > received[customer_id] and (known is None or known < one.decided_at):
            news[customer_id, one.request_id].append(one)
    for (customer_id, _request), changes in news.items():
        yield kind, customer_id, changes[-1].request, corrected(changes)


def _restrictions(received: Mapping[int, datetime], told: _Told) -> Iterator[_News]:
    """Those that stand: of one that has ended the recipient needs to know nothing any more."""
    kind = Notice.Kind.RESTRICTION.value
    standing = Restriction.objects.filter(customer__in=list(received), lifted_at__isnull=True)
    for one in standing.select_related("request").order_by("pk"):
        assert one.customer_id is not None  # as filtered
        if one.since > received[one.customer_id] and (one.customer_id, kind, one.request_id) not in told:
            yield kind, one.customer_id, one.request, restricted(one)


def _changed_people() -> Iterator[list[int]]:
    """Persons whose data were corrected or are restricted, in pages by their ids."""
    after = 0
    while True:
        applied = Rectification.objects.filter(state=Rectification.State.APPLIED, request__customer__gt=after)
        standing = Restriction.objects.filter(lifted_at__isnull=True, customer__gt=after)
        people = applied.values_list("request__customer").union(standing.values_list("customer"))
        ids = [pk for (pk,) in people.order_by("request__customer")[:PAGE]]
        if not ids:
            return
        yield ids
        after = ids[-1]
