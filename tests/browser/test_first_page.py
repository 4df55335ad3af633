"""The first thing anybody sees, in a real browser."""

from collections.abc import Callable

from django.test import Client
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from customers.models import Customer, Tag
from staff.models import User
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


def test_tags_are_offered_as_soon_as_one_is_to_be_written(
    live_server: LiveServer,
    browser_context: BrowserContext,
    watched: Page,
    everybody: User,
    enter: Callable[..., Client],
) -> None:
    Customer.objects.create(number="4711", last_name="Groß")
    Tag.objects.create(name="Stammkunde")
    enter(browser_context, everybody)
    watched.goto(f"{live_server.url}{reverse('portal:customer_list')}")
    watched.focus("#bulk-tag")
    expect(watched.locator("#tags option")).to_have_attribute("value", "Stammkunde")


def test_customers_are_tagged_together_on_a_telephone_too(
    live_server: LiveServer,
    browser_context: BrowserContext,
    watched: Page,
    everybody: User,
    enter: Callable[..., Client],
) -> None:
    for number in ("4711", "4712", "4713"):
        Customer.objects.create(number=number, last_name="Groß")
    enter(browser_context, everybody)
    watched.set_viewport_size({"width": 390, "height": 844})
    watched.goto(f"{live_server.url}{reverse('portal:customer_list')}")
    for number in ("4711", "4713"):
        box = watched.locator(f"tbody input[value='{number}']")
        expect(box).to_be_visible()
        box.check()
    watched.fill("#bulk-tag", "Stammkunde")
    watched.click("main button[value=add]")
    expect(watched.locator("main [role=status], main .alert").first).to_be_visible()
    assert set(Customer.objects.filter(customer_tags__tag__name="Stammkunde").values_list("number", flat=True)) == {
        "4711",
        "4713",
    }
