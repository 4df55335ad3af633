"""Whatever happened to a person: the forms of the answer agree, and what was answered once stays the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import consents
from consents.audience import allowed_among
from consents.events import WITH_ENDPOINT, Kind
from consents.models import Purpose
from consents.panel import panel_of
from consents.purposes import retire, save_purpose
from consents.rebuilding import compare_states
from consents.recording import NotRecorded
from customers.models import Address, ContactPoint, Customer, Flag, Suppression
from customers.postal import postal_key
from customers.stopping import stop_advertising, take_back
from customers.suppression import end, suppress
from tests.consents.making import say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

KINDS = [kind.value for kind in Kind if kind != Kind.ERASED]
PHONE, OTHER = "+49301234567", "zwei@laden.example"
ADDRESS = ("Am Deich 4", "20095")
# Purpose, channel and endpoint of what people speak about; "" is the channel's own.
ABOUT = [
    ("newsletter", "email", "alma4711@laden.example"), ("newsletter", "email", OTHER), ("newsletter", "sms", PHONE),
    ("phone", "phone", PHONE), ("post", "post", ""), ("profiling", "web", ""), ("tracking", "web", ""),
    ("account", "web", ""), ("letters", "post", ""), ("service", "email", OTHER),
]  # fmt: skip
LISTED = [("email", OTHER), ("email", "Alma4711@LADEN.example"), ("phone", PHONE), ("post", postal_key(*ADDRESS))]
_days = st.integers(0, 1_500)
HAPPENINGS = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(ABOUT), st.sampled_from(KINDS), _days, st.booleans(), st.booleans()),
    st.tuples(st.just("list"), st.sampled_from(LISTED), _days),
    st.tuples(st.just("unlist"), st.sampled_from(LISTED)),
    st.tuples(st.just("stop"), _days),
    st.tuples(st.just("unstop")),
    st.tuples(st.just("mark"), st.sampled_from(["restricted_at", "deactivated_at"])),
    st.tuples(st.just("minor")),
    st.tuples(st.just("contact"), st.sampled_from([("email", OTHER), ("phone", PHONE)])),
    st.tuples(st.just("purpose"), st.sampled_from([about[0] for about in ABOUT]),
              st.sampled_from(["stale", "unstale", "age", "ageless", "existing", "retire", "advertising"])),
)  # fmt: skip


class Past:
    """One person, to whom things happen; each is a method."""

    def __init__(self) -> None:
        self.person = make_person("4711")
        ContactPoint.objects.create(customer=self.person, kind="email", value=OTHER)
        Address.objects.create(customer=self.person, street=ADDRESS[0], postcode=ADDRESS[1], city="Hamburg")

    def happens(self, what: str, said: list[Any]) -> None:
        {
            "say": self.say, "list": self.list, "unlist": self.unlist, "stop": self.stop, "unstop": self.unstop,
            "mark": self.mark, "minor": self.minor, "contact": self.contact, "purpose": self.purpose,
        }[what](*said)  # fmt: skip

    def say(self, about: tuple[str, str, str], kind: str, days: int, late: bool, confirmed: bool) -> None:
        purpose, channel, endpoint = about
        at = timezone.now() - timedelta(days=days) if late else None
        try:
            say(self.person, kind, purpose, channel=channel, endpoint=endpoint, at=at, late=late, confirmed=confirmed)
        except NotRecorded:  # a channel that the purpose does not use
            assert channel not in Purpose.objects.get(key=purpose).channels

    def list(self, endpoint: tuple[str, str], days: int) -> None:
        since = timezone.now() - timedelta(days=days)
        suppress(*endpoint, reason=Suppression.Reason.UNSUBSCRIBED, since=since)

    def unlist(self, endpoint: tuple[str, str]) -> None:
        end(*endpoint)

    def stop(self, days: int) -> None:
        stop_advertising([self.person.pk], timezone.now() - timedelta(days=days))

    def unstop(self) -> None:
        if last := self.person.advertising_stops.filter(ended_at=None).order_by("-since").first():
            take_back(self.person.pk, last.since)

    def mark(self, field: str) -> None:
        person = Customer.objects.get(pk=self.person.pk)
        setattr(person, field, None if getattr(person, field) else timezone.now())
        person.save()

    def minor(self) -> None:
        now = timezone.now()
        if not Flag.objects.filter(customer=self.person, lifted_at=None).update(lifted_at=now):
            Flag.objects.create(customer=self.person, kind="minor", reason="x", review_on="2030-01-01")

    def contact(self, point: tuple[str, str]) -> None:
        kind, value = point
        known = ContactPoint.objects.filter(customer=self.person, whole_index=value).first()
        if known is None:
            ContactPoint.objects.create(customer=self.person, kind=kind, value=value)
        else:
            known.delete()

    def purpose(self, key: str, what: str) -> None:
        purpose = Purpose.objects.get(key=key)
        if what == "retire":
            retire(purpose, retired=purpose.retired_at is None)
            return
        changes: dict[str, dict[str, Any]] = {
            "stale": {"stale_months": 24},
            "unstale": {"stale_months": None},
            "age": {"minimum_age": {"DE": 16}},
            "ageless": {"minimum_age": {}},
            "existing": {"existing_customers": not purpose.existing_customers},
            "advertising": {"advertising": not purpose.advertising},
        }
        for field, value in changes[what].items():
            setattr(purpose, field, value)
        save_purpose(purpose)


Answers = dict[tuple[str, str, str], tuple[bool, str]]


def answers_of(person: Customer, at: datetime | None = None) -> Answers:
    """What `may` says about everything."""
    found = {}
    for about in ABOUT:
        said = consents.may(person, *about, at=at)
        found[about] = (said.allowed, said.reason)
    return found


def agree(person: Customer) -> None:
    """Panel and set form say what `may` says."""
    person = Customer.objects.get(pk=person.pk)
    lines = {(line.purpose.key, line.channel, line.value): line.decision for line in panel_of(person)}
    for (key, channel, value), decision in lines.items():
        assert decision == consents.may(person, key, channel, value or None), (key, channel, value)
    for purpose in Purpose.objects.filter(retired_at=None):
        for channel in purpose.channels:
            if purpose.advertising and purpose.basis != "consent" and channel in WITH_ENDPOINT:
                continue
            wanted = any(lines[line] for line in lines if line[:2] == (purpose.key, channel))
            assert bool(allowed_among([person.pk], purpose, channel)) == wanted, (purpose.key, channel)


def at_once(happening: tuple[Any, ...]) -> tuple[Any, ...]:
    """The same, told when it happens: what is told late changes what was, on purpose."""
    what, *said = happening
    if what == "say":
        said[2:4] = 0, False
    elif what in ("list", "stop"):
        said[-1] = 0
    return (what, *said)


@contextmanager
def nobody_left() -> Iterator[Past]:
    """Somebody, and two purposes more, of whom nothing is left afterwards."""
    with transaction.atomic():
        here = transaction.savepoint()
        Purpose.objects.create(key="letters", name_de="Briefe", name_en="Letters", basis="consent", channels=["post"],
                               advertising=True, stale_months=36, position=98)  # fmt: skip
        Purpose.objects.create(key="service", name_de="Dienst", name_en="Service", basis="contract",
                               channels=["email"], position=99)  # fmt: skip
        yield Past()
        transaction.savepoint_rollback(here)


POST, LETTERS = ABOUT[4], ABOUT[8]


@example([("say", POST, "given", 1_000, True, False), ("list", LISTED[3], 100)])
@example([("say", LETTERS, "given", 900, True, False), ("list", LISTED[3], 100)])
@example([("say", POST, "given", 1_000, True, False), ("purpose", "post", "stale")])
@example([("stop", 100), ("say", POST, "given", 10, True, True)])
@example([("list", LISTED[3], 100), ("say", POST, "given", 10, True, False)])
@example([("say", ("service", "email", OTHER), "refused", 10, False, False)])
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(happenings=st.lists(HAPPENINGS, min_size=1, max_size=12))
def test_all_forms_of_the_answer_agree(happenings: list[tuple[Any, ...]]) -> None:
    with nobody_left() as past:
        for what, *said in happenings:
            past.happens(what, said)
            agree(past.person)
        assert compare_states().ok


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(happenings=st.lists(HAPPENINGS.map(at_once), min_size=1, max_size=12))
def test_what_was_answered_is_answered_of_that_moment_later_on(happenings: list[tuple[Any, ...]]) -> None:
    with nobody_left() as past:
        seen = [(timezone.now(), answers_of(past.person))]
        for what, *said in happenings:
            past.happens(what, said)
            seen.append((timezone.now(), answers_of(past.person)))
        for at, answers in seen:
            assert answers_of(past.person, at) == answers
