"""The page of one customer: who may open it, what it shows, and that each look is noted."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from consents.models import Record
from customers.models import (
    ContactPerson,
    CustomerTag,
    ExternalId,
    Flag,
    Note,
    OptInClaim,
    Origin,
    Preference,
    Tag,
)
from datamap.catalogue import rule_for
from datamap.models import AccessLog, Controller
from orders.models import CustomerTotal, Document, Order
from portal.keeping import kept_for
from privacy.erasing import ask_erasure, cancel_erasure
from privacy.models import Policy, Recipient
from staff.models import Role, User
from tests.consents import making as consenting
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def page(number: str) -> str:
    return reverse("portal:customer_detail", args=[number])


def test_each_role_gets_what_it_may_and_each_look_is_noted(
    agent_client, manager_client, outsider_client, client, agent
):
    make_customer("10482")
    assert agent_client.get(page("10482")).status_code == 200
    assert manager_client.get(page("10482")).status_code == 200
    assert outsider_client.get(page("10482")).status_code == 403
    assert client.get(page("10482")).status_code == 302
    looks = AccessLog.objects.filter(customer_number="10482").order_by("id")
    assert [(look.page, look.user_id) for look in looks][0] == ("customer_detail", agent.pk)
    assert looks.count() == 2


@pytest.mark.parametrize("number", ["99999", "0", "10482x", "%00", "a" * 500, "..%2F..", "Ω"])
def test_an_unknown_number_is_404_and_not_noted(agent_client, number):
    make_customer("10482")
    for name in ("customer_detail", "customer_timeline", "customer_history"):
        path = f"/customers/{number}/" + {"customer_detail": ""}.get(name, f"{name.removeprefix('customer_')}/")
        assert agent_client.get(path).status_code == 404
    assert not AccessLog.objects.exists()


def test_a_restricted_customer_does_not_exist_for_the_service(agent_client, signed_in, privacy):
    make_customer("10482", restricted_at=timezone.now())
    for name in ("customer_detail", "customer_timeline", "customer_history"):
        url = reverse(f"portal:{name}", args=["10482"])
        assert agent_client.get(url).status_code == 404
        assert signed_in(privacy).get(url).status_code == 200


def test_whoever_is_to_be_erased_is_marked_until_it_is_taken_back(agent_client, agent):
    customer = make_customer("10482")
    Policy(undo_hours=24).save()
    erasure = ask_erasure(customer, user=agent)
    assert "wird gelöscht" in agent_client.get(page("10482")).text
    cancel_erasure(erasure, by=agent)
    assert "wird gelöscht" not in agent_client.get(page("10482")).text


def test_the_page_shows_what_is_known(agent_client, agent):
    customer = make_customer(
        "10482",
        last_name="Müller",
        first_name="Jürgen",
        company="Müller KG",
        vat_id="DE136695976",
        email="j.mueller@example.org",
        phone="+49405550142",
        birthday_day=29,
        birthday_month=2,
        deactivated_at=NOON,
        open_complaints=1,
    )
    origin = Origin.objects.create(kind="file", platform="mailchimp", label="Mailchimp")
    CustomerTag.objects.create(customer=customer, tag=Tag.objects.create(name="Stammkunde"))
    Preference.objects.create(customer=customer, kind="interest", value="Kaffee", said_by="customer")
    ContactPerson.objects.create(customer=customer, last_name="Sprecherin", email="s@example.org")
    ExternalId.objects.create(customer=customer, platform="shopify", value="72057594037927937")
    Flag.objects.create(customer=customer, kind="minor", reason="sagt sie selbst", review_on="2027-01-01")
    OptInClaim.objects.create(customer=customer, channel="email", state="yes", origin=origin)
    text = agent_client.get(page("10482")).content.decode()
    names = ("Jürgen Müller", "Sprecherin", "Stammkunde", "Kaffee", "sagt sie selbst", "Mailchimp")
    reached = ("j.mueller@example.org", "+49 40 5550142", "s@example.org", "Elbchaussee 12", "22767")
    for shown in (*names, *reached, "DE136695976", "72057594037927937"):
        assert shown in text
    assert text.count("chip warn") >= 3


def test_a_birthday_is_told_as_kept_only_where_there_is_one(agent_client):
    make_customer("10482", birthday_day=29, birthday_month=2)
    make_customer("10483")
    said = str(rule_for("BDAY", timezone.localdate()).category)
    with translation.override("de"):
        said = translation.gettext(said)
    lines = {n: [line.label for line in agent_client.get(page(n)).context["kept"]] for n in ("10482", "10483")}
    assert [line.count(said) for line in lines.values()] == [1, 0]


def test_names_and_notes_are_shown_and_never_run(agent_client):
    evil = "<img src=x onerror=alert(1)>\"'"
    customer = make_customer("1", last_name=evil, city=evil, email="a@example.org")
    Note.objects.create(customer=customer, text=evil)
    Preference.objects.create(customer=customer, kind="interest", value=evil, said_by="staff")
    text = agent_client.get(page("1")).content.decode()
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_a_customer_without_any_name_is_called_by_number(agent_client):
    make_customer("23570", first_name="", last_name="", status="prospect")
    assert "23570</h1>" in agent_client.get(page("23570")).content.decode()


def test_purchases_are_summed_per_currency_and_drawn(agent_client):
    customer = make_customer("1")
    placed = timezone.now() - timedelta(days=1)
    Order.objects.create(number="A-1", customer=customer, placed_at=placed, total="100.00", refunded="20.00")
    Order.objects.create(number="A-2", customer=customer, placed_at=placed, total="9", cancelled_at=placed)
    CustomerTotal.objects.create(customer=customer, currency="EUR", orders=1, sum="80", first=placed, last=placed)
    CustomerTotal.objects.create(customer=customer, currency="CHF", orders=2, sum="7.50", first=placed, last=placed)
    purchases = agent_client.get(page("1")).context["purchases"]
    assert [(t.currency, t.orders, t.sum, t.average) for t in purchases.totals] == [
        ("EUR", 1, 80, 80),
        ("CHF", 2, 7.5, 3.75),
    ]
    assert len(purchases.chart.bars) == 10
    assert [bar.value for bar in purchases.chart.bars if bar.height][-1] == 80
    assert max(bar.y + bar.height for bar in purchases.chart.bars) <= purchases.chart.height


def test_purchases_need_the_permission_for_orders(signed_in):
    marketing = User.objects.create_user("marketing@obhut.example", name="Marketing", roles=[Role.MARKETING])
    make_customer("1")
    assert signed_in(marketing).get(page("1")).context["purchases"] is None


def test_the_panel_says_the_last_day_of_each_kind_of_data():
    """ACCOUNT: 24 months from the last activity; TICKET: 12 months; CLAIM-OPTIN: 6 months (domain.md 5)."""
    customer = make_customer("1", last_activity=NOON)
    origin = Origin.objects.create(kind="file")
    Note.objects.create(customer=customer, text="x", created_at=NOON)
    Note.objects.create(customer=customer, text="y", created_at=NOON - timedelta(days=30))
    OptInClaim.objects.create(customer=customer, channel="email", state="yes", origin=origin, claimed_at=NOON)
    lines = kept_for(customer)
    assert (str(lines[0].until), lines[0].count) == ("2028-05-02", None)
    found = {(line.count, str(line.until)) for line in lines[1:]}
    assert (2, "2027-05-02") in found
    assert (1, "2026-11-02") in found
    notes = next(line for line in lines if line.count == 2)
    assert str(notes.first_until) == "2027-04-02"


def test_the_panel_says_purpose_basis_source_and_recipients_of_each_kind_of_data(agent_client):
    """Whoever stands in the list of recipients is named, as Art. 15(1)(c) would have it (C-154/21)."""
    customer = make_customer("1", last_activity=NOON)
    Order.objects.create(number="B-1", customer=customer, placed_at=NOON, delivered_at=NOON)
    Recipient.objects.create(name="Nordpost", kind="parcel", role="controller")
    lines = kept_for(customer)
    for line in lines:
        assert line.purposes and line.bases and line.sources
    told = {line.label for line in lines if any("Nordpost" in one for one in line.recipients)}
    assert translation.gettext(str(rule_for("ORDER", timezone.localdate()).category)) in told
    text = agent_client.get(page("1")).content.decode()
    assert "Nordpost" in text and "von der Person selbst oder im Umgang mit ihr entstanden" in text


def test_the_panel_names_the_law_and_reckons_the_day_of_every_kind_of_data(agent_client):
    customer = make_customer("1", last_activity=NOON)
    Document.objects.create(customer=customer, kind="invoice", number="R-1", issued_at=NOON, currency="EUR", gross=1)
    kept = kept_for(customer)
    assert all(line.law for line in kept)
    (papers,) = [line for line in kept if "AO § 147" in line.statute]
    assert papers.law.endswith("(Abgabenordnung, Handelsgesetzbuch, Umsatzsteuergesetz)")
    text = agent_client.get(page("1")).content.decode()
    assert papers.law in text and "Zählt ab 01.05.2026 (Ausstellungsdatum)." in text


def test_the_panel_marks_the_oldest_rows_as_due_though_newer_ones_stay(agent_client):
    customer = make_customer("1")
    now = timezone.now()
    Note.objects.create(customer=customer, text="neu", created_at=now)
    assert "älteste fällig" not in agent_client.get(page("1")).content.decode()
    # TICKET: 12 months (domain.md 5).
    Note.objects.create(customer=customer, text="alt", created_at=now - timedelta(days=400))
    notes = next(line for line in kept_for(customer) if line.count == 2)
    assert (notes.is_due, notes.oldest_is_due) == (False, True)
    assert agent_client.get(page("1")).content.decode().count("älteste fällig") == 1


def test_the_panel_counts_each_kind_of_order_data_once():
    customer = make_customer("1", last_activity=NOON)
    for number in range(3):
        Order.objects.create(number=str(number), customer=customer, placed_at=NOON, delivered_at=NOON)
    orders = [line for line in kept_for(customer) if line.count == 3]
    # Three years from the end of the year of delivery (BGB §§ 195, 199).
    assert [str(line.until) for line in orders] == ["2030-01-01"]


def test_the_panel_counts_an_event_of_a_consent_once():
    """The same row proves the consent and its use: two purposes, one event."""
    customer = make_customer("1", last_activity=NOON)
    consenting.say(customer)
    consenting.say(customer, "withdrawn")
    assert Record.objects.filter(customer=customer).count() == 2
    (proof,) = [line for line in kept_for(customer) if "Art. 7(1)" in line.statute]
    assert (proof.count, len(proof.purposes)) == (2, 2)
    assert proof.parts.startswith("2 ")


def test_the_number_of_queries_does_not_grow_with_what_is_known(agent_client):
    customer = make_customer("1")
    origin = Origin.objects.create(kind="file")

    def fill(start: int, end: int) -> None:
        for n in range(start, end):
            Note.objects.create(customer=customer, text="x")
            ExternalId.objects.create(customer=customer, platform="p", value=str(n))
            OptInClaim.objects.create(customer=customer, channel=str(n), state="yes", origin=origin)
            Order.objects.create(number=str(n), customer=customer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert agent_client.get(page("1")).status_code == 200
        return len(captured)

    fill(0, 3)
    queries()
    before = queries()
    fill(3, 9)
    assert queries() == before


def test_the_history_shows_who_changed_what(agent_client):
    customer = make_customer("1", last_name="Vorher")
    customer.last_name = "Nachher"
    customer.save()
    answer = agent_client.get(reverse("portal:customer_history", args=["1"]))
    changed = [one for change in answer.context["changes"] for one in change.fields]
    assert ("Vorher", "Nachher") in [(one.before, one.after) for one in changed]


def test_the_history_says_language_and_month_in_words(agent_client):
    customer = make_customer("1", language="de", birthday_day=3, birthday_month=1)
    customer.language, customer.birthday_month = "en", 10
    customer.save()
    answer = agent_client.get(reverse("portal:customer_history", args=["1"]))
    changed = [(one.before, one.after) for one in answer.context["changes"][0].fields]
    assert sorted(changed) == [("Deutsch", "Englisch"), ("Januar", "Oktober")]


@pytest.mark.parametrize("name", ["portal:customer_detail", "orders:customer", "interactions:log", "customers:edit"])
def test_a_number_that_no_database_takes_is_no_customer(manager_client, name):
    address = reverse(name, args=["10482"]).replace("10482", "10%00482")
    assert manager_client.get(address).status_code == 404


def test_the_origin_is_told_in_words(agent_client):
    origin = Origin.objects.create(kind="file", platform="plain", label="plain")
    customer = make_customer("11", origin=origin)
    ExternalId.objects.create(customer=customer, platform="plain", value="ALFKI")
    OptInClaim.objects.create(
        customer=customer,
        channel="email",
        state="yes",
        origin=Origin.objects.create(kind="file", platform="shopify", label="shopify_customers"),
    )
    text = agent_client.get(page("11")).content.decode()
    assert "Datei · eigene Spalten" in text
    assert "Datei · Shopify" in text
    assert "<dt>eigene Spalten</dt>" in text
    assert "plain</" not in text
    assert "shopify_customers" not in text


def test_the_panel_of_a_supervised_shop_says_the_period_that_its_day_comes_from():
    """HGB § 257(4) s. 2: ten years where the business is under financial supervision."""
    Controller(supervised_financial=True).save()
    customer = make_customer("1", last_activity=NOON)
    Document.objects.create(customer=customer, kind="invoice", number="R-1", issued_at=NOON, currency="EUR", gross=1)
    with translation.override("en"):
        (line,) = [one for one in kept_for(customer) if "10 years from the end of the year" in one.period]
    assert line.until.year == NOON.year + 11
    assert line.law.startswith("HGB § 257(4) s. 2; EGAO Art. 97 § 19a(3)")
