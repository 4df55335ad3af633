"""The first thing anybody sees, in a real browser."""

from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.consents.signing_up import publish


def test_a_visitor_is_asked_to_sign_in_and_no_rule_of_the_page_is_broken(live_server: LiveServer, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(live_server.url)
    assert page.locator("input[type=password]").count() == 1
    assert complaints == []  # the content policy reports what it blocks here


def test_a_form_that_comes_back_begins_at_the_first_field_that_is_wrong(live_server: LiveServer, page: Page) -> None:
    publish()
    page.goto(f"{live_server.url}{reverse('opt_in:sign_up')}")
    page.click("main .btn-primary")
    expect(page.locator("main [role=alert]")).to_be_visible()
    expect(page.locator("[name=email]")).to_be_focused()
