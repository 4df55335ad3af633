"""Erased, restricted and objecting people are noticed on every way in; a person decides what the rules cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from customers import suppression, tombstones
from customers.holding import DecisionRefused
from customers.intake import decide_held, write_customers, write_suppressions
from customers.models import Customer, HeldIntake, OptInClaim, Suppression, Tombstone
from customers.rows import OptInRow, Source, SuppressionRow
from customers.undoing import undo_customers
from tests.customers.making import bring_in, contents, make_row, make_source, only_customer, point, try_then_write

pytestmark = pytest.mark.django_db

ERASED_AT = datetime(2026, 6, 1, tzinfo=UTC)


def erase(**who):
    """What an erasure leaves behind."""
    for kind, mark in tombstones.marks_of(**who):
        Tombstone.objects.create(mark=mark, kind=kind, erased_at=ERASED_AT)


@pytest.mark.parametrize(
    "who", [{"emails": ["a@example.de"]}, {"external": [("shopify", "1")]}, {"phones": ["+493012345678"]}]
)
def test_a_row_about_an_erased_person_is_held(who):
    erase(**who)
    row = make_row(external_id="1", email="A@Example.de", phone="030 12345678", registered_at=ERASED_AT)
    outcome = try_then_write(row)
    assert (outcome.held, outcome.created) == (1, 0)
    held = HeldIntake.objects.get()
    assert (held.reason, held.subject_ref) == ("tombstone", Tombstone.objects.get().subject_ref)
    before = contents()
    assert try_then_write(row).held == 1
    assert contents() == before


def test_a_registration_after_the_erasure_is_a_new_customer_who_joins_nobody():
    bring_in(make_row(external_id="5", email="a@example.de"), platform="hubspot")
    erase(external=[("shopify", "1")])
    row = make_row(external_id="1", email="a@example.de", registered_at=ERASED_AT + timedelta(days=1))
    assert try_then_write(row).created == 1
    assert Customer.objects.count() == 2


def test_the_id_of_an_erased_person_on_another_platform_is_nobodys_business():
    erase(external=[("shopify", "1")])
    assert try_then_write(make_row(external_id="1"), platform="hubspot").created == 1


def test_a_restricted_customer_is_matched_but_not_changed():
    bring_in(make_row(external_id="1", email="a@example.de", first_name="Anna"))
    Customer.objects.update(restricted_at=timezone.now())
    before = contents()["customers_customer"]
    for row in (make_row(external_id="1", first_name="X"), make_row(email="a@example.de", first_name="Y")):
        outcome = try_then_write(row)
        assert (outcome.held, outcome.updated, outcome.created) == (1, 0, 0)
    assert contents()["customers_customer"] == before
    assert set(HeldIntake.objects.values_list("reason", "customer")) == {("restricted", only_customer().pk)}
    held = HeldIntake.objects.first()
    with pytest.raises(DecisionRefused):
        decide_held(held.pk, "applied", user_id=None, customer=only_customer())
    held.refresh_from_db()
    assert held.decision == ""


def test_an_opt_in_claimed_for_a_suppressed_address_is_refused_and_the_rest_is_stored():
    write_suppressions([SuppressionRow(2, " Anna@Example.de ")], make_source("mailchimp"))
    opt_ins = (OptInRow("email", "yes"), OptInRow("sms", "pending"))
    row = make_row(7, external_id="1", email="anna@example.de", phone="0171 5552222", opt_ins=opt_ins)
    outcome = try_then_write(row)
    assert (outcome.created, [(w.line, w.field) for w in outcome.warnings]) == (1, [(7, "newsletter")])
    assert list(OptInClaim.objects.values_list("channel", flat=True)) == ["sms"]
    told = make_row(external_id="1", email="anna@example.de", opt_ins=(OptInRow("email", "no"),))
    assert try_then_write(told).warning_count == 0, "whoever says no needs no proof"


def test_suppressions_of_a_file_are_counted_once_and_never_twice():
    rows = [
        SuppressionRow(2, "a@example.de"),
        SuppressionRow(3, "A@EXAMPLE.DE"),
        SuppressionRow(4, "no address"),
        SuppressionRow(5, "0171 5552222", channel="phone"),
        SuppressionRow(6, "jörg@müller.de"),
    ]
    source = make_source("mailchimp")
    tried = write_suppressions(rows, Source(source.batch, "mailchimp", None), dry_run=True)
    assert Suppression.objects.count() == 0
    done = write_suppressions(rows, source)
    assert tried == done
    assert (done.created, done.unchanged, done.error_count, done.errors[0].line) == (3, 1, 1, 4)
    assert write_suppressions(rows, make_source("mailchimp")).created == 0
    assert suppression.suppressed("email", "a@example.de")
    assert suppression.suppressed("email", "jörg@xn--mller-kva.de")
    assert suppression.suppressed("sms", "+491715552222"), "one number, whatever it is used for"
    assert not suppression.suppressed("email", "a+tag@example.de"), "another mailbox"
    assert suppression.suppressed_among("email", ["A@example.de", "b@example.de"]) == {"A@example.de"}


def test_two_chunks_of_a_trial_count_an_endpoint_once():
    source = Source(make_source().batch, "mailchimp", None)
    tried = [write_suppressions([SuppressionRow(2, "a@example.de")], source, dry_run=True).created for _ in "12"]
    assert tried == [1, 0]


def test_a_new_consent_ends_an_entry_and_keeps_it():
    suppression.suppress("email", "a@example.de", reason="objection")
    assert not suppression.suppress("email", "a@example.de", reason="objection")
    assert suppression.end("email", "a@example.de") == 1
    assert not suppression.suppressed("email", "a@example.de")
    assert Suppression.objects.count() == 1


def hold_one():
    bring_in(make_row(2, external_id="1", email="f@example.de"), make_row(3, external_id="2", email="f@example.de"))
    bring_in(make_row(external_id="M1", last_name="Neu", email="f@example.de", tags=("x",)), platform="mailchimp")
    return HeldIntake.objects.get()


def test_a_held_row_is_applied_to_the_customer_a_person_chooses(agent):
    held = hold_one()
    chosen = Customer.objects.get(external_ids__value="2")
    assert decide_held(held.pk, "applied", user_id=agent.pk, customer=chosen).updated == 1
    chosen.refresh_from_db()
    assert (chosen.last_name, chosen.external_ids.filter(platform="mailchimp").get().value) == ("Neu", "M1")
    assert Customer.history.filter(id=chosen.pk).latest("history_id").history_user == agent
    with pytest.raises(DecisionRefused):
        decide_held(held.pk, "created", user_id=agent.pk)


def test_a_held_row_can_be_a_new_customer_or_be_dropped_and_is_not_held_again():
    held = hold_one()
    assert decide_held(held.pk, "created", user_id=None).created == 1
    assert point(Customer.objects.get(last_name="Neu")) == "f@example.de"
    HeldIntake.objects.update(decision="")
    assert decide_held(held.pk, "dropped", user_id=None).created == 0
    Customer.objects.get(last_name="Neu").delete()
    row = make_row(external_id="M1", last_name="Neu", email="f@example.de", tags=("x",))
    again = try_then_write(row, platform="mailchimp")
    assert (again.held, again.unchanged, again.created) == (0, 1, 0)


def test_erased_answers_for_one_and_for_many():
    erase(emails=["a@example.de"], external=[("shopify", "9")])
    assert tombstones.erased(email="A@example.de")[0] == ERASED_AT
    assert tombstones.erased(external=("shopify", "9")) is not None
    assert tombstones.erased(external=("hubspot", "9")) is None
    assert tombstones.erased(email="b@example.de") is None


def test_a_dry_run_leaves_no_unreadable_phone_in_clear():
    source = make_source()
    tried = Source(source.batch, "shopify", None)
    write_customers([make_row(external_id="1", phone="(5) 555-4729 ask for Zoe")], tried, dry_run=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(key, '') || coalesce(state::text, '') FROM customers_tried")
        left = " ".join(text for (text,) in cursor.fetchall())
    assert left
    # Hashes stand there too, and may hold any three figures.
    assert not any(part in left for part in ("555-4729", "5554729", "Zoe"))
    again = write_customers([make_row(external_id="1", phone="(5) 555-4729 ask for Zoe")], tried, dry_run=True)
    assert again.unchanged == 1


def test_an_objection_outlives_the_undo_of_the_import_that_listed_the_address_first():
    source = make_source("mailchimp")
    write_suppressions([SuppressionRow(2, "a@example.de"), SuppressionRow(3, "b@example.de")], source)
    assert not suppression.suppress("email", "A@example.de", reason="objection")
    undo_customers(source.batch)
    assert suppression.suppressed("email", "a@example.de")
    assert not suppression.suppressed("email", "b@example.de")
