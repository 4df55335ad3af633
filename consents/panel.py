"""What may be done with one customer's data, purpose by purpose: state, source and wording, and the answer in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consents.deciding import Decision, Facts, Use, decide, post_stopped
from consents.events import WITH_ENDPOINT, Channel, Kind
from consents.models import LegalTextVersion, Purpose, State
from consents.texts import versions_shown
from customers.models import ContactPoint, Customer, Flag
from customers.postal import stopped_by_post
from customers.reading import spaced
from customers.suppression import first_days, hashes_of
from datamap.preparing import Standing, ask

_PURPOSES = Standing(lambda _none: Purpose.objects.all())
_STATES: Standing[Any] = Standing(
    lambda pk: State.objects.filter(customer=pk).annotate(text_sha256=F("entry__text_sha256"))
)
SHOWN = 20
"""More addresses or numbers than this are not listed; the customer page does the same."""


@dataclass(frozen=True)
class Endpoint:
    """An address or number of the customer: `id` of the contact point, None where it is none of theirs any more."""

    id: int | None
    kind: str
    value: str
    index: bytes


@dataclass(frozen=True)
class Line:
    """One consent: a purpose on a channel, for one endpoint where the channel has them."""

    purpose: Purpose
    channel: str
    endpoint: Endpoint | None
    state: State | None
    decision: Decision
    wording: LegalTextVersion | None = None

    @property
    def channel_label(self) -> Any:
        """The channel in words."""
        return Channel(self.channel).label

    @property
    def use(self) -> str:
        """Purpose and channel in words."""
        return self.purpose.on(self.channel)

    @property
    def value(self) -> str:
        """The address or number, "" on channels without any."""
        return self.endpoint.value if self.endpoint else ""

    @property
    def label(self) -> str:
        """Channel and endpoint in words."""
        return f"{self.channel_label}: {spaced(self.value)}" if self.value else str(self.channel_label)

    @property
    def key(self) -> str:
        """How forms and addresses name this line of its purpose: no address and no number stands in it."""
        if self.endpoint is None:
            return self.channel
        if self.endpoint.id is not None:
            return f"{self.channel}.{self.endpoint.id}"
        return f"{self.channel}.s{self.state.pk}" if self.state else self.channel

    @property
    def can_be_told(self) -> bool:
        """Whether something can be taken down about it: a channel in use, and an endpoint that is the customer's."""
        usable = self.decision.reason not in ("no_endpoint", "wrong_channel", "retired")
        # A number that nobody can read is no endpoint: neither a list nor a mail would know it again.
        return usable and (self.endpoint is None or (self.endpoint.id is not None and bool(self.endpoint.index)))

    @property
    def is_told(self) -> bool:
        """Whether the person has said anything, was told something at a sale, or may object."""
        return self.state is not None or self.purpose.basis == Purpose.Basis.INTERESTS

    @property
    def is_refused(self) -> bool:
        """Whether something that was said, or the law, stands against it."""
        return not self.decision.allowed and self.decision.reason not in QUIET

    @property
    def chip(self) -> tuple[str, Any]:
        """Tone and words of the mark: what holds, and what the person said where that is something else."""
        reason = self.decision.reason
        if self.decision.allowed:
            return "", _("allowed")
        if reason in ("requested", "stale"):
            return "warn", _("waits for confirmation") if reason == "requested" else _("stale")
        if reason in QUIET:
            return "plain", _("not asked") if reason == "never_asked" else _("not used")
        if self.state is not None and reason == Kind.LAPSED:
            return "plain", self.state.get_state_display()
        said_no = self.state is not None and self.state.state == reason
        return "stop", self.state.get_state_display() if self.state and said_no else _("not allowed")

    @property
    def may_end(self) -> bool:
        """Whether there is something to withdraw or to object to."""
        if self.state is not None and self.state.granted:
            return True
        return self.decision.allowed and self.purpose.basis == Purpose.Basis.INTERESTS

    @property
    def asks_opt_in(self) -> bool:
        """Whether the person would be asked by a confirmation mail."""
        return needs_confirmation(self.purpose, self.channel) and self.decision.reason in ASKABLE


ASKABLE = frozenset({"never_asked", "requested", "lapsed", "stale", "expired"})
"""Answers after which the shop may ask: whoever has said no, is asked no more."""


QUIET = frozenset({"never_asked", "no_endpoint", "wrong_channel", "retired"})
"""Answers behind which nobody stands who has said no."""


def needs_confirmation(purpose: Purpose, channel: str) -> bool:
    """Whether a yes counts only once it was confirmed from the address itself."""
    return purpose.double_opt_in and channel == Channel.EMAIL


def panel_of(customer: Customer, points: Sequence[ContactPoint] | None = None) -> list[Line]:
    """Every consent that there is or could be, by purpose; a fixed number of queries, the answers those of `may`.

    `points` are the customer's contact points where the page has read them already, the first one first.
    """
    purposes = _PURPOSES()
    endpoints = endpoints_of(customer) if points is None else _as_endpoints(points)
    states = {
        (state.purpose_id, state.channel, bytes(state.endpoint_index or b"")): state for state in _STATES(customer.pk)
    }
    person = _Person(customer, endpoints)
    wordings = versions_shown(state.text_sha256 for state in states.values())
    lines = []
    for purpose in purposes:
        for channel in _channels(purpose, states):
            own = _endpoints_for(channel, endpoints, states, purpose)
            lines += [_line(purpose, channel, one, states, person, wordings) for one in own]
    return lines


def endpoints_of(customer: Customer) -> list[Endpoint]:
    """The addresses and numbers of a customer, the first one first."""
    return _as_endpoints(ContactPoint.objects.filter(customer=customer).order_by("-is_primary", "pk")[:SHOWN])


def _as_endpoints(points: Iterable[ContactPoint]) -> list[Endpoint]:
    return [Endpoint(point.pk, point.kind, point.value, bytes(point.whole_index or b"")) for point in points]


def kind_of(channel: str) -> str:
    """Which kind of contact point a channel reaches."""
    return ContactPoint.Kind.EMAIL if channel == Channel.EMAIL else ContactPoint.Kind.PHONE


def _channels(purpose: Purpose, states: dict[Any, State]) -> list[str]:
    """Those of the purpose, none once it is retired, and those on which something was said all the same."""
    told = {channel for purpose_id, channel, _index in states if purpose_id == purpose.pk}
    used = [] if purpose.retired_at else list(purpose.channels)
    return [*used, *sorted(told - set(used))]


def _endpoints_for(
    channel: str, endpoints: list[Endpoint], states: dict[Any, State], purpose: Purpose
) -> list[Endpoint | None]:
    if channel not in WITH_ENDPOINT:
        return [None]
    found: list[Endpoint | None] = [one for one in endpoints if one.kind == kind_of(channel)]
    known = {one.index for one in found if one}
    for (purpose_id, told, index), state in states.items():
        if (purpose_id, told) == (purpose.pk, channel) and index not in known:
            found.append(Endpoint(None, kind_of(channel), state.endpoint or "", index))
    return found or [None]


def _line(
    purpose: Purpose,
    channel: str,
    endpoint: Endpoint | None,
    states: dict[Any, Any],
    person: _Person,
    wordings: dict[str, tuple[LegalTextVersion, str]],
) -> Line:
    state = states.get((purpose.pk, channel, endpoint.index if endpoint else b""))
    shown = wordings.get(state.text_sha256) if state else None
    return Line(purpose, channel, endpoint, state, person.decide(purpose, channel, endpoint, state),
                shown[0] if shown else None)  # fmt: skip


_PERSON = """
SELECT (SELECT k.advertising_stopped_at FROM customers_summary k WHERE k.customer_id = %s),
    EXISTS (SELECT 1 FROM customers_flag f WHERE f.customer_id = %s AND f.kind = %s AND f.lifted_at IS NULL)
"""


class _Person:
    """What stands for or against a customer, read once for all purposes."""

    def __init__(self, customer: Customer, endpoints: list[Endpoint]) -> None:
        self.customer, self.now = customer, timezone.now()
        ((self.stopped_at, self.minor),) = ask(_PERSON, [customer.pk, customer.pk, Flag.Kind.MINOR])
        self.suppressed = _suppressed(endpoints)

    def decide(self, purpose: Purpose, channel: str, endpoint: Endpoint | None, state: Any) -> Decision:
        """As `may` answers."""
        if purpose.retired_at is not None:
            return Decision(False, "retired", purpose.retired_at)
        if channel not in purpose.channels:
            return Decision(False, "wrong_channel")
        if channel in WITH_ENDPOINT and endpoint is None:
            return Decision(False, "no_endpoint")
        facts = Facts(
            there=True,
            restricted_at=self.customer.restricted_at,
            deactivated_at=self.customer.deactivated_at,
            stopped_at=self.stopped_at,
            minor=self.minor,
            theirs=endpoint is None or endpoint.id is not None,
            suppressed_since=self._suppressed_since(channel, endpoint),
            state=state.state if state else None,
            since=state.since if state else None,
            confirmed=state.confirmed if state else None,
            entry=state.entry_id if state else None,
            wording=state.text_sha256 if state else None,
            fresh_until=state.fresh_until if state else None,
        )
        if channel == Channel.POST and purpose.advertising:
            facts = facts._replace(suppressed_since=post_stopped(self._listed_by_post, facts))
        return decide(_use_of(purpose), channel, facts, self.now)

    @cached_property
    def _listed_by_post(self) -> datetime | None:
        """Asked once for all purposes, and only where one uses the post."""
        return stopped_by_post([self.customer.pk]).get(self.customer.pk)

    def _suppressed_since(self, channel: str, endpoint: Endpoint | None) -> datetime | None:
        if endpoint is None:
            return None
        if endpoint.id is None:
            return _suppressed([endpoint]).get(endpoint.index)
        return self.suppressed.get(endpoint.index)


def _suppressed(endpoints: list[Endpoint]) -> dict[bytes, datetime]:
    """By index, since when an endpoint stands on the list; one query."""
    marks = {mark: one.index for one in endpoints for mark in hashes_of(one.kind, one.value)}
    found: dict[bytes, datetime] = {}
    for mark, day in first_days(marks).items():
        index = marks[mark]
        found[index] = min(day, found.get(index, day))
    return found


def _use_of(purpose: Purpose) -> Use:
    return Use(
        purpose.pk,
        purpose.basis,
        purpose.channels,
        purpose.advertising,
        purpose.existing_customers,
        bool(purpose.minimum_age),
        purpose.stale_months,
        purpose.retired_at,
    )
