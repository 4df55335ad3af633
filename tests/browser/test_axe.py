"""No page has a fault that axe finds, in either theme; none scrolls sideways on a phone; all work without scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from consents.models import Acceptance, PendingOptIn, Placement, State
from consents.passing import url_of
from consents.tokens import Ticket, unsubscribe_token
from customers import tombstones
from customers.models import Customer, Summary
from interactions.models import Interaction
from orders.models import Order
from privacy import clarifying, publishing, restricting
from privacy.erasing import approve_erasure, ask_erasure, run_erasure
from privacy.models import Policy
from privacy.packages.building import build
from privacy.purging import plan_run
from staff.models import User
from tests.consents.publishing import make_text, make_version, place_text
from tests.consents.signing_up import link_of, publish
from tests.house import shown_pages
from tests.privacy.making import make_person, take
from tests.privacy.packaging import files_of
from tests.shop import open_shop
from tests.staff.conftest import PASSWORD

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WIDER_THAN_SHOWN = """() => {
    const page = document.scrollingElement
    if (page.scrollWidth <= page.clientWidth) return ""
    const box = one => one.closest(".ob-rail, .ob-scroll, .ob-tabs")  // these scroll within themselves
    const wide = [...document.body.querySelectorAll("*")].filter(one =>
        one.getBoundingClientRect().right > page.clientWidth + 1
        && (!box(one) || getComputedStyle(one).position === "absolute"))
    return wide.slice(0, 3).map(one => one.outerHTML.slice(0, 90)).join(" | ") || "the page itself"
}"""
# A table is scrolled sideways only where rows and columns must be seen together; everything stays within its panel.
OUT_OF_ITS_BOX = """() => {
    const scrolled = [...document.querySelectorAll(".ob-scroll")].filter(box =>
        box.scrollWidth > box.clientWidth + 1 && innerWidth < 768 && !box.querySelector(".ob-matrix"))
    const hanging = [...document.querySelectorAll(".ob-panel")].flatMap(panel =>
        [...panel.querySelectorAll("*")].filter(one => !one.closest(".ob-scroll, .visually-hidden, .ob-menu > div")
            && one.getBoundingClientRect().right > panel.getBoundingClientRect().right + 1))
    return [...scrolled, ...hanging].slice(0, 3).map(one => one.outerHTML.slice(0, 90)).join(" | ")
}"""
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
AXE = Axe().axe_script
# Every rule, in each theme; only the faults travel to the test, at most three places of each.
FAULTS = """async () => {
    const said = await axe.run(document, {resultTypes: ["violations"]})
    return said.violations.flatMap(fault => fault.nodes.slice(0, 3).map(node =>
        [fault.id, String(node.target), node.html.slice(0, 160)]))
}"""
Enter = Callable[[BrowserContext, User], Client]


def faults_of(page: Page) -> list[str]:
    """What axe finds in light and dark, and what hangs over the edge of a telephone; as sentences."""
    page.evaluate(AXE)
    found = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        faults = page.evaluate(FAULTS)
        found += [f"{page.url} in {theme}: {rule} {target} {html}" for rule, target, html in faults]
    if out := page.evaluate(OUT_OF_ITS_BOX):
        found.append(f"{page.url} hangs out of a box: {out}")
    page.set_viewport_size(PHONE)
    if wide := page.evaluate(WIDER_THAN_SHOWN) or page.evaluate(OUT_OF_ITS_BOX):
        found.append(f"{page.url} scrolls sideways on a phone: {wide}")
    page.set_viewport_size(DESK)
    return found


def walk(page: Page, house: str, addresses: Iterable[str]) -> list[str]:
    """The faults of all these pages."""
    found = []
    for address in addresses:
        page.goto(house + address)
        found += faults_of(page)
    return found


def test_every_rule_is_asked_in_each_theme(page: Page) -> None:
    page.set_content('<html lang="de"><title>Bild</title><main><h1>Bild</h1><img src="data:,"></main></html>')
    found = faults_of(page)
    assert [fault.split()[2:4] for fault in found] == [["light:", "image-alt"], ["dark:", "image-alt"]]


def test_no_page_has_a_fault(
    live_server: LiveServer,
    browser_context: BrowserContext,
    watched: Page,
    everybody: User,
    enter: Enter,
    complaints: list[str],
) -> None:
    client = enter(browser_context, everybody)
    open_shop(client, everybody, customers=60)
    client = enter(browser_context, everybody)
    addresses = dict(shown_pages(client))
    assert len(addresses) > 70
    found = walk(watched, live_server.url, addresses.values())
    watched.fill("#ob-search", "Müller")
    watched.press("#ob-search", "Enter")
    watched.wait_for_url("**/search/?s=*")
    found += faults_of(watched)
    found += walk(watched, live_server.url, [f"{reverse('portal:customer_list')}?f=1"])
    found += ends(watched, live_server.url, everybody)
    assert "\n".join(found) == ""
    assert complaints == []


def test_no_page_before_the_sign_in_and_no_refusal_has_a_fault(
    live_server: LiveServer,
    browser_context: BrowserContext,
    watched: Page,
    everybody: User,
    enter: Enter,
    complaints: list[str],
) -> None:
    open_shop(Client(), everybody, customers=30)
    found = walk(watched, live_server.url, dict(shown_pages(Client())).values())
    found += walk(watched, live_server.url, ways_in_and_out())
    watched.goto(live_server.url + [*ways_in_and_out()][2])
    watched.click("main .btn-primary")
    expect(watched.locator("main form")).not_to_have_count(0)  # what else there is to end
    found += faults_of(watched)
    watched.goto(f"{live_server.url}{reverse('account_login')}")
    watched.fill("[name=login]", everybody.email)
    watched.fill("[name=password]", "falsch")
    watched.press("[name=password]", "Enter")
    expect(watched.locator(".alert, .invalid-feedback").first).to_be_visible()
    found += faults_of(watched)
    watched.fill("[name=password]", PASSWORD)
    watched.press("[name=password]", "Enter")
    expect(watched.locator("[name=code]")).to_be_visible()
    found += faults_of(watched)
    found += walk(watched, live_server.url, ["/gibt-es-nicht/"])  # 404
    enter(browser_context, User.objects.create_user("neu2@laden.example", "x", name="Ohne Rolle"))
    found += walk(watched, live_server.url, [reverse("portal:dashboard"), reverse("staff:list")])  # 403
    enter(browser_context, everybody)
    sent = Order.objects.filter(delivered_at__isnull=False)[0]
    found += walk(watched, live_server.url, [reverse("orders:edit", args=[sent.pk])])  # 409
    found += conflict(watched, live_server.url)
    assert "\n".join(found) == ""
    assert complaints == []


def test_the_texts_of_the_sign_up_page_and_of_a_new_customer_have_no_fault(
    live_server: LiveServer, browser_context: BrowserContext, watched: Page, everybody: User, enter: Enter
) -> None:
    publish()
    terms = make_version(make_text("agb", kind="terms", purpose=None), title_de="AGB", body_de="Regeln. " * 300)
    notice = make_version(make_text("dse", kind="privacy_notice", purpose=None), title_de="Datenschutz")
    for place in ("sign_up", "desk"):
        place_text(terms.text, place)
        place_text(notice.text, place, Placement.Demand.SHOW)
    watched.goto(f"{live_server.url}{reverse('opt_in:sign_up')}")
    watched.fill("[name=email]", "zoe@laden.example")
    watched.check("[name=yes-newsletter]")
    watched.locator("main summary").first.click()
    found = faults_of(watched)
    watched.click("main .btn-primary")
    expect(watched.locator(".invalid-feedback")).to_be_visible()
    expect(watched.locator("[name=yes-newsletter]")).to_be_checked()
    found += faults_of(watched)
    # The same texts by a link of the desk: refused, forgotten, accepted.
    for text, demand in ((terms.text, Placement.Demand.ACCEPT), (notice.text, Placement.Demand.SHOW)):
        place_text(text, "loyalty", demand)
    customer = make_person("4711")
    link = live_server.url + "/" + url_of(customer, "loyalty").split("/", 3)[3]
    for ticked, button in ((False, "refuse"), (False, "accept"), (True, "accept")):
        watched.goto(link)
        if ticked:
            watched.locator("main [type=checkbox]").check()
        watched.click(f"main [value={button}]")
        expect(watched.locator(".invalid-feedback")).to_have_count(int(button == "accept" and not ticked))
        found += faults_of(watched)
    found += walk(watched, live_server.url, [link.removeprefix(live_server.url)])
    assert Acceptance.objects.filter(customer=customer).count() == 2
    enter(browser_context, everybody)
    found += walk(watched, live_server.url, [reverse("customers:create"), reverse("consents:places")])
    place_text(terms.text, "first_start")
    found += walk(watched, live_server.url, [reverse("consents:customer", args=[customer.number])])
    assert "\n".join(found) == ""


def test_an_open_menu_stays_on_the_screen_of_a_telephone(
    live_server: LiveServer, browser_context: BrowserContext, watched: Page, everybody: User, enter: Enter
) -> None:
    client = enter(browser_context, everybody)
    open_shop(client, everybody, customers=20)
    enter(browser_context, everybody)
    watched.set_viewport_size(PHONE)
    watched.goto(f"{live_server.url}{reverse('portal:customer_list')}")
    menus = watched.locator("details.ob-menu")
    assert menus.count() > 1
    for menu in menus.all():
        menu.locator("summary").click()
        box = menu.locator("> div").bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        watched.keyboard.press("Escape")


def ways_in_and_out() -> Iterable[str]:
    """The pages behind the links of mails, whose addresses nobody can make up."""
    waits = PendingOptIn.objects.filter(confirmed_at=None)[0]
    used = PendingOptIn.objects.exclude(confirmed_at=None)[0]
    state = State.objects.filter(mark__isnull=False)[0]
    ticket = Ticket(state.customer_id, state.purpose_id, waits.uuid, bytes(state.mark))
    yield link_of(waits)
    yield link_of(used)
    yield reverse("opt_in:unsubscribe", args=[unsubscribe_token(ticket)])
    yield reverse("opt_in:unsubscribe", args=["A" * 40])


def ends(page: Page, house: str, user: User) -> list[str]:
    """What is about to end: a plan, an erasure that waits, what tonight would do, a run that waits; their faults."""
    Policy(erasure_needs_second=True).save()
    customer, *others = Customer.objects.filter(restricted_at=None, status="account").order_by("pk")[:30]
    found = walk(page, house, [reverse("privacy:erase", args=[customer.number])])
    waits = ask_erasure(customer)
    Summary.objects.filter(customer__in=others).update(last_activity=datetime(2020, 1, 2, tzinfo=UTC))
    run = plan_run(timezone.localdate())
    assert run.guard
    found += walk(page, house, [reverse("privacy:erasure", args=[waits.pk]), reverse("privacy:run", args=[run.pk])])
    page.goto(house + reverse("privacy:tonight"))
    page.locator("main form .btn-primary").click()
    expect(page.locator("main table")).to_be_visible()
    found += faults_of(page)
    run_erasure(approve_erasure(waits, user).pk)
    gone = [reverse("privacy:erasure", args=[waits.pk]), reverse("portal:customer_detail", args=[customer.number])]
    return found + walk(page, house, gone)


def test_the_pages_of_a_contact_person_have_no_fault(
    live_server: LiveServer,
    browser_context: BrowserContext,
    watched: Page,
    everybody: User,
    enter: Enter,
    complaints: list[str],
    tmp_path: Path,
) -> None:
    """Their rights beside the company's, an open question, a note of what was public, and their copy itself."""
    enter(browser_context, everybody)
    company = make_person("F-1", kind="company", company="Kaffeekontor GmbH", first_name="", last_name="")
    berta = company.contact_persons.create(first_name="Berta", last_name="Buchhalter", email="berta@firma.example")
    said = {"customer": company, "email": "berta@firma.example", "language": "de"}
    asked = take(everybody, **said)
    clarifying.ask(asked, "Meinen Sie Ihre Anrufe?", way="mail", version=None, by=everybody)
    erasure = take(everybody, kind="erasure", customer=company, channel="phone")
    publishing.note(erasure, "Bewertung im Shop", version=None, by=everybody)
    case = take(everybody, kind="restriction", **said)
    standing = restricting.restrict(company, "a", ["all"], "Streit", by=everybody, request=case, speaker=berta)
    package = build(berta, "access", request=asked, user_id=everybody.pk)
    ended = uuid4()
    tombstones.bury({ended: tombstones.marks_of(emails=["weg@laden.example"])}, erased_at=timezone.now())
    of_berta, requests = ["F-1", berta.pk], [asked, erasure, case]
    pages = [
        reverse("privacy:customer", args=["F-1"]),
        *(reverse(f"privacy:{name}", args=of_berta) for name in ("contact", "contact_restrict", "contact_erase")),
        *(reverse("privacy:request", args=[one.pk]) for one in requests),
        reverse("privacy:request_clarify", args=[take(everybody, **said).pk]),
        reverse("privacy:request_rectify", args=[take(everybody, kind="rectification", **said).pk]),
        reverse("privacy:restriction", args=[standing.pk]),
        reverse("privacy:restrictions"),
        reverse("privacy:package", args=[package.uuid]),
        *(reverse(f"privacy:{name}", args=[ended]) for name in ("ended", "ended_disclosure")),
    ]
    found = walk(watched, live_server.url, pages)
    copy = tmp_path / "index.html"
    copy.write_bytes(files_of(package)["index.html"])
    found += walk(watched, copy.as_uri(), [""])
    assert "\n".join(found) == ""
    assert complaints == []


def conflict(page: Page, house: str) -> list[str]:
    """Two people change one customer; the faults of the page that asks whose words stay."""
    customer = Customer.objects.order_by("pk")[0]
    page.goto(house + reverse("customers:edit", args=[customer.number]))
    Customer.objects.filter(pk=customer.pk).update(version=customer.version + 1, last_name="Inzwischen")
    page.fill("[name=last_name]", "Meinerseits")
    page.locator("[name=last_name]").press("Enter")
    expect(page.locator("[name^=take-]").first).to_be_visible()
    return faults_of(page)


def test_the_main_job_needs_no_scripts(
    live_server: LiveServer, browser: Browser, everybody: User, enter: Enter
) -> None:
    context: Any = browser.new_context(java_script_enabled=False, locale="de-DE")
    open_shop(enter(context, everybody), everybody, customers=30)
    enter(context, everybody)
    page = context.new_page()
    customer = Customer.objects.exclude(last_name="").order_by("pk")[0]
    page.goto(f"{live_server.url}{reverse('portal:customer_list')}")
    page.fill("main [name=find]", customer.last_name)
    page.press("main [name=find]", "Enter")
    page.wait_for_url("**/customers/?*s=*")
    expect(page.locator("tbody tr").first).to_contain_text(customer.last_name)
    page.fill("#ob-search", customer.number)
    page.press("#ob-search", "Enter")
    page.wait_for_url(f"**{reverse('portal:customer_detail', args=[customer.number])}")
    page.locator('main a[href*="kind=call"]').click()
    page.fill("[name=content]", "Ohne Skripte notiert.")
    page.click("main form .btn-primary")
    expect(page.locator(".timeline")).to_contain_text("Ohne Skripte notiert.")
    assert Interaction.objects.latest("pk").content == "Ohne Skripte notiert."
    context.close()
