"""Whatever was told of a person: state, answer, set, past and proof are what a plain reading of the rules says.

The reading below follows domain.md 1.3, 1.10 and 2.4 alone: the last word of the person counts, and nothing of the
product's own decides in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from dateutil.relativedelta import relativedelta
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import consents
from consents.audience import allowed_among
from consents.models import Purpose, State
from consents.rebuilding import compare_states
from consents.sealing import seal_pending
from consents.verifying import verify
from customers.models import Address, ContactPoint, Customer, Suppression
from customers.stopping import stop_advertising
from customers.suppression import suppress
from tests.consents.making import say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

ONE, TWO, PHONE = "alma4711@laden.example", "zwei@laden.example", "+49301234567"
CHAINS = [
    ("newsletter", "email", ONE), ("newsletter", "email", TWO), ("newsletter", "sms", PHONE), ("phone", "phone", PHONE),
    ("feedback", "email", ONE), ("profiling", "web", ""), ("tracking", "web", ""), ("post", "post", ""),
    ("loyalty", "web", ""),
]  # fmt: skip
YES, NO = ("given", "renewed"), ("refused", "withdrawn", "revoked", "expired", "invalidated")
# Days ago, each once, so that no two things happen at one instant; the oldest lie beyond what is fresh.
_days = st.integers(1, 1_600)
WORDS = st.tuples(st.sampled_from(CHAINS), st.sampled_from([*YES, *NO, "requested", "noticed"]), st.booleans())
STORIES = st.lists(
    st.tuples(
        _days,
        st.one_of(
            st.tuples(st.just("word"), WORDS),
            st.tuples(st.just("stop"), st.none()),
            st.tuples(st.just("list"), st.sampled_from([("email", ONE), ("email", TWO), ("phone", PHONE)])),
        ),
    ),
    min_size=1,
    max_size=9,
    unique_by=lambda told: told[0],
)


class Word(NamedTuple):
    """What somebody said of one consent, and when."""

    kind: str
    at: datetime
    confirmed: bool


class Reference:
    """A plain reading of everything that was told."""

    def __init__(self) -> None:
        self.words: dict[tuple[str, str, str], list[Word]] = {}
        self.stops: list[datetime] = []
        self.listed: dict[str, datetime] = {}

    def standing(self, chain: tuple[str, str, str], at: datetime) -> Word | None:
        """The last word until then; only where nobody spoke, what was asked or told."""
        told = sorted((word for word in self.words.get(chain, []) if word.at <= at), key=lambda word: word.at)
        spoken = [word for word in told if word.kind in YES + NO]
        noticed = [word for word in told if word.kind == "noticed"]
        return (spoken or noticed or told or [None])[-1]

    def may(self, chain: tuple[str, str, str], at: datetime) -> tuple[bool, str]:
        """Yes or no, with the reason."""
        purpose, word = Purpose.objects.get(key=chain[0]), self.standing(chain, at)
        if word and word.kind in NO:
            return False, word.kind
        if purpose.advertising:
            stop = max((one for one in self.stops if one <= at), default=None)
            if stop and not (word and word.kind in YES and word.confirmed and word.at > stop):
                return False, "objected"
            if (since := self.listed.get(chain[2])) and since <= at:
                return False, "suppressed"
        if word and (word.kind in YES or (word.kind == "noticed" and purpose.existing_customers)):
            if purpose.stale_months and word.at + relativedelta(months=purpose.stale_months) <= at:
                return False, "stale"
            return True, "consent" if word.kind in YES else "existing_customer"
        if purpose.basis != "consent":
            return True, purpose.basis
        return False, "requested" if word and word.kind == "requested" else "never_asked"


@contextmanager
def somebody() -> Iterator[Customer]:
    """A person with two addresses and a number, of whom nothing is left afterwards."""
    with transaction.atomic():
        here = transaction.savepoint()
        person = make_person("4711")
        ContactPoint.objects.create(customer=person, kind="email", value=TWO)
        Address.objects.create(customer=person, street="Am Deich 4", postcode="20095", city="Hamburg")
        yield person
        transaction.savepoint_rollback(here)


def told(person: Customer, reference: Reference, story: list[Any]) -> None:
    """Tell it all, in the order of the list whenever it happened."""
    now = timezone.now().replace(microsecond=0)
    for days, (what, said) in story:
        at = now - timedelta(days=days)
        if what == "word":
            chain, kind, confirmed = said
            purpose, channel, endpoint = chain
            confirmed = confirmed and kind in YES
            say(person, kind, purpose, channel=channel, endpoint=endpoint, at=at, late=True, confirmed=confirmed)
            reference.words.setdefault(chain, []).append(Word(kind, at, confirmed))
        elif what == "stop":
            stop_advertising([person.pk], at)
            reference.stops.append(at)
        else:
            suppress(*said, reason=Suppression.Reason.UNSUBSCRIBED, since=at)
            reference.listed[said[1]] = min(at, reference.listed.get(said[1], at))


@settings(max_examples=8, suppress_health_check=list(HealthCheck), deadline=None)
@given(story=STORIES)
def test_everything_says_what_a_plain_reading_says(story: list[Any]) -> None:
    reference = Reference()
    with somebody() as person:
        told(person, reference, story)
        now = timezone.now()
        for chain in CHAINS:
            decision, word = consents.may(person, *chain), reference.standing(chain, now)
            assert (decision.allowed, decision.reason) == reference.may(chain, now), (chain, word)
            state = State.objects.filter(purpose__key=chain[0], channel=chain[1], endpoint_index=chain[2] or None)
            stands = list(state.values_list("state", "confirmed"))
            assert stands == ([(word.kind, word.confirmed)] if word else []), chain
        for purpose in Purpose.objects.filter(basis="consent"):
            for channel in {chain[1] for chain in CHAINS if chain[0] == purpose.key}:
                wanted = any(reference.may(one, now)[0] for one in CHAINS if one[:2] == (purpose.key, channel))
                assert bool(allowed_among([person.pk], purpose, channel)) == wanted, (purpose.key, channel)
        moments = {now - timedelta(days=days) for days, _what in story}
        for at in sorted(moment + timedelta(hours=hours) for moment in moments for hours in (-1, 1)):
            for chain in {CHAINS[0], *reference.words}:
                decision = consents.may(person, *chain, at=at)
                assert (decision.allowed, decision.reason) == reference.may(chain, at), (chain, at)
        assert compare_states().ok, compare_states()
        seal_pending()
        assert verify().ok
