"""The set form of `may`: everybody who may be reached for a purpose on a channel, in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from consents.events import CLOSING, GRANTING, WITH_ENDPOINT, Channel
from consents.models import Purpose
from customers.models import ContactPoint
from customers.postal import stopped_sql

PAGE = 10_000
_ALLOWS = "s.granted AND s.open AND (s.fresh_until IS NULL OR s.fresh_until > {at})"
_STATES = f"""
SELECT s.customer_id FROM consents_state s
WHERE s.purpose_id = %s AND s.channel = %s AND {_ALLOWS.format(at="%s")}
"""  # noqa: S608
# Notices at sales allow nothing any more where the shop no longer relies on § 7(3) UWG.
_NO_NOTICES = " AND s.state <> 'noticed'"
_CLOSING = ", ".join(f"'{kind.value}'" for kind in sorted(CLOSING))
_GRANTING = ", ".join(f"'{kind.value}'" for kind in sorted(GRANTING))
_WITHOUT_CONSENT = f"""
SELECT c.id AS customer_id FROM customers_customer c LEFT JOIN customers_summary k ON k.customer_id = c.id
{{contacts}} LEFT JOIN consents_state s ON s.customer_id = c.id AND s.purpose_id = %s AND s.channel = %s AND {{same}}
WHERE c.restricted_at IS NULL AND c.deactivated_at IS NULL AND (s.state IS NULL OR s.state NOT IN ({_CLOSING}))
    AND (%s OR k.advertising_stopped_at IS NULL OR (s.confirmed AND s.since > k.advertising_stopped_at))
    AND (%s OR NOT EXISTS (SELECT 1 FROM customers_flag f
        WHERE f.customer_id = c.id AND f.kind = 'minor' AND f.lifted_at IS NULL))
    AND (s.state IS NULL OR NOT (s.state IN ({_GRANTING}) OR (s.state = 'noticed' AND %s))
        OR s.fresh_until IS NULL OR s.fresh_until > %s)
"""  # noqa: S608
_ONCE = _WITHOUT_CONSENT.format(contacts="", same="s.endpoint_index IS NULL")
_EACH_CONTACT = _WITHOUT_CONSENT.format(
    contacts="JOIN customers_contactpoint cp ON cp.customer_id = c.id AND cp.kind = %s",
    same="s.endpoint_index = cp.whole_index",
)
# Of whom the list stops by post, those who have agreed since.
_NOT_LISTED = f"""
    AND NOT EXISTS (SELECT 1 FROM ({{listed}}) x
        WHERE x.customer_id = {{customer}} AND NOT coalesce(s.state IN ({_GRANTING}) AND s.since > x.since, false))
"""  # noqa: S608


def audience_sql(purpose: Purpose, channel: str, *, among: Sequence[int] | None = None) -> tuple[str, list[Any]]:
    """A SELECT of `customer_id` and its parameters, to be joined with whatever else a sender asks for: of now alone,
    as the states are; the past is asked one by one.

    A customer with two endpoints that allow it stands in it twice. By post the addresses are compared with the
    suppression list by the statement itself, those `among` whom is asked before.

    Raises ValueError for a purpose that is retired or does not use the channel, and for one without consent on a
    channel whose endpoints only the suppression list tells apart: those are asked one by one.
    """
    if purpose.retired_at is not None or channel not in purpose.channels:
        raise ValueError(f"The purpose {purpose.key} is not used on the channel {channel}.")
    needs_consent = purpose.basis == Purpose.Basis.CONSENT
    if not needs_consent and purpose.advertising and channel in WITH_ENDPOINT:
        raise ValueError("Advertising by mail, message or phone needs a consent (§ 7(2) UWG).")
    statement, params = (_with_consent if needs_consent else _without_consent)(purpose, channel)
    if purpose.advertising and channel == Channel.POST:
        listed, more = stopped_sql(among)
        statement += _NOT_LISTED.format(customer="s.customer_id" if needs_consent else "c.id", listed=listed)
        params += more
    return statement, params


def _with_consent(purpose: Purpose, channel: str) -> tuple[str, list[Any]]:
    statement = _STATES if purpose.existing_customers else _STATES + _NO_NOTICES
    return statement, [purpose.pk, channel, timezone.now()]


def _without_consent(purpose: Purpose, channel: str) -> tuple[str, list[Any]]:
    asked = [
        purpose.pk, channel, not purpose.advertising, not purpose.minimum_age, purpose.existing_customers,
        timezone.now(),
    ]  # fmt: skip
    if channel not in WITH_ENDPOINT:
        return _ONCE, asked
    kind = ContactPoint.Kind.EMAIL if channel == Channel.EMAIL else ContactPoint.Kind.PHONE
    return _EACH_CONTACT, [kind, *asked]


def consent_sql(customer: str, *, purpose: str, channel: str, at: str) -> str:
    """SQL: whether a consent to a purpose in use allows it to a customer at that moment, for larger statements.

    Each argument is SQL itself, a column or a placeholder: the customer's id, the key of the purpose, the channel, the
    instant.
    """
    return (
        "EXISTS (SELECT 1 FROM consents_state s JOIN consents_purpose p ON p.id = s.purpose_id "  # noqa: S608
        f"WHERE s.customer_id = {customer} AND p.key = {purpose} AND p.retired_at IS NULL AND s.channel = {channel} "
        f"AND s.channel = ANY (p.channels) AND {_ALLOWS.format(at=at)})"
    )


def count_audience(purpose: Purpose, channel: str) -> int:
    """How many endpoints may be reached."""
    statement, params = audience_sql(purpose, channel)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({statement}) a", params)  # noqa: S608
        return cursor.fetchone()[0]


def audience_ids(purpose: Purpose, channel: str, *, page: int = PAGE) -> Iterator[list[int]]:
    """The customers who may be reached, each once, in pages by their ids."""
    statement, params = audience_sql(purpose, channel)
    paged = (
        f"SELECT DISTINCT customer_id FROM ({statement}) a WHERE customer_id > %s "  # noqa: S608
        f"ORDER BY customer_id LIMIT {int(page)}"
    )
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(paged, [*params, after])
            ids = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return
        yield ids
        after = ids[-1]


def allowed_among(customer_ids: Sequence[int], purpose: Purpose, channel: str) -> set[int]:
    """Which of these customers may be reached."""
    statement, params = audience_sql(purpose, channel, among=customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT customer_id FROM ({statement}) a WHERE customer_id = ANY (%s)",  # noqa: S608
                       [*params, list(customer_ids)])  # fmt: skip
        return {pk for (pk,) in cursor.fetchall()}
