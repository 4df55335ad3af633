"""A confirmed consent ends what stands on the suppression list against its address or number, and nothing else.

An e-mail address is confirmed by its link (`opting_in`). Whose a number or a letter box is no link tells: there it is
what the person has signed since the no, with its scan (`taking`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import QuerySet

from consents.events import Source
from consents.models import State
from consents.withdrawing import end_states
from customers import suppression
from customers.models import Customer, Summary, Suppression, SuppressionMention


def end_entries(channel: str, endpoint: str, given: Collection[int]) -> None:
    """End the entries against this endpoint, and with them each older consent that would come back.

    In the caller's transaction. `given`: the entries of the ledger by which the person has agreed now, younger than any
    no whatever the clocks say. The person has agreed to what was asked for now, and to nothing that a no has stopped
    since. Of whomever it is, and whatever else stops it now: the list is about the address or number. What an objection
    of its own person stops stays with that, which can still turn out to be somebody else's. An erasure is a no to what
    was told afterwards of the time before it, as by an old file; others at the address have not said it.
    """
    said, erased = last_no(channel, endpoint), _last(channel, endpoint, [Suppression.Reason.ERASURE])
    suppression.end(channel, endpoint)
    older = State.objects.filter(
        mark__in=suppression.hashes_of(channel, endpoint), granted=True, purpose__advertising=True
    ).exclude(entry__in=given)
    if said is not None:
        stopped = older.filter(since__lt=said[0])
        if said[1] == Suppression.Reason.OBJECTION:
            stopped = stopped.exclude(customer__summary__advertising_stopped_at__gte=said[0])
        _end(stopped, *said)
    if erased is not None:
        _end(older.filter(since__lt=erased[0], late=True, entry__ts__gt=erased[0]), *erased)


def _end(states: QuerySet[State], at: datetime, why: str) -> None:
    found = list(states.select_related("purpose", "customer").order_by("customer"))
    end_states(found, source=Source.SYSTEM, actor="system", told={state.pk: at for state in found},
               evidence={"list": why}, suppressing=False)  # fmt: skip


def last_no(channel: str, endpoint: str) -> tuple[datetime, str] | None:
    """When somebody last said no to advertising at this endpoint, as the list has it now, and how."""
    return _last(channel, endpoint, suppression.WORDS_OF_PEOPLE)


def _last(channel: str, endpoint: str, reasons: Iterable[str]) -> tuple[datetime, str] | None:
    marks = suppression.hashes_of(channel, endpoint)
    entries = Suppression.objects.filter(endpoint__in=marks, scope=suppression.ADVERTISING, ended_at__isnull=True)
    beside = SuppressionMention.objects.filter(entry__in=entries)
    words = [
        *entries.filter(reason__in=list(reasons)).values_list("since", "reason"),
        *beside.filter(reason__in=list(reasons)).values_list("since", "reason"),
    ]
    return max(words, default=None)


def is_stopped(customer: Customer, channel: str, endpoint: str) -> bool:
    """Whether a spoken yes would allow no advertising here: an objection of the person, or an entry of the list."""
    objected = Summary.objects.filter(customer=customer, advertising_stopped_at__isnull=False)
    return suppression.suppressed(channel, endpoint) or objected.exists()


def spoken_since(customer: Customer, channel: str, endpoint: str, at: datetime) -> bool:
    """Whether something against advertising here is as young as that moment: an objection, or what the list has."""
    said = last_no(channel, endpoint)
    listed = Suppression.objects.filter(
        endpoint__in=suppression.hashes_of(channel, endpoint), scope=suppression.ADVERTISING, ended_at__isnull=True
    )
    objected = Summary.objects.filter(customer=customer, advertising_stopped_at__gte=at)
    return (said is not None and said[0] >= at) or listed.filter(since__gte=at).exists() or objected.exists()
