"""The rights of a person over the ledger: erasure, restriction, the proof of calls, restores, and nothing left over."""

from __future__ import annotations

from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

import consents
from consents.audience import audience_ids
from consents.checkpoints import sign_checkpoint
from consents.models import ErasedRecord, Purpose, Record, State
from consents.rebuilding import compare_states
from consents.sealing import seal_pending
from consents.verifying import verify
from consents.withdrawing import withdraw
from customers.models import Customer
from customers.summary import note_contact
from datamap.diagnosis import Options, diagnose
from privacy import restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure
from privacy.planning import plan_erasure
from staff.models import User
from tests.consents.making import moment, say, triggers_off
from tests.privacy.making import at, make_person
from tests.privacy.test_purge import purge

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_a_developers_machine(settings: Any) -> None:
    settings.DEBUG = True  # a run of a day to come deletes nothing elsewhere


def of_records(items: list[dict[str, Any]]) -> dict[tuple[str, str | None], int]:
    """(action, until) -> records, as a plan or a receipt says."""
    return {(one["action"], one["until"]): one["count"] for one in items if one["model"] == "consents.Record"}


def test_p09_the_proof_is_blocked_until_2030_and_the_plan_says_so() -> None:
    customer = make_person()
    say(customer, at=at("2023-05-05"), confirmed=True)
    day = date(2026, 11, 24)
    planned = of_records([item.as_dict() for item in plan_erasure(customer, as_of=day).items])
    erasure = run_erasure(ask_erasure(customer, as_of=day).pk)
    assert erasure.state == Erasure.State.DONE, erasure.holds
    done = of_records(erasure.items)
    assert planned == done == {("block", "2030-01-01"): 1}  # the withdrawal that the erasure is goes with it
    assert not State.objects.exists() and not Record.objects.exists()
    records = list(Record.archive.order_by("pk"))
    assert [record.kind for record in records] == ["given", "withdrawn"]
    for record in records:
        assert record.customer_id is None and record.blocked_at and record.subject_ref == erasure.subject_ref
        assert record.ended_at and record.ended_at.astimezone(at("2026-01-01").tzinfo).date() == day
    seal_pending()
    assert verify().ok
    # The last day is the first on which it goes.
    purge("2029-12-31")
    assert Record.archive.count() == 2
    assert purge("2030-01-01")["categories"]["CONSENT"]["deleted"] == 2
    assert not Record.archive.exists()
    seal_pending()
    told = verify()
    assert (told.ok, told.erased) == (True, 2), told


def test_p11_p12_the_proof_of_what_was_withdrawn_has_the_same_last_day() -> None:
    customer = make_person(last_activity="2040-01-01")
    say(customer, at=at("2025-02-01"), confirmed=True)
    withdraw(customer, "newsletter", "email", source="rfc8058", at=moment("2026-11-24T09:00:00+01:00"))
    purge("2029-12-31")
    assert Record.objects.count() == 2
    assert purge("2030-01-01")["categories"]["CONSENT"]["deleted"] == 2
    # The proof is gone; what the person said holds as long as the customer does.
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"
    assert compare_states().ok, compare_states()


def test_p13_each_call_extends_the_proof_of_a_consent_to_calls() -> None:
    customer = make_person(last_activity="2040-01-01")
    phone = {"purpose": "phone", "channel": "phone", "endpoint": "+49301234567", "source": "phone_call"}
    say(customer, at=at("2024-02-29"), **phone)
    for day in ("2024-06-01", "2026-10-15"):
        note_contact([customer.pk], at(day), call=True)
    withdraw(customer, "phone", "phone", source="phone_call", at=at("2026-11-01"))
    assert consents.may(customer, "phone", "phone", at=at("2026-10-31")).allowed
    assert consents.may(customer, "phone", "phone", at=at("2026-11-02")).reason == "withdrawn"
    note_contact([customer.pk], at("2026-11-20"), call=True)  # a call about an order uses no consent
    for day in ("2030-01-01", "2031-10-15"):  # CONSENT alone would be over
        purge(day)
        assert Record.objects.count() == 2, day
    purge("2031-10-16")
    assert not Record.objects.exists()


def test_p14_a_restricted_customer_is_in_no_audience(manager: User) -> None:
    customer, other = make_person("4711"), make_person("4712")
    for person in (customer, other):
        say(person, at=at("2025-06-01"), confirmed=True)
    newsletter, post = Purpose.objects.get(key="newsletter"), Purpose.objects.get(key="post")

    def reached() -> set[int]:
        ids = [*audience_ids(newsletter, "email"), *audience_ids(post, "post")]
        return {pk for page in ids for pk in page}

    assert reached() == {customer.pk, other.pk}
    freeze = restricting.restrict(customer, "a", ["address"], "contested", by=manager)
    customer.refresh_from_db()
    assert reached() == {other.pk}
    for purpose, channel in (("newsletter", "email"), ("post", "post")):
        assert consents.may(customer, purpose, channel).reason == "restricted"
    restricting.announce_lifting(freeze, "it was right", by=manager)
    restricting.lift(freeze, by=manager)
    customer.refresh_from_db()
    assert consents.may(customer, "newsletter", "email").allowed
    assert reached() == {customer.pk, other.pk}


def test_a_record_goes_by_an_erasure_and_not_otherwise() -> None:
    entry = say(make_person())
    with pytest.raises(IntegrityError), transaction.atomic():
        Record.objects.filter(pk=entry).delete()
    assert Record.objects.filter(pk=entry).exists()


def test_a_record_that_is_gone_without_an_erasure_is_an_alarm() -> None:
    customer = make_person()
    say(make_person("4712"))
    entry = say(customer, purpose="birthday")
    seal_pending()
    with triggers_off("consents_record"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM consents_record WHERE entry_id = %s", [entry])
    told = verify()
    assert (told.ok, told.first_broken) == (False, entry)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_ledger", stdout=out)
    asked = dict(diagnose(Options()))
    assert not asked["ledger"].ok and str(entry) in asked["ledger"].detail
    assert not asked["consent_states"].ok


def test_everybody_erased_leaves_a_ledger_that_verifies() -> None:
    people = [make_person(str(4711 + n)) for n in range(6)]
    for n, customer in enumerate(people):
        say(customer, at=at("2020-01-10") if n % 2 else None, confirmed=True)
    seal_pending()
    sign_checkpoint()
    for customer in people:
        assert run_erasure(ask_erasure(customer).pk).state == Erasure.State.DONE
        assert compare_states().ok
    assert not Customer.objects.exists()
    later = f"{timezone.localdate().year + 4}-01-01"
    purge(later)
    assert not Record.archive.exists()
    seal_pending()
    sign_checkpoint()
    told = verify()
    assert told.ok, told
    assert told.erased == ErasedRecord.objects.count() == 12


def test_who_only_reached_the_end_of_an_account_has_not_withdrawn() -> None:
    customer = make_person(last_activity="2020-01-01")
    say(customer, at=at("2019-05-05"), confirmed=True)
    purge("2026-11-24", "--allow-share", "1.0")
    assert not Customer.objects.filter(pk=customer.pk).exists()
    assert [record.kind for record in Record.archive.order_by("pk")] == ["given", "revoked"]


def test_a_dry_run_of_the_night_counts_the_consents_of_ended_accounts_as_the_run_does() -> None:
    for number in ("4711", "4712"):
        customer = make_person(number, last_activity="2015-05-20", registered_at=at("2015-05-20"))
        say(customer)
        say(customer, purpose="birthday")
    planned = purge("2031-01-01", "--dry-run")["categories"]
    assert purge("2031-01-01")["categories"] == planned
    assert not Customer.objects.exists()
    assert Record.archive.filter(kind="revoked", customer=None).count() == 4
