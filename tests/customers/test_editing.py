"""Staff enter and change customers; two editors never overwrite each other, and history says who did what."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import call_command
from django.http import Http404
from django.test import RequestFactory
from django.utils import timezone

from customers.access import customer_for, visible_customers
from customers.claims import drop_expired_claims
from customers.deactivating import deactivate, reactivate
from customers.duplicates import likely_duplicates
from customers.editing import Conflict, save_customer
from customers.historying import changes_of
from customers.models import Address, ClaimReport, ContactPerson, ContactPoint, Customer, OptInClaim, Summary
from customers.rows import OptInRow
from customers.summary import OrderFigures, note_contact, set_orders
from customers.timeline import TimelineSource, register_source
from datamap.models import AccessLog
from staff.models import User
from tests.customers.making import bring_in, make_row, make_source, only_customer, write_customers

pytestmark = pytest.mark.django_db


@pytest.fixture
def privacy(db) -> User:
    return User.objects.create_user("privacy@obhut.example", name="Privacy", roles=["privacy"])


def enter(user, **kw) -> Customer:
    customer = Customer(**{"first_name": "Anna", "last_name": "Müller", **kw})
    return save_customer(customer, version=None, user=user)


def test_a_new_customer_gets_a_number_an_origin_and_is_found(agent):
    email = ContactPoint(kind="email", value="anna@example.de")
    phone = ContactPoint(kind="phone", value="030 12345678")
    address = Address(street="Hauptstr. 5", postcode="01067", city="Dresden")
    customer = save_customer(
        Customer(first_name="Anna", last_name="Müller"), version=None, user=agent, children=[email, phone, address]
    )
    assert (customer.number, customer.origin.kind, customer.sort_name) == ("10001", "staff", "muller anna")
    assert (ContactPoint.objects.get(kind="email").is_primary, phone.value) == (True, "+493012345678")
    assert ContactPoint.objects.get(whole_index="ANNA@example.de").customer == customer
    assert "dresden" in customer.search_entry.text
    assert customer.summary.last_activity is not None
    assert customer.history.get().history_user == agent


def test_the_second_editor_sees_a_conflict_and_nothing_is_lost(agent, manager):
    enter(agent)
    mine, theirs = only_customer(), only_customer()
    theirs.first_name = "Hanna"
    save_customer(theirs, version=theirs.version, user=manager)
    mine.first_name = "Johanna"
    with pytest.raises(Conflict) as conflict:
        save_customer(mine, version=1, user=agent)
    assert (conflict.value.mine.first_name, conflict.value.theirs.first_name) == ("Johanna", "Hanna")
    assert only_customer().first_name == "Hanna"


def test_a_value_that_does_not_fit_changes_nothing(agent):
    customer = enter(agent)
    customer.first_name = "Other"
    with pytest.raises(ValidationError):
        save_customer(customer, version=1, user=agent, children=[ContactPoint(kind="email", value="no address")])
    assert only_customer().first_name == "Anna"


def test_history_reads_as_what_changed_before_and_after_and_by_whom(agent, manager):
    address = Address(street="Hauptstr. 5", city="Berlin")
    customer = save_customer(Customer(last_name="Alt", salutation="ms"), version=None, user=agent, children=[address])
    customer.last_name, address.street = "Neu", "Ring 1"
    save_customer(customer, version=1, user=manager, children=[address], reason="asked by phone")
    newest = [change for change in changes_of(customer) if change.kind == "~"]
    assert {(change.who, change.reason) for change in newest} == {("Manager", "asked by phone")}
    assert {(f.before, f.after) for change in newest for f in change.fields} == {
        ("Alt", "Neu"),
        ("Hauptstr. 5", "Ring 1"),
    }
    first = [change for change in changes_of(customer) if change.kind == "+"]
    assert {change.who for change in first} == {"Agent"}


def test_an_import_stands_in_history_with_its_batch():
    source = make_source()
    write_customers([make_row(external_id="1", first_name="A")], source)
    assert {change.batch for change in changes_of(only_customer())} == {source.batch}


def test_history_of_a_customer_is_read_with_one_query_a_table(agent, django_assert_num_queries):
    customer = enter(agent)
    for number in range(5):
        address = Address(street=f"Weg {number}")
        save_customer(customer, version=customer.version, user=agent, children=[address])
    with django_assert_num_queries(4):
        changes_of(customer)


def test_deactivating_is_a_set_with_history_and_leaves_restricted_ones(agent):
    bring_in(*(make_row(n, external_id=str(n)) for n in range(2, 6)))
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    Customer.objects.filter(pk=ids[0]).update(restricted_at=timezone.now())
    assert deactivate(ids, user_id=agent.pk) == 3
    assert deactivate(ids, user_id=agent.pk) == 0
    assert Customer.objects.active().count() == 1
    changed = Customer.history.filter(history_type="~")
    assert set(changed.values_list("history_user", "history_change_reason")) == {(agent.pk, "deactivated")}
    assert reactivate(ids[:2], user_id=agent.pk) == 1
    assert Customer.objects.get(pk=ids[1]).deactivated_at is None


def reasons(user, **kw) -> list[tuple[str, ...]]:
    return [candidate.reasons for candidate in likely_duplicates(user=user, **kw).candidates]


def test_the_same_person_is_noticed_while_entering(agent):
    bring_in(
        make_row(
            external_id="1", first_name="Jörg", last_name="Schmidt", email="j.s@gmail.com", phone="0171 5552222",
            postcode="01067", city="Dresden",
        )
    )  # fmt: skip
    assert reasons(agent, email="J.S+shop@googlemail.com") == [("email",)]
    assert reasons(agent, phone="+49 171 555 2222") == [("phone",)]
    assert reasons(agent, first_name="Joerg", last_name="Schmitt", postcode="01067") == [("name",)]
    both = {"first_name": "Jörg", "last_name": "Schmidt", "postcode": "01067", "email": "j.s@gmail.com"}
    assert reasons(agent, **both) == [("email", "name")]
    assert reasons(agent, first_name="Jörg", last_name="Schmidt", postcode="01069") == []
    assert reasons(agent, **both, exclude=only_customer().pk) == []


def test_a_double_name_is_noticed_by_one_half_of_it(agent):
    bring_in(
        make_row(
            external_id="1", first_name="Anna-Lena", last_name="Müller-Lüdenscheidt", postcode="01067", city="Dresden"
        ),
        make_row(3, external_id="2", first_name="Anna", last_name="Groß", postcode="01067", city="Dresden"),
    )
    for last_name in ("Müller-Lüdenschiedt", "Mülelr-Lüdenscheidt", "Müller-Lüdenscheidt"):
        for first_name in ("Anna-Lena", "Anna-Lea", "Hanna-Lena"):
            assert reasons(agent, first_name=first_name, last_name=last_name, postcode="01067") == [("name",)]
    assert reasons(agent, first_name="Paul", last_name="Müller-Lüdenscheidt", postcode="01067") == []
    assert reasons(agent, first_name="Anna-Lena", last_name="Müller-Lüdenscheidt", postcode="01069") == []
    assert reasons(agent, first_name="%-%%", last_name="%%-%%", postcode="01067") == []


def test_whoever_speaks_for_a_company_is_a_likely_duplicate(agent):
    bring_in(make_row(external_id="1", company="Mühle KG", last_name="", email="info@muehle.example"))
    company = only_customer()
    ContactPerson.objects.create(customer=company, last_name="Groß", email="Ida@muehle.example", phone="+493012345678")
    assert reasons(agent, email="ida@muehle.example") == [("email",)]
    assert reasons(agent, phone="030 12345678") == [("phone",)]
    assert reasons(agent, email="ida@muehle.example", exclude=company.pk) == []


def test_a_household_is_not_taken_for_one_person(agent):
    bring_in(make_row(external_id="1", first_name="Petra", last_name="Schmidt", postcode="01067", city="Dresden"))
    assert reasons(agent, first_name="Klaus", last_name="Schmidt", postcode="01067") == []


def test_a_restricted_record_is_only_said_to_be_there(agent, privacy):
    bring_in(make_row(external_id="1", email="a@example.de"))
    Customer.objects.update(restricted_at=timezone.now())
    found = likely_duplicates(user=agent, email="a@example.de")
    assert (found.candidates, found.protected) == ([], True)
    assert not likely_duplicates(user=privacy, email="a@example.de").protected


def request_of(user):
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_the_door_asks_for_the_permission_hides_the_restricted_and_writes_the_log(agent, outsider, privacy):
    customer = enter(agent)
    assert customer_for(request_of(agent), customer.number, page="customer") == customer
    line = AccessLog.objects.get()
    assert (line.user_id, line.customer_number, line.page) == (agent.pk, customer.number, "customer")
    with pytest.raises(PermissionDenied):
        customer_for(request_of(outsider), customer.number, page="customer")
    with pytest.raises(Http404):
        customer_for(request_of(agent), "1", page="customer")
    Customer.objects.update(restricted_at=timezone.now())
    with pytest.raises(Http404):
        customer_for(request_of(agent), customer.number, page="customer")
    assert customer_for(request_of(privacy), customer.number, page="customer") == customer
    assert (visible_customers(agent).count(), visible_customers(privacy).count()) == (0, 1)
    assert AccessLog.objects.count() == 2


def test_claims_go_after_their_period_and_are_reported():
    claims = (OptInRow("email", "yes"), OptInRow("sms", "yes"))
    bring_in(*(make_row(n, external_id=str(n), opt_ins=claims) for n in range(2, 5)))
    imported = datetime(2026, 1, 15, 12, tzinfo=timezone.get_default_timezone())
    OptInClaim.objects.update(claimed_at=imported)
    out = StringIO()
    call_command("drop_expired_claims", as_of=date(2199, 1, 1), dry_run=True, json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"as_of": "2199-01-01", "dry_run": True, "dropped": 6}
    assert (OptInClaim.objects.count(), ClaimReport.objects.count()) == (6, 0)
    # CLAIM-OPTIN: six months, the day itself not counted: 15 July is the last day.
    assert drop_expired_claims(date(2026, 7, 15)) == 0
    assert drop_expired_claims(date(2026, 7, 16)) == 6
    assert dict(ClaimReport.objects.values_list("channel", "dropped")) == {"email": 3, "sms": 3}
    assert drop_expired_claims(date(2026, 7, 16)) == 0
    assert ClaimReport.objects.count() == 2


def test_the_summary_only_ever_moves_forward_and_writes_what_differs(agent):
    customer = enter(agent)
    now = timezone.now()
    note_contact([customer.pk], now + timedelta(hours=1), call=True)
    note_contact([customer.pk], now - timedelta(days=9))
    summary = Summary.objects.get()
    assert summary.last_contact == summary.last_call == summary.last_activity == now + timedelta(hours=1)
    figures = {customer.pk: OrderFigures(2, 30, now, date(2026, 1, 1), now + timedelta(days=1))}
    assert (set_orders(figures), set_orders(figures)) == (1, 0)
    summary.refresh_from_db()
    assert (summary.orders, summary.revenue, summary.last_activity) == (2, 30, now + timedelta(days=1))


def test_a_timeline_key_is_used_once():
    with pytest.raises(Exception, match="twice"):
        register_source(TimelineSource("note", "x", "edit", "SELECT %(customer)s", at="a"))
