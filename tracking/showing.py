"""What staff see of visits: the card of the customer page, and a line of the timeline for each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import ngettext

from consents.models import LegalTextVersion
from consents.texts import version_shown
from customers.models import Customer
from datamap.preparing import Standing
from tracking.models import Device, Visit
from tracking.permitting import decision_for

SHOWN = 6
PATHS = 3
_DEVICES = Standing(lambda pk: Device.objects.filter(customer=pk).order_by("-last_seen", "-pk")[:SHOWN])
_VISITS = Standing(lambda pk: Visit.objects.filter(device__customer=pk).order_by("-occurred_at", "-pk")[:SHOWN])
DAYS = f"""
SELECT 'web'::text, w.at, w.id, w.payload FROM (
    SELECT max(v.occurred_at) AS at, max(v.id) AS id, jsonb_build_object(
        'count', count(*), 'paths', to_jsonb((array_agg(v.path ORDER BY v.occurred_at DESC))[1:{PATHS}])) AS payload
    FROM tracking_device d JOIN tracking_visit v ON v.device_id = d.id
    WHERE d.customer_id = %(customer)s
    GROUP BY date_trunc('day', v.occurred_at AT TIME ZONE 'Europe/Berlin')
) w WHERE true
"""  # noqa: S608
"""The visits of a day are one event: nobody reads a timeline of clicks."""


@dataclass(frozen=True)
class Card:
    """What the customer page shows: devices, the last pages, and the consent on which all this is here."""

    devices: Sequence[Device]
    visits: Sequence[Visit]
    since: datetime | None
    wording: LegalTextVersion | None


def visits_of(customer: Customer) -> Card | None:
    """The card of a customer, None where no device belongs to them."""
    devices = _DEVICES(customer.pk)
    if not devices:
        return None
    decision = decision_for(customer)
    shown = version_shown(decision.wording)
    since = decision.since if decision.allowed else None
    return Card(devices, _VISITS(customer.pk), since, shown[0] if shown else None)


def day_words(payload: dict[str, Any]) -> str:
    """The visits of one day in words."""
    count = int(payload["count"])
    pages = ngettext("%s page", "%s pages", count) % count
    return f"{pages}: {', '.join(payload['paths'])}{' …' if count > PATHS else ''}"
