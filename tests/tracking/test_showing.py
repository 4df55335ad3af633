"""Who may see visits sees them: a card, a line a day, and the person in the copy of their data."""

from __future__ import annotations

from datetime import timedelta

import jsonschema
import pytest
from django.test import Client
from django.utils import timezone

from consents.models import State
from customers.models import Customer
from privacy.packages.building import build
from staff.models import Role, User
from tests.privacy.packaging import data_of, files_of, make_shop
from tests.tracking.making import linked, make_visit
from tracking.models import Device

pytestmark = pytest.mark.django_db


def page(customer: Customer, role: str, query: str = "") -> str:
    user = User.objects.create_user(f"{role}@laden.example", name=role, roles=[role])
    client = Client()
    client.force_login(user)
    return client.get(f"/customers/{customer.number}/{query}").content.decode()


@pytest.fixture
def visited(alma: Customer) -> Device:
    """Alma has been on four pages today and on one last week."""
    device = linked(alma, "/kaffee/espresso", "/kaffee", "/muehlen", "/")
    make_visit(device, timezone.now() - timedelta(days=7), "/gutscheine")
    return device


@pytest.mark.parametrize(
    ("role", "sees"),
    [(Role.MANAGER, True), (Role.PRIVACY, True), (Role.SERVICE, False)],
)
def test_the_card_shows_devices_pages_and_the_consent_to_who_may(
    alma: Customer, visited: Device, role: str, sees: bool
) -> None:
    html = page(alma, role)
    # Agreed to an hour ago, which just after midnight was yesterday.
    since = State.objects.get(customer=alma, purpose__key="tracking").since
    agreed = "heute" if timezone.localdate(since) == timezone.localdate() else "gestern"
    for words in ("<h2>Seitenbesuche</h2>", "/kaffee/espresso", f"Einwilligung: {agreed}", "tracking 1"):
        assert (words in html) == sees, words


def test_without_a_device_there_is_no_card(alma: Customer) -> None:
    assert "<h2>Seitenbesuche</h2>" not in page(alma, Role.MANAGER)


def test_a_card_of_somebody_whose_consent_does_not_hold_says_so(alma: Customer, visited: Device) -> None:
    Customer.objects.filter(pk=alma.pk).update(deactivated_at=timezone.now())
    assert "Die Einwilligung gilt nicht" in page(alma, Role.MANAGER)


def test_the_timeline_has_one_line_a_day(alma: Customer, visited: Device) -> None:
    html = page(alma, Role.MANAGER, "?type=web")
    assert html.count('<li><div class="dot') == 2
    assert "4 Seiten: /kaffee/espresso, /kaffee, /muehlen …" in html
    assert "1 Seite: /gutscheine" in html
    assert "/muehlen …" not in page(alma, Role.SERVICE, "?type=web")


@pytest.mark.parametrize("kind", ["access", "portability"])
def test_visits_and_devices_are_in_both_copies(alma: Customer, visited: Device, kind: str) -> None:
    make_shop()
    files = files_of(build(alma, kind))
    (device,) = data_of(files, "data/visits.json")
    (entry,) = [one for one in data_of(files, "manifest.json")["files"] if one["path"] == "data/visits.json"]
    jsonschema.Draft202012Validator(data_of(files, entry["schema"])).validate([device])
    assert device["device"] == bytes(visited.key).hex()
    assert {visit["path"] for visit in device["visits"]} == {
        "/kaffee/espresso", "/kaffee", "/muehlen", "/", "/gutscheine",
    }  # fmt: skip
    assert "/gutscheine" in files["data/visits.csv"].decode()
