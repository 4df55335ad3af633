"""What stands behind the links that people get by mail works in a browser, which says where a form comes from."""

from __future__ import annotations

import zipfile
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from consents.models import PendingOptIn, State
from consents.tokens import Ticket, unsubscribe_token
from privacy.packages.building import build, link_to
from staff.joining import invite, invite_link
from staff.models import Role, User
from tests.consents.signing_up import ask, link_of, person, publish
from tests.privacy.packaging import make_colleague, make_person, make_shop

PASSWORD = "Kaffee-und-Kuchen-2026"  # noqa: S105


def path_of(address: str) -> str:
    return urlsplit(address).path


def test_an_invited_person_sets_a_password(live_server: LiveServer, watched: Page, complaints: list[str]) -> None:
    user, token = invite("neu@laden.example", "Nele Neu", [Role.SERVICE], actor=None)
    watched.goto(live_server.url + path_of(invite_link(token)))
    for field in watched.locator("main input[type=password]").all():
        field.fill(PASSWORD)
    watched.click("main .btn-primary")
    expect(watched.locator("[name=login]")).to_be_visible()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert complaints == []


def test_a_person_fetches_the_package(live_server: LiveServer, watched: Page, complaints: list[str]) -> None:
    make_shop()
    package = build(make_person(make_colleague("Martin Meier"), number="K-900"), "portability")
    watched.goto(live_server.url + path_of(link_to(package)))
    with watched.expect_download() as loading:
        watched.click("main .btn-primary")
    assert zipfile.ZipFile(loading.value.path()).testzip() is None
    package.refresh_from_db()
    assert package.provided_at is not None
    # What is loaded down leaves the page as it was: to the browser that is a navigation it broke off.
    assert [one for one in complaints if "ERR_ABORTED" not in one] == []


def test_a_person_confirms_and_unsubscribes(live_server: LiveServer, watched: Page, complaints: list[str]) -> None:
    publish()
    person()
    watched.goto(live_server.url + link_of(ask()))
    watched.click("main .btn-primary")
    expect(watched.get_by_role("heading", name="Vielen Dank")).to_be_visible()
    state = State.objects.get()
    ticket = Ticket(state.customer_id, state.purpose_id, PendingOptIn.objects.get().uuid, bytes(state.mark))
    watched.goto(live_server.url + reverse("opt_in:unsubscribe", args=[unsubscribe_token(ticket)]))
    watched.click("main .btn-primary")
    expect(watched.get_by_role("heading", name="abgemeldet")).to_be_visible()
    state.refresh_from_db()
    assert (state.state, state.granted) == ("withdrawn", False)
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_language_of_such_a_page_can_be_chosen(live_server: LiveServer, watched: Page, language: str) -> None:
    _user, token = invite("neu@laden.example", "Nele Neu", [Role.SERVICE], actor=None)
    watched.goto(live_server.url + path_of(invite_link(token)))
    watched.click(f"button[name=language][value={language}]")
    expect(watched.locator("html")).to_have_attribute("lang", language)
    expect(watched.get_by_role("heading", name="Nele Neu")).to_be_visible()
    assert User.objects.count() == 1
