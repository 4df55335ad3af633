"""The first thing anybody sees, in a real browser."""

from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer


def test_a_visitor_is_asked_to_sign_in_and_no_rule_of_the_page_is_broken(live_server: LiveServer, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(live_server.url)
    assert page.locator("input[type=password]").count() == 1
    assert complaints == []  # the content policy reports what it blocks here
