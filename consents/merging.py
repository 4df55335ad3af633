"""What holds of consents where two records turn out to be one person; the merge itself asks for it (scenario P20).

An objection to advertising is the person's, for every address. A consent or a withdrawal is about one endpoint; where
the two records differ about a purpose on a channel, the state counts that protects more, unless a later opt-in was
confirmed from exactly that endpoint: what the person said no to under one name is not sent under the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from consents.events import GRANTING, UNSAID, Kind

SAID_NO = frozenset({Kind.WITHDRAWN, Kind.REFUSED})
"""A word of the person, which counts for every endpoint of the channel; what ended by rule ends for its own."""


@dataclass(frozen=True)
class Part:
    """What one of the records says of one consent."""

    owner: int
    purpose: str
    channel: str
    endpoint: bytes
    state: str
    since: datetime
    confirmed: bool = False
    pk: int = 0

    @property
    def granted(self) -> bool:
        """Whether it is a yes, or as good as one."""
        return self.state in GRANTING or self.state == Kind.NOTICED

    @property
    def protects(self) -> bool:
        """Whether it keeps the person from being written to; where the person has not spoken, nothing does."""
        return not self.granted and self.state not in UNSAID


def beaten_by(yes: Part, parts: Iterable[Part]) -> Part | None:
    """The no of the other record that this yes has to give way to; None where it holds."""
    if not yes.granted:
        return None
    noes = [
        part
        for part in parts
        if (part.purpose, part.channel) == (yes.purpose, yes.channel)
        and part.owner != yes.owner
        and (part.protects if part.endpoint == yes.endpoint else part.state in SAID_NO)
        and not (yes.confirmed and yes.since > part.since)
    ]
    return max(noes, key=lambda part: (part.since, part.pk), default=None)


def merged(parts: Iterable[Part]) -> list[Part]:
    """Of all that two records say what holds for the person: one part for each purpose, channel and endpoint.

    A yes that has to give way stands as the no that beats it.
    """
    everything = list(parts)
    chains: dict[tuple[str, str, bytes], list[Part]] = {}
    for part in everything:
        chains.setdefault((part.purpose, part.channel, part.endpoint), []).append(part)
    return [_holding(chains[chain], everything) for chain in sorted(chains)]


def _holding(own: list[Part], everything: list[Part]) -> Part:
    beaten = {part: no for part in own if (no := beaten_by(part, everything)) is not None}
    yes = [part for part in own if part.granted and part not in beaten]
    noes = [part for part in own if part.protects]
    choice = yes or noes or list(beaten.values()) or own
    return max(choice, key=lambda part: (part.since, part.pk))


_LOSING = """
WITH pair AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS p (kept, gone)),
part AS (
    SELECT p.kept AS person, s.customer_id AS owner, s.id, s.purpose_id, s.channel, s.endpoint_index, s.state, s.since,
        s.confirmed, s.granted, s.state NOT IN ('given', 'renewed', 'noticed', 'requested', 'lapsed') AS protects
    FROM pair p JOIN consents_state s ON s.customer_id IN (p.kept, p.gone)
)
SELECT y.id, n.id FROM part y CROSS JOIN LATERAL (
    SELECT n.id FROM part n
    WHERE n.person = y.person AND n.purpose_id = y.purpose_id AND n.channel = y.channel AND n.owner <> y.owner
        AND CASE WHEN n.endpoint_index IS NOT DISTINCT FROM y.endpoint_index THEN n.protects
            ELSE n.state IN ('withdrawn', 'refused') END
        AND NOT (y.confirmed AND y.since > n.since)
    ORDER BY n.since DESC, n.id DESC LIMIT 1
) n
WHERE y.granted
"""


def losing(pairs: Sequence[tuple[int, int]]) -> dict[int, int]:
    """For pairs of customers (who stays, who goes into them): each yes that must not hold on -> the no that beats it.

    Ids of states, in one statement for any number of pairs. The merge ends these consents with the same sentence.
    """
    if not pairs:
        return {}
    kept, gone = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_LOSING, [list(kept), list(gone)])
        return dict(cursor.fetchall())


def stopped(one: datetime | None, other: datetime | None) -> datetime | None:
    """Since when the person has objected to advertising: the later word, so that no opt-in before it counts."""
    return max(filter(None, (one, other)), default=None)


def parts_of(customers: Iterable[int]) -> list[Part]:
    """The parts of these customers as they stand."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.customer_id, p.key, s.channel, s.endpoint_index, s.state, s.since, s.confirmed, s.id "
            "FROM consents_state s JOIN consents_purpose p ON p.id = s.purpose_id WHERE s.customer_id = ANY (%s)",
            [list(customers)],
        )
        return [
            Part(owner, purpose, channel, bytes(index or b""), state, since, confirmed, pk)
            for owner, purpose, channel, index, state, since, confirmed, pk in cursor.fetchall()
        ]
