"""Plain functions that have a shop's pages report visits, through the doors that they use."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from consents.events import Event, Kind, Source, Wording
from consents.models import LegalText, LegalTextVersion, Purpose
from consents.recording import record
from customers.models import Customer
from tracking import months
from tracking.linking import sign
from tracking.models import Device, Visit
from tracking.taking import keys_of

ORIGIN = "https://laden.example"
SECRET = "geheim-zwischen-laden-und-obhut"  # noqa: S105
COOKIE = "6f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
OTHER_COOKIE = "0a1b2c3d-4e5f-4061-8273-8495a6b7c8d9"


def publish_wording(key: str = "tracking", number: int = 1, *, draft: bool = False) -> LegalTextVersion:
    """The text that the shop's banner shows."""
    purpose = Purpose.objects.get(key="tracking" if key == "tracking" else "newsletter")
    text, _made = LegalText.objects.get_or_create(key=key, defaults={"kind": "consent", "purpose": purpose})
    return LegalTextVersion.objects.create(
        text=text, number=number, title_de="Wiedererkennen", title_en="Recognising",
        body_de="Wir merken uns, welche Seiten Sie besuchen.", body_en="We remember which pages you visit.",
        sha256_de="d" * 64, sha256_en="e" * 64, valid_from="2026-01-01", published_at=None if draft else timezone.now(),
    )  # fmt: skip


def agreed(at: datetime | None = None, wording: str = "tracking:1") -> dict[str, str]:
    """What the banner says when somebody has agreed, by default an hour ago."""
    return {
        "wording": wording, "language": "de",
        "given_at": (at or timezone.now().replace(microsecond=0) - timedelta(hours=1)).isoformat(),
    }  # fmt: skip


def report(*paths: str, device: str = COOKIE, client: Client | None = None, **said: Any) -> Any:
    """A page reports; answers the response. Each visit is a second older than the one before."""
    now = timezone.now()
    seen = [{"path": path, "at": (now - timedelta(seconds=n)).isoformat()} for n, path in enumerate(paths)]
    return post({"device": device, "consent": agreed(), "visits": seen} | said, client=client)


def post(body: Any, client: Client | None = None, **extra: Any) -> Any:
    """Send a body as a page of the shop does."""
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    headers = {"Origin": ORIGIN} | extra.pop("headers", {})
    return (client or Client()).post("/t/visits", data, content_type="text/plain", headers=headers, **extra)


def token(customer: Any, device: str = COOKIE, *, lasts: int = 300, secret: str = SECRET) -> str:
    """As the shop's server makes it."""
    expires = int(timezone.now().timestamp()) + lasts
    return sign(json.dumps({"device": device, "customer": customer, "expires": expires}).encode(), secret)


def link(customer: Customer, device: str = COOKIE, **kw: Any) -> Any:
    """The shop's server says who has signed in."""
    return send_token(token({"number": customer.number}, device, **kw))


def send_token(text: str) -> Any:
    """Send a token as the shop's server does."""
    return Client().post("/t/links", json.dumps({"token": text}), content_type="application/json")


def say(customer: Customer, kind: str = Kind.GIVEN, **kw: Any) -> None:
    """The person says something about being recognised."""
    record(
        Event(
            kind, customer.pk, customer.number, "tracking", "web", actor="self",
            **{"source": Source.SELF_SERVICE, "wording": Wording("d" * 64, "tracking:1", "de")} | kw,
        )
    )  # fmt: skip


def linked(customer: Customer, *paths: str, device: str = COOKIE) -> Device:
    """A device that belongs to the customer, with these pages."""
    say(customer, at=timezone.now() - timedelta(hours=1))
    assert report(*(paths or ("/kaffee",)), device=device).status_code == 204
    assert link(customer, device).status_code == 204
    found = Device.objects.get(key__in=keys_of(device))
    assert found.customer_id == customer.pk
    return found


def make_visit(device: Device, at: datetime, path: str = "/kaffee") -> Visit:
    """A visit of a day long ago, as it was stored then."""
    months.make([months.month_of(at.astimezone(months.BERLIN).date())])
    return Visit.objects.create(device=device, occurred_at=at, path=path)


def standing_months() -> list[str]:
    """The months there are, as 2026-11."""
    return [f"{month.first:%Y-%m}" for month in months.standing()]
