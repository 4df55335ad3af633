"""An import is taken back to the state before it, and whoever was edited since is left and named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from customers import undoing
from customers.editing import save_customer
from customers.intake import decide_held, write_customers, write_suppressions
from customers.models import (
    ContactPoint,
    Customer,
    ExternalId,
    HeldIntake,
    Note,
    OptInClaim,
    Origin,
    SearchEntry,
    Summary,
    Suppression,
    SuppressionMention,
    Tag,
)
from customers.rows import OptInRow, SuppressionRow
from customers.summary import note_contact
from customers.suppression import suppress, suppressed
from customers.undoing import undo_customers
from tests.customers.making import bring_in, make_row, make_source, point
from tests.customers.test_intake import full_row

pytestmark = pytest.mark.django_db


def snapshot():
    """What stands in the tables, without counters of versions."""
    return {
        "customers": sorted(Customer.objects.values_list("id", "first_name", "last_name", "sort_name")),
        "points": sorted(
            (p.id, p.value, p.whole_index, p.part_index, p.match_index) for p in ContactPoint.objects.all()
        ),
        "ids": sorted(ExternalId.objects.values_list("platform", "value")),
        "claims": OptInClaim.objects.count(),
        "notes": Note.objects.count(),
        "search": sorted(SearchEntry.objects.values_list("customer_id", "text", "postcode")),
        "addresses": [
            (a.street, a.city, bytes(a.street_index))
            for c in Customer.objects.order_by("id")
            for a in c.addresses.all()
        ],
        "history": [
            model.history.count()
            for model in (Customer, ContactPoint, Customer._meta.get_field("addresses").related_model)
        ],
    }


def test_customers_made_by_the_batch_go_with_all_that_hangs_on_them():
    source = make_source()
    write_customers([full_row(), make_row(3, external_id="2")], source)
    result = undo_customers(source.batch)
    assert (result.removed, result.restored, result.left) == (2, 0, [])
    empty = snapshot()
    assert empty == {
        "customers": [],
        "points": [],
        "ids": [],
        "claims": 0,
        "notes": 0,
        "search": [],
        "addresses": [],
        "history": [0, 0, 0],
    }
    assert Tag.objects.count() == 0


def test_changed_customers_get_back_what_they_were():
    bring_in(full_row())
    before = snapshot()
    source = make_source("hubspot")
    row = full_row(
        external_id="H1",
        last_name="Anders",
        phone="0171 5552222",
        note="other",
        street="Neue Straße 1",
        city="Leipzig",
        opt_ins=(OptInRow("sms", "yes"),),
    )
    assert write_customers([row], source).updated == 1
    assert snapshot() != before
    result = undo_customers(source.batch)
    assert (result.removed, result.restored, result.left) == (0, 1, [])
    assert snapshot() == before


def test_whoever_was_edited_since_is_left_and_named(agent):
    source = make_source()
    write_customers([make_row(2, external_id="1"), make_row(3, external_id="2")], source)
    edited = Customer.objects.get(external_ids__value="1")
    edited.first_name = "Von Hand"
    save_customer(edited, version=edited.version, user=agent)
    result = undo_customers(source.batch)
    assert result.removed == 1
    assert [(one.model, one.id) for one in result.left] == [("customers.Customer", edited.number)]
    assert Customer.objects.get().first_name == "Von Hand"


def test_a_later_batch_is_taken_back_first_and_then_the_earlier_one():
    first, second = make_source(), make_source()
    write_customers([make_row(external_id="1", first_name="A")], first)
    write_customers([make_row(external_id="1", first_name="B")], second)
    assert [one.why for one in undo_customers(first.batch).left] != []
    assert undo_customers(second.batch).restored == 1
    assert Customer.objects.get().first_name == "A"
    assert undo_customers(first.batch).removed == 1


def test_a_person_erased_meanwhile_is_not_brought_back():
    bring_in(make_row(external_id="1", first_name="A"))
    source = make_source()
    write_customers([make_row(external_id="1", first_name="B")], source)
    Customer.history.all().delete()
    Customer.objects.all().delete()
    result = undo_customers(source.batch)
    assert (result.removed, result.restored, Customer.objects.count()) == (0, 0, 0)


def test_whom_an_app_above_names_is_left():
    source = make_source()
    write_customers([make_row(2, external_id="1"), make_row(3, external_id="2")], source)
    kept = Customer.objects.get(external_ids__value="2")

    def has_orders(batch, ids):
        return {kept.pk: "has orders"} if batch == source.batch else {}

    undoing.register(has_orders)
    try:
        result = undo_customers(source.batch)
    finally:
        undoing._checks.remove(has_orders)
    assert (result.removed, [(one.id, one.why) for one in result.left]) == (1, [(kept.number, "has orders")])


def test_suppression_entries_and_held_rows_of_the_batch_go():
    bring_in(make_row(2, external_id="1", email="f@example.de"), make_row(3, external_id="2", email="f@example.de"))
    source = make_source("mailchimp")
    write_suppressions([SuppressionRow(2, "weg@example.de")], source)
    write_customers([make_row(3, email="f@example.de")], source)
    assert (Suppression.objects.count(), HeldIntake.objects.count()) == (1, 1)
    assert undo_customers(source.batch).removed == 1
    assert (Suppression.objects.count(), HeldIntake.objects.count(), Customer.objects.count()) == (0, 0, 2)


def listed() -> list[tuple[str, datetime]]:
    """Who may not be written to, as the entries say why and since when."""
    return sorted(Suppression.objects.values_list("reason", "since"))


def test_an_address_that_a_later_list_names_too_stays_on_the_list_until_both_are_undone():
    early, late = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC)
    first, second = make_source("mailchimp"), make_source("mailchimp")
    rows = [SuppressionRow(2, "a@example.de", since=early), SuppressionRow(3, "b@example.de", since=early)]
    write_suppressions(rows, first)
    named_again = write_suppressions([SuppressionRow(2, "B@example.de", reason="bounced", since=late)], second)
    assert (named_again.created, named_again.unchanged) == (0, 1)

    undone = undo_customers(first.batch)

    assert (undone.removed, [one.model for one in undone.left]) == (1, ["customers.Suppression"])
    assert (suppressed("email", "a@example.de"), suppressed("email", "b@example.de")) == (False, True)
    assert listed() == [("bounced", late)]  # what the list says that still stands
    assert undo_customers(second.batch).removed == 1
    assert not suppressed("email", "b@example.de")


def test_undoing_the_later_list_takes_back_its_mention_alone():
    first, second = make_source("mailchimp"), make_source("mailchimp")
    write_suppressions([SuppressionRow(2, "a@example.de")], first)
    write_suppressions([SuppressionRow(2, "a@example.de"), SuppressionRow(3, "b@example.de")], second)

    undone = undo_customers(second.batch)

    assert (undone.removed, undone.left, Suppression.objects.count()) == (1, [], 1)
    assert undo_customers(first.batch).removed == 1
    assert not SuppressionMention.objects.exists()


def test_an_objection_said_since_outlives_the_list_that_named_the_address_first():
    source = make_source("mailchimp")
    write_suppressions([SuppressionRow(2, "a@example.de")], source)
    said = datetime(2026, 3, 1, tzinfo=UTC)
    assert not suppress("email", "a@example.de", reason="objection", since=said)
    assert not suppress("email", "a@example.de", reason="objection")  # said twice, noted once

    undone = undo_customers(source.batch)

    assert (undone.removed, len(undone.left)) == (0, 1)
    assert listed() == [("objection", said)]
    assert undo_customers(source.batch).left == []  # nothing of the list is left to take back


def test_a_customer_made_from_a_held_row_goes_with_its_batch():
    bring_in(make_row(2, external_id="1", email="f@example.de"), make_row(3, external_id="2", email="f@example.de"))
    source = make_source("mailchimp")
    write_customers([make_row(3, last_name="Neu", email="f@example.de")], source)
    decide_held(HeldIntake.objects.get().pk, "created", user_id=None)
    assert point(Customer.objects.get(last_name="Neu")) == "f@example.de"
    assert undo_customers(source.batch).removed == 1
    assert not Customer.objects.filter(last_name="Neu").exists()


def test_a_change_whose_state_before_is_not_known_any_more_is_left_and_named():
    bring_in(make_row(external_id="1", first_name="A"))
    Customer.history.all().delete()
    source = make_source()
    write_customers([make_row(external_id="1", first_name="B")], source)
    result = undo_customers(source.batch)
    assert (result.restored, len(result.left), Customer.objects.get().first_name) == (0, 1, "B")


@pytest.mark.parametrize("joined", [None, datetime(2020, 1, 1, tzinfo=UTC)])
def test_the_last_activity_is_what_it_was_before_the_batch(joined):
    said, later, latest = (datetime(2026, month, 1, tzinfo=UTC) for month in (2, 3, 4))
    bring_in(make_row(external_id="1", registered_at=joined, last_activity=said))
    second, third = make_source(), make_source()
    write_customers([make_row(external_id="1", last_activity=later)], second)
    write_customers([make_row(external_id="1", last_activity=latest)], third)

    undo_customers(second.batch)
    assert Summary.objects.get().last_activity == latest
    undo_customers(third.batch)
    assert Summary.objects.get().last_activity == said


def test_a_contact_since_the_batch_stays_the_last_activity():
    joined, talked, said = (datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3))
    bring_in(make_row(external_id="1", registered_at=joined))
    source = make_source()
    write_customers([make_row(external_id="1", last_activity=said)], source)
    note_contact([Customer.objects.get().pk], talked)

    assert undo_customers(source.batch).restored == 1
    assert Summary.objects.get().last_activity == talked


def test_a_customer_whom_another_file_saw_active_stays():
    first = make_source()
    write_customers([make_row(external_id="1")], first)
    seen = timezone.now() + timedelta(minutes=1)
    write_customers([make_row(external_id="1", last_activity=seen)], make_source())

    assert len(undo_customers(first.batch).left) == 1
    assert Summary.objects.get().last_activity == seen


def test_whom_staff_entered_is_not_taken_for_inactive_since_a_registration_long_ago():
    entered = timezone.now() - timedelta(days=30)
    by_staff = Origin.objects.create(kind="staff", platform="obhut")
    anna = Customer.objects.create(number="1", last_name="Muster", created_at=entered, origin=by_staff)
    ContactPoint.objects.create(customer=anna, kind="email", value="a@x.example")
    Summary.objects.create(customer=anna, last_activity=entered)
    bring_in(make_row(external_id="1", email="a@x.example", registered_at=datetime(2015, 1, 1, tzinfo=UTC)))
    assert Summary.objects.get().last_activity == entered
    source = make_source()
    write_customers([make_row(external_id="1", last_activity=timezone.now())], source)

    assert undo_customers(source.batch).restored == 1
    assert Summary.objects.get().last_activity == entered


def test_the_day_of_an_import_stands_for_a_registration_only_while_none_is_known():
    bring_in(make_row(external_id="1"))
    imported = Summary.objects.get().last_activity
    registered, source = datetime(2015, 1, 1, tzinfo=UTC), make_source()
    write_customers([make_row(external_id="1", registered_at=registered)], source)
    assert Summary.objects.get().last_activity == registered

    undo_customers(source.batch)
    assert Summary.objects.get().last_activity == imported


def test_an_earlier_date_of_activity_is_what_is_left_when_the_later_one_is_taken_back():
    bring_in(make_row(external_id="1", email="eva@example.com", registered_at=datetime(2020, 1, 1, tzinfo=UTC)))
    late, early = make_source("crm"), make_source("letters")
    told = {"crm": datetime(2026, 5, 1, tzinfo=UTC), "letters": datetime(2025, 3, 1, tzinfo=UTC)}
    for source in (late, early):
        row = make_row(external_id="9", email="eva@example.com", last_activity=told[source.platform])
        write_customers([row], source)
        assert write_customers([row], make_source(source.platform)).unchanged == 1  # nobody says it a second time
    assert Summary.objects.get().last_activity == told["crm"]

    assert undo_customers(late.batch).restored == 1
    assert Summary.objects.get().last_activity == told["letters"]
    assert undo_customers(early.batch).restored == 1
    assert Summary.objects.get().last_activity == datetime(2020, 1, 1, tzinfo=UTC)
