"""More of the same as P09, P10, P14 and P19: who is erased, who shares something with them, and what comes in again."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from customers.models import (
    Address,
    ContactPerson,
    ContactPoint,
    Customer,
    ExternalId,
    Flag,
    HeldIntake,
    Note,
    Tombstone,
)
from customers.suppression import suppressed
from customers.tombstones import erased
from datamap.models import AccessLog
from interactions.models import Attachment, Complaint, Interaction
from orders.intake import write_orders
from orders.models import Document, Order, Return
from privacy import restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure, Hold, Package
from privacy.recipients import recipients_of_ref
from privacy.removing import remove_files
from staff.models import Role, User
from tests.customers.making import bring_in, make_row
from tests.orders.test_intake import make_source as order_source
from tests.orders.test_intake import row as order_row
from tests.privacy.making import at, make_contact, make_order, make_paper, make_person, take
from tests.privacy.noting import disclose, make_recipient
from tests.privacy.test_trials_retention import _everything

pytestmark = pytest.mark.django_db


def erase(number: str, *arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("erase_person", number, *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def items(told: dict[str, Any]) -> dict[tuple[str, str, str | None], int]:
    """(model, action, until) -> rows, history aside."""
    found: dict[tuple[str, str, str | None], int] = {}
    for item in told["items"]:
        if ".Historical" not in item["model"]:
            key = item["model"], item["action"], item["until"]
            found[key] = found.get(key, 0) + item["count"]
    return found


@pytest.fixture(autouse=True)
def _on_a_developers_machine(settings: Any) -> None:
    """Only there may a day to come really delete."""
    settings.DEBUG = True


# --- the plan and the run ---------------------------------------------------------------------------------------


def test_each_kind_of_row_ends_as_its_column_says_and_as_the_plan_said() -> None:
    customer = make_person()
    Address.objects.create(customer=customer, street="Hauptstr. 1", city="Hamburg")
    _everything(customer)
    order = customer.orders.get()
    make_paper(order, "credit_note", "2017-04-04")  # INV until 2025-12-31: over
    make_paper(order, "delivery_note", "2026-03-04")
    Hold.objects.create(
        kind="claim", customer=customer, reason="war", review_on="2026-06-01", released_at=at("2026-06-01")
    )
    disclose(make_recipient("Nordpost", "parcel"), customer, "2026-03-04")
    Package.objects.create(customer=customer, kind="access", state="ready", built_at=at("2026-11-20"))
    plan = erase("4711", "--as-of", "2026-11-28", "--dry-run")
    assert Customer.objects.count() == 1 and not Tombstone.objects.exists()
    told = erase("4711", "--as-of", "2026-11-28")
    assert told["complete"] and plan["complete"] and told["receipt"] and plan["receipt"] is None
    assert told["items"] == plan["items"]
    found = items(told)
    expected = {
        ("customers.Customer", "delete", None): 1,
        ("customers.Address", "delete", None): 1,
        ("customers.ContactPoint", "delete", None): 2,
        ("customers.Note", "delete", None): 1,
        ("customers.Flag", "delete", None): 1,  # FRAUD: delete
        ("customers.CustomerTag", "delete", None): 1,
        ("customers.Preference", "delete", None): 1,
        ("interactions.FollowUp", "delete", None): 1,
        ("interactions.Interaction", "delete", None): 1,  # the enquiry
        ("interactions.Interaction", "block", "2033-01-01"): 1,  # letter of 2026
        ("interactions.Interaction", "block", "2030-01-01"): 1,  # claim of 2026
        ("interactions.Complaint", "block", "2030-01-01"): 1,
        ("orders.Order", "anonymize", None): 1,
        ("orders.OrderLine", "anonymize", None): 1,
        ("orders.Document", "block", "2035-01-01"): 1,  # invoice of 2026
        ("orders.Document", "block", "2033-01-01"): 1,  # confirmation of 2026
        ("orders.Document", "delete", None): 2,  # credit note of 2017, delivery note
        ("orders.Return", "block", "2033-01-01"): 1,  # a withdrawal is a business letter
        ("mail.Letter", "block", "2033-01-01"): 1,
        ("mail.Message", "anonymize", None): 1,
        ("privacy.Request", "block", "2030-01-01"): 1,
        ("privacy.Hold", "block", "2030-01-01"): 1,
        ("privacy.Package", "delete", None): 1,
        ("datamap.AccessLog", "anonymize", None): 1,
    }
    assert {key: count for key, count in found.items() if key in expected} == expected
    assert {model for model, _action, _until in found} - {model for model, _action, _until in expected} <= {
        "customers.Summary", "customers.SearchEntry", "orders.CustomerTotal", "privacy.Disclosure", "privacy.Erasure",
        "privacy.ErasureStep", "privacy.Notice", "privacy.RequestEvent", "privacy.HoldReview",
    }  # fmt: skip
    assert not Customer.history.exists() and not ContactPoint.history.exists()  # type: ignore[attr-defined]
    assert {one.recipient.name for one in recipients_of_ref(told["subject_ref"])} == {"Nordpost"}


def test_a_tax_matter_keeps_even_what_is_over_when_somebody_asks_for_erasure() -> None:
    customer = make_person()
    make_paper(make_order(customer, "2017-05-20"), "invoice", "2017-06-01")
    hold = Hold.objects.create(
        kind="tax", first_year=2016, last_year=2017, categories=["INV"], reason="Prüfung", review_on="2027-01-01"
    )
    told = erase("4711", "--as-of", "2026-11-28")
    assert told["complete"]
    assert [action for model, action, _until in items(told) if model == "orders.Document"] == ["block"]
    paper = Document.archive.get()
    assert (paper.customer_id, str(paper.subject_ref)) == (None, told["subject_ref"])
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now())
    call_command("purge_expired", "--as-of", "2026-11-29", "--json", stdout=StringIO())
    assert not Document.archive.exists()


def test_asked_twice_there_is_one_receipt_and_whoever_never_was_is_a_bad_argument() -> None:
    make_person()
    first = erase("4711")
    assert erase("4711") == first
    assert erase("4711", "--dry-run") == first
    with pytest.raises(CommandError) as refusal:
        erase("0815")
    assert refusal.value.returncode == 2


# --- what stays while something runs ----------------------------------------------------------------------------


@pytest.mark.parametrize("matter", ["unpaid", "unreturned money", "claim of an order"])
def test_only_the_order_of_the_matter_stays_and_the_rest_goes_at_once(matter: str) -> None:
    customer = make_person(birthday_day=4, birthday_month=5)
    other, kept = make_order(customer, "2024-02-02"), make_order(customer, "2026-03-03")
    for order in (other, kept):
        make_paper(order, "invoice", f"{order.placed_at:%Y-%m-%d}")
    Note.objects.create(customer=customer, text="Mag Kaffee")
    Flag.objects.create(customer=customer, kind="fraud", reason="x", review_on="2027-12-01")
    make_contact(customer, "2026-04-01", "ticket")
    make_contact(customer, "2026-04-01", "claim", order_number=kept.number)
    back = hold = None
    if matter == "unpaid":
        Order.objects.filter(pk=kept.pk).update(payment="open", paid_at=None, status="shipped")
    elif matter == "unreturned money":
        back = Return.objects.create(order=kept, customer=customer, state="received", requested_at=at("2026-03-10"))
    else:
        hold = Hold.objects.create(
            kind="claim", customer=customer, order_number=kept.number, reason="Streit", review_on="2027-06-01"
        )
    told = erase("4711", "--as-of", "2026-11-28")
    assert not told["complete"] and told["holds"]
    assert Order.objects.exclude(customer=None).get() == kept
    assert Document.objects.get().order == kept
    assert Interaction.objects.get().order_number == kept.number
    assert not Note.objects.exists() and not Flag.objects.exists()
    customer.refresh_from_db()
    assert (customer.birthday_day, customer.birthday_month) == (None, None)  # campaigns are over at once
    assert suppressed("email", "alma4711@laden.example")
    # Once it is over the rest follows.
    Order.objects.filter(pk=kept.pk).update(payment="paid", paid_at=at("2026-11-20"), status="completed")
    if back:
        Return.objects.filter(pk=back.pk).update(state="refunded", refunded_at=at("2026-11-20"))
    if hold:
        Hold.objects.filter(pk=hold.pk).update(released_at=at("2026-11-20"))
    assert erase("4711")["complete"]
    assert not Customer.objects.exists() and not Order.objects.exclude(customer=None).exists()


@pytest.mark.parametrize("kind", ["authority", "claim"])
def test_a_hold_on_the_whole_person_keeps_everything(kind: str) -> None:
    customer = make_person()
    _everything(customer)
    Hold.objects.create(kind=kind, customer=customer, reason="Verfahren", review_on=date(2027, 6, 1))
    plan = erase("4711", "--as-of", "2026-11-28", "--dry-run")
    assert {item["action"] for item in plan["items"]} == {"keep"}
    assert "datamap.AccessLog" in {item["model"] for item in plan["items"]}
    erase("4711", "--as-of", "2026-11-28")
    assert set(AccessLog.objects.values_list("customer_number", flat=True)) == {"4711"}
    assert Customer.objects.get().birthday_day is None
    assert Note.objects.count() == Order.objects.count() == Complaint.objects.count() == 1
    assert Document.objects.count() == 2 and Interaction.objects.count() == 3


# --- others beside the person -----------------------------------------------------------------------------------


def test_a_family_with_one_address_loses_one_member_only(tmp_path: Path) -> None:
    parent, child = make_person("1"), make_person("2", first_name="Ole")
    for one in (parent, child):
        point = one.contact_points.get(kind="email")
        point.value = "familie@laden.example"
        point.save()
    ExternalId.objects.create(customer=child, platform="shopify", value="77")
    make_order(child, "2026-03-03")
    told = erase("1")
    assert told["complete"]
    assert Customer.objects.get() == child
    assert child.contact_points.get(kind="email").value == "familie@laden.example"
    assert child.orders.get().billing["name"] == "Alma Kanarienvogel"
    # News of the other one comes in as before, by id and by address.
    assert bring_in(make_row(external_id="77", email="familie@laden.example", city="Kiel")).held == 0
    write_orders([order_row(email="familie@laden.example")], order_source())
    assert Order.objects.get(external_id="1001").customer == child


def test_who_is_the_recipient_of_a_present_only_leaves_the_order_of_the_giver() -> None:
    giver, friend = make_person("1"), make_person("2", first_name="Ole", last_name="Beschenkt")
    order = make_order(
        giver, "2026-03-03", gift_recipient=friend, deviating=True, gift_note="Lieber Ole",
        shipping={"name": "Ole Beschenkt", "street": "Hafen 7"},
    )  # fmt: skip
    assert erase("2", "--as-of", "2026-11-28")["complete"]
    order.refresh_from_db()
    assert (order.customer, order.gift_recipient, order.shipping, order.gift_note) == (giver, None, None, None)
    assert order.billing["name"] == "Alma Kanarienvogel" and order.number
    assert "Beschenkt" not in json.dumps([row.shipping for row in order.history.all()])


def test_a_present_on_its_way_keeps_the_address_it_goes_to() -> None:
    """domain.md 4.2, open_order: the contract with the giver stays whole until the parcel has come."""
    giver, friend = make_person("1"), make_person("2", first_name="Ole", last_name="Beschenkt")
    place = {"name": "Ole Beschenkt", "street": "Hafen 7"}
    order = make_order(
        giver, "2026-11-20", gift_recipient=friend, gift_note="Lieber Ole", shipping=place,
        delivered_at=None, status="processing",
    )  # fmt: skip
    make_contact(friend, "2026-05-05")
    told = erase("2", "--as-of", "2026-11-28")
    assert [hold["kind"] for hold in told["holds"]] == ["open_order"] and not told["complete"]
    order.refresh_from_db()
    assert (order.gift_recipient, order.shipping, order.gift_note) == (friend, place, "Lieber Ole")
    assert not friend.interactions.exists()
    Order.objects.filter(pk=order.pk).update(delivered_at=at("2026-11-29"), status="completed")
    assert erase("2", "--as-of", "2026-11-30")["complete"]
    order.refresh_from_db()
    assert (order.customer, order.gift_recipient, order.shipping, order.gift_note) == (giver, None, None, None)


def test_who_gave_the_present_goes_and_the_friend_keeps_their_part() -> None:
    giver, friend = make_person("1"), make_person("2", first_name="Ole", last_name="Beschenkt")
    order = make_order(
        giver, "2026-03-03", gift_recipient=friend, gift_note="Lieber Ole", shipping={"name": "Ole Beschenkt"}
    )
    assert erase("1", "--as-of", "2026-11-28")["complete"]
    order.refresh_from_db()
    assert (order.customer, order.billing, order.number) == (None, None, "")
    assert (order.gift_recipient, order.shipping) == (friend, {"name": "Ole Beschenkt"})
    assert erase("2", "--as-of", "2026-11-28")["complete"]
    order.refresh_from_db()
    assert (order.gift_recipient, order.shipping, order.gift_note) == (None, None, None)


def test_a_company_goes_with_its_contact_persons_who_may_come_back_on_their_own() -> None:
    firm = make_person("9", kind="company", company="Rösterei Deich GmbH", first_name="", last_name="")
    ContactPerson.objects.create(
        customer=firm, first_name="Ina", last_name="Ansprech", email="ina@roesterei.example", phone="+494012345"
    )
    order = make_order(firm, "2026-03-03", shipping={"name": "Lager Süd", "street": "Kai 3"}, deviating=True)
    told = erase("9", "--as-of", "2026-11-28")
    assert told["complete"] and items(told)["customers.ContactPerson", "delete", None] == 1
    order.refresh_from_db()
    assert (order.shipping, order.billing) == (None, None)
    assert erased(email="alma9@laden.example") and not erased(email="ina@roesterei.example")
    assert bring_in(make_row(external_id="5", email="ina@roesterei.example")).created == 1


# --- what comes in afterwards -----------------------------------------------------------------------------------


@pytest.fixture
def gone() -> Erasure:
    customer = make_person("K-4711")
    ExternalId.objects.create(customer=customer, platform="shopify", value="77")
    done = run_erasure(ask_erasure(customer).pk)
    assert done.state == Erasure.State.DONE
    return done


@pytest.mark.parametrize(
    "row",
    [
        {"external_id": "77"},
        {"external_id": "78", "email": " ALMAK-4711@Laden.Example "},
        {"external_id": "79", "phone": "030 1234567", "country": "DE"},
        {"external_id": "80", "number": "K-4711"},
    ],
    ids=["id", "e-mail", "phone", "number"],
)
def test_a_row_about_somebody_erased_waits_and_a_later_registration_is_somebody_new(
    gone: Erasure, row: dict[str, Any]
) -> None:
    yesterday, tomorrow = timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=1)
    for when in ({}, {"registered_at": yesterday}):
        assert bring_in(make_row(**row, **when)).held == 1
    assert not Customer.objects.exists()
    assert set(HeldIntake.objects.values_list("reason", "subject_ref")) == {("tombstone", gone.subject_ref)}
    assert bring_in(make_row(**row, registered_at=tomorrow)).created == 1
    new = Customer.objects.get()
    assert not new.orders.exists()
    # The objection that an erasure implies stays until a fresh confirmed consent.
    assert suppressed("email", "almak-4711@laden.example")


def test_orders_of_before_the_erasure_wait_and_those_after_it_are_a_new_guests(gone: Erasure) -> None:
    before, after = timezone.now() - timedelta(days=3), timezone.now() + timedelta(hours=1)
    email = "almak-4711@laden.example"
    rows = [
        order_row("1", email=email, placed_at=before),
        order_row("2", customer_external_id="77", placed_at=before),
        order_row("3", email=email, placed_at=after),
        order_row("4", guest=True, email=email, placed_at=before),
    ]
    outcome = write_orders(rows, order_source())
    assert (outcome.held, outcome.created) == (3, 1)
    order = Order.objects.get()
    assert (order.external_id, order.kind, order.customer.status) == ("3", "guest", "guest")
    assert Tombstone.objects.filter(subject_ref=gone.subject_ref).exists()


# --- restriction ------------------------------------------------------------------------------------------------


def test_what_comes_in_about_somebody_restricted_is_matched_held_and_not_written(tmp_path: Path) -> None:
    officer = User.objects.create_user("p@obhut.example", name="P", roles=[Role.PRIVACY])
    customer = make_person()
    ExternalId.objects.create(customer=customer, platform="shopify", value="77")
    restricting.restrict(customer, "b", ["contact"], "lieber gesperrt", by=officer)
    points = list(customer.contact_points.values_list("pk", "whole_index"))
    outcome = bring_in(make_row(external_id="77", last_name="Neu", email="neu@laden.example"))
    assert (outcome.held, outcome.created, outcome.updated) == (1, 0, 0)
    outcome = write_orders([order_row(customer_external_id="77")], order_source())
    assert (outcome.held, outcome.created) == (1, 0)
    customer.refresh_from_db()
    assert customer.last_name == "Kanarienvogel" and not customer.orders.exists()
    assert list(customer.contact_points.values_list("pk", "whole_index")) == points
    assert set(HeldIntake.objects.values_list("reason", "customer")) == {("restricted", customer.pk)}


# --- asked again ------------------------------------------------------------------------------------------------


def test_who_was_erased_and_asks_again_is_answered_from_what_is_still_kept(
    privacy: User, fresh: Callable[[User], Client], tmp_path: Path
) -> None:
    customer = make_person()
    paper = make_paper(make_order(customer, "2026-03-03"), "invoice", "2026-03-04")
    told = erase("4711", "--as-of", "2026-11-28")
    case = take(kind="access", name="Alma Kanarienvogel", email="ALMA4711@laden.example")
    client = fresh(privacy)
    make = reverse("privacy:package_for_case", args=[case.pk])
    page = client.get(reverse("privacy:request", args=[case.pk]))
    assert page.context["erased_before"] and not page.context["makes_packages"]
    assert client.post(make).status_code == 404  # the address may be a relative's: who asks is settled first
    client.post(reverse("privacy:request_settle", args=[case.pk]), {"version": case.version, "method": "known_facts"})
    assert client.get(reverse("privacy:request", args=[case.pk])).context["makes_packages"]
    assert client.post(make).status_code == 302
    package = Package.objects.get()
    assert (package.customer, str(package.subject_ref), package.request) == (None, told["subject_ref"], case)
    out = StringIO()
    call_command("export_person", "4711", "--kind", "access", "--output", str(tmp_path / "a.zip"), "--json", stdout=out)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert paper.number in archive.read("data/orders.Document.json").decode()
    # Art. 20 gives what was provided under consent or contract; papers kept for a law are neither.
    call_command("export_person", "4711", "--kind", "portability", "--output", str(tmp_path / "p.zip"), stdout=out)
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert not any(paper.number in archive.read(name).decode(errors="replace") for name in archive.namelist())


def test_whoever_never_was_here_gets_no_package(privacy: User, fresh: Callable[[User], Client]) -> None:
    make_person()
    erase("4711")
    case = take(kind="access", name="Otto Anders", email="otto@anders.example")
    client = fresh(privacy)
    client.post(reverse("privacy:request_settle", args=[case.pk]), {"version": case.version, "method": "known_facts"})
    page = client.get(reverse("privacy:request", args=[case.pk]))
    assert not page.context["erased_before"] and not page.context["makes_packages"]
    assert client.post(reverse("privacy:package_for_case", args=[case.pk])).status_code == 404


def test_a_guest_who_asks_leaves_figures_and_a_letter_keeps_its_file_to_its_last_day(tmp_path: Path) -> None:
    guest = make_person(status="guest")
    order = make_order(guest, "2026-03-03", kind="guest")
    letter = make_contact(guest, "2026-03-05", "letter")
    enquiry = make_contact(guest, "2026-03-05", "ticket")
    files = []
    for contact in (letter, enquiry):
        kept = Attachment(interaction=contact, name="Foto", content_type="image/png", size=3)
        kept.file.save("file", ContentFile(b"abc"))
        files.append(Path(kept.file.path))
    assert erase("4711", "--as-of", "2026-11-28")["complete"]
    order.refresh_from_db()
    # On request ORDER is made anonymous; only at the end of GUEST it stays blocked.
    assert (order.customer, order.number, order.blocked_at) == (None, "", None)
    assert [file.exists() for file in files] == [True, False]
    call_command("purge_expired", "--as-of", "2032-12-31", "--json", stdout=StringIO())
    remove_files()
    assert files[0].exists()
    call_command("purge_expired", "--as-of", "2033-01-01", "--json", stdout=StringIO())
    remove_files()
    assert not files[0].exists() and not Interaction.archive.exists()
