"""Whether visits may be kept about a person: the consent to the purpose "tracking", which nothing stands against."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import consents
from consents.audience import consent_sql
from consents.deciding import Decision
from consents.events import GRANTING, Channel
from consents.models import State
from customers.models import Customer, Summary

PURPOSE = "tracking"
CHANNEL = Channel.WEB


def decision_for(customer: Customer) -> Decision:
    """Whether a device may belong to this customer now, and why."""
    decision: Decision = consents.may(customer, PURPOSE, CHANNEL)
    return decision


def may_link(customer: Customer) -> bool:
    """Whether a device may be tied to this customer now.

    An objection to advertising ended what was known of their visits (Art. 21(3) GDPR); only a consent that is younger
    begins anew.
    """
    decision = decision_for(customer)
    if not decision.allowed or decision.reason != "consent":
        return False
    stopped = Summary.objects.filter(customer=customer).values_list("advertising_stopped_at", flat=True).first()
    return stopped is None or (decision.since is not None and decision.since > stopped)


def begins_sql(customer: str) -> str:
    """SQL: since when the consent of a customer (a column) stands unbroken, renewed or not.

    Asked with `begins_params`.
    """
    return (
        "(SELECT min(r.occurred_at) FROM consents_record r JOIN consents_purpose p ON p.id = r.purpose_id "  # noqa: S608
        f"LEFT JOIN customers_summary k ON k.customer_id = r.customer_id WHERE r.customer_id = {customer} "
        "AND p.key = %(purpose)s AND r.channel = %(channel)s AND r.kind = ANY (%(granting)s) AND r.ended_at IS NULL "
        "AND (k.advertising_stopped_at IS NULL OR r.occurred_at > k.advertising_stopped_at))"
    )


def begins_params() -> dict[str, Any]:
    """What `begins_sql` is asked with."""
    return {"purpose": PURPOSE, "channel": CHANNEL.value, "granting": [kind.value for kind in GRANTING]}


def without_consent(customer_ids: Iterable[int]) -> set[int]:
    """Those of the customers who have not said yes, or said no since; a restriction is no withdrawal."""
    asked = set(customer_ids)
    said = State.objects.filter(customer__in=asked, purpose__key=PURPOSE, channel=CHANNEL, granted=True)
    return asked - set(said.values_list("customer", flat=True))


def permits_sql(customer: str) -> str:
    """SQL: whether visits of this customer (a column) may be recorded now. Asked with `permits_params`."""
    return consent_sql(customer, purpose="%(purpose)s", channel="%(channel)s", at="%(now)s")


def permits_params(now: datetime) -> dict[str, Any]:
    """What `permits_sql` is asked with."""
    return {"purpose": PURPOSE, "channel": CHANNEL.value, "now": now}
