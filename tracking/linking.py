"""Ties a device to a customer who has signed in at the shop: the shop's server signs it, the consent allows it."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from customers.models import Customer
from tracking import cutting
from tracking.models import Device, DeviceConsent
from tracking.permitting import may_link
from tracking.reading import Unreadable, read_json
from tracking.taking import keys_of

LIFE = timedelta(minutes=10)
"""A token is good for no longer."""


class Forged(ValueError):
    """A token that none of our secrets has signed, or that is over."""


@dataclass(frozen=True)
class Wish:
    """Which device is to belong to whom: a customer number, or the customer's id on a platform."""

    device: str
    number: str = ""
    platform: str = ""
    external_id: str = ""


def sign(payload: bytes, secret: str) -> str:
    """The token of a payload, as a shop makes it: base64url of the payload, a dot, base64url of its HMAC-SHA256."""
    body = _encoded(payload)
    return f"{body}.{_encoded(hmac.digest(secret.encode(), body.encode(), sha256))}"


def read_token(token: str, secrets: list[str], now: datetime) -> Wish:
    """What a token says. Raises Forged, and Unreadable where it is signed and says nothing we know."""
    body, _dot, signature = token.partition(".")
    given = _decoded(signature)
    # Half a character, which JSON may hold, has no bytes that anybody could sign.
    signed = body.encode(errors="replace")
    fits = [hmac.compare_digest(given, hmac.digest(secret.encode(), signed, sha256)) for secret in secrets]
    if not body.isascii() or not any(fits):
        raise Forged("The token is not signed by this shop.")
    said = read_json(_decoded(body))
    if not isinstance(said, dict) or set(said) != {"device", "customer", "expires"}:
        raise Unreadable("A token says device, customer and expires.")
    expires = said["expires"]
    if not isinstance(expires, int) or not now.timestamp() < expires <= (now + LIFE).timestamp():
        raise Forged(f"The token is over, or good for more than {LIFE.seconds // 60} minutes.")
    return _wish(said["device"], said["customer"])


def _wish(device: Any, customer: Any) -> Wish:
    if isinstance(device, str) and isinstance(customer, Mapping) and all(map(_is_id, customer.values())):
        if set(customer) == {"number"}:
            return Wish(device, number=customer["number"])
        if set(customer) == {"platform", "id"}:
            return Wish(device, platform=customer["platform"], external_id=customer["id"])
    raise Unreadable("device is a text; customer has a number, or a platform and an id.")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 120 and value.isprintable()


@transaction.atomic
def link(wish: Wish) -> bool:
    """Have the device belong to the customer from now on; whether it does.

    Nothing happens, and nobody is told why, where the customer is not known, has not consented, or nothing was agreed
    to on the device. Visits from before the customer's own consent are deleted: agreeing on a device allows no profile
    of a person, and from now on the device leads to one. Where it belongs to somebody else, their history stays theirs
    and a new one begins.
    """
    customer = _customer(wish)
    if customer is None or not may_link(customer):
        return False
    keys = keys_of(wish.device)
    device = Device.objects.select_for_update().filter(key__in=keys).order_by("-last_seen").first()
    if device is None or not DeviceConsent.objects.filter(key__in=keys, ended_at__isnull=True).exists():
        return False
    now = timezone.now()
    if device.customer_id is None:
        Device.objects.filter(pk=device.pk).update(customer=customer, linked_at=now)
        cutting.begin_visits([device.pk])
    elif device.customer_id != customer.pk:
        Device.objects.filter(pk=device.pk).update(key=None)
        Device.objects.create(
            key=device.key,
            customer=customer,
            kind=device.kind,
            linked_at=now,
            visits_from=now,
            first_seen=now,
            last_seen=now,
        )
    return True


def _customer(wish: Wish) -> Customer | None:
    """Locked, so that no withdrawal happens between the question and the link."""
    customers = Customer.objects.select_for_update(no_key=True, of=("self",))
    if wish.number:
        return customers.filter(number=wish.number).first()
    known = {"external_ids__platform": wish.platform, "external_ids__value": wish.external_id}
    return customers.filter(**known).first()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Forged("The token is not signed by this shop.") from None
