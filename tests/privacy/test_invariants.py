"""`doctor` after erasures: healthy where nothing is left, and naming whatever somebody left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from customers.models import Customer, ExternalId, SearchWord, Tombstone
from datamap import accesslog
from interactions.models import Interaction
from mail.models import Message
from mail.sending import queue
from ops.tasks import pulse
from orders.models import Document, Order
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure, FileRemoval, Package
from privacy.purging import plan_run, work
from tests.privacy.making import at, make_contact, make_order, make_paper, make_person

pytestmark = pytest.mark.django_db


def asked(*arguments: str) -> dict[str, dict[str, Any]]:
    """What `doctor` says, by check."""
    out = StringIO()
    pulse()
    try:
        call_command("doctor", "--json", *arguments, stdout=out)
    except SystemExit as end:
        assert end.code == 1
    return {check["name"]: check for check in json.loads(out.getvalue())["checks"]}


@pytest.fixture
def erased() -> Erasure:
    """Somebody with a past who was erased, and somebody else who stays."""
    customer = make_person("4711")
    ExternalId.objects.create(customer=customer, platform="shopify", value="7700123456789")
    order = make_order(customer, "2024-05-20")
    make_paper(order, "invoice", "2024-06-01")
    make_contact(customer, "2024-01-10", "letter")
    make_contact(customer, "2026-01-10")
    accesslog.record(None, "4711", "customers:edit")
    other = make_person("4712", first_name="Bert", last_name="Zweig")
    make_order(other, "2025-05-20")
    make_contact(other, "2026-02-10")
    accesslog.record(None, "4712", "customers:edit")
    return run_erasure(ask_erasure(customer, as_of=date(2026, 11, 24)).pk)


def test_after_an_erasure_and_a_night_everything_is_well(erased: Erasure) -> None:
    assert erased.state == Erasure.State.DONE
    make_person("4713", last_activity="2023-01-01")
    run = plan_run(date(2026, 11, 24), only="ACCOUNT")
    work(run.pk)
    assert not Customer.objects.filter(number="4713").exists()
    found = asked("--deep")
    assert [check for check in found.values() if not check["ok"]] == []
    assert found["erased"]["detail"].startswith("1 erasures")


def test_whoever_is_kept_by_a_case_or_came_anew_is_no_fault(erased: Erasure) -> None:
    held = make_person("4714")
    make_order(held, "2026-11-20", status="processing", delivered_at=None)
    assert run_erasure(ask_erasure(held, as_of=date(2026, 11, 24)).pk).state == Erasure.State.HELD
    anew = Customer.objects.create(number="4711", first_name="Alma", last_name="Kanarienvogel")
    ExternalId.objects.create(customer=anew, platform="shopify", value="7700123456789")
    assert asked("--deep")["erased"]["ok"]


def _bring_back(erased: Erasure) -> None:
    Customer.objects.create(number="4711", created_at=at("2017-01-02"))


def _bring_back_under_another_id(erased: Erasure) -> None:
    other = Customer.objects.get(number="4712")
    ExternalId.objects.create(customer=other, platform="shopify", value="7700123456789")


def _tie_the_erasure(erased: Erasure) -> None:
    Erasure.objects.filter(pk=erased.pk).update(customer=Customer.objects.get(number="4712"))


def _leave_needles(erased: Erasure) -> None:
    erased.needles = {"emails": ["alma4711@laden.example"]}
    erased.save(update_fields=["needles"])


def _fail_a_step(erased: Erasure) -> None:
    erased.steps.filter(key="files").update(state="failed")


def _leave_history(erased: Erasure) -> None:
    history: Any = Customer.history.model  # type: ignore[attr-defined]
    row = history.objects.filter(number="4712").first()
    row.pk, row.id, row.number = None, 999_999, "4711"
    row.save()


def _leave_history_of_a_blocked_row(erased: Erasure) -> None:
    kept = Interaction.archive.get(subject_ref=erased.subject_ref)
    history: Any = Interaction.history.model  # type: ignore[attr-defined]
    history.objects.create(
        id=kept.pk, kind="email", occurred_at=kept.occurred_at, history_date=timezone.now(), history_type="~"
    )


def _leave_an_index(erased: Erasure) -> None:
    other = Customer.objects.get(number="4712")
    lost = Message(template="enclosed", message_class="letter", recipient="alma4711@laden.example", customer=other)
    lost.message_id = "<a@b.example>"
    lost.save()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE mail_message SET recipient = NULL WHERE id = %s", [lost.pk])


def _tie_a_blocked_row(erased: Erasure) -> None:
    other = Customer.objects.get(number="4712")
    Document.archive.filter(subject_ref=erased.subject_ref).update(customer=other)


def _tie_a_blocked_row_to_its_order(erased: Erasure) -> None:
    Document.archive.filter(subject_ref=erased.subject_ref).update(order=Order.objects.filter(customer=None).first())


def _drop_the_tombstones(erased: Erasure) -> None:
    Tombstone.objects.all().delete()


def _leave_the_number_in_the_log(erased: Erasure) -> None:
    accesslog.record(None, "4711", "customers:edit")


def _leave_a_mail_for_nobody(erased: Erasure) -> None:
    waiting = queue("enclosed", to=Customer.objects.get(number="4712"), message_class="letter", context={})
    Message.objects.filter(pk=waiting.pk).update(customer=None)


def _leave_a_mail_with_the_address(erased: Erasure) -> None:
    waiting = queue("enclosed", address="alma4711@laden.example", message_class="letter", context={})
    Message.objects.filter(pk=waiting.pk).update(created_at=at("2026-01-01"))


def _leave_a_package(erased: Erasure) -> None:
    Package.objects.create(
        kind="access", subject_ref=erased.subject_ref, state="ready", expires_at=timezone.now() - timedelta(days=3)
    )


def _leave_a_file(erased: Erasure) -> None:
    FileRemoval.objects.create(field="mail.Enclosure.file", name="ab/c", queued_at=timezone.now() - timedelta(days=3))


def _leave_a_word(erased: Erasure) -> None:
    SearchWord.objects.create(word="kanarienvogel")


def _unblock(erased: Erasure) -> None:
    Document.archive.filter(subject_ref=erased.subject_ref).update(blocked_at=None)


def _leave_a_package_of_before(erased: Erasure) -> None:
    Package.objects.create(
        kind="access", subject_ref=erased.subject_ref, state="ready", asked_at=erased.started_at - timedelta(days=3)
    )


FAULTS: list[tuple[Callable[[Erasure], None], str, bool]] = [
    (_bring_back, "1 customers carry the number of somebody erased later", True),
    (_bring_back_under_another_id, "1 customers carry the external id of somebody erased later", True),
    (_tie_the_erasure, "1 erasures are done and their person is there", False),
    (_leave_needles, "1 finished erasures still hold what they searched for", False),
    (_fail_a_step, "1 steps of finished erasures are not done", False),
    (_leave_history, "1 rows of customers.HistoricalCustomer are about nobody who is there", False),
    (_leave_history_of_a_blocked_row, "1 rows of interactions.HistoricalInteraction tell of blocked rows", False),
    (_leave_an_index, "1 indexes of mail.Message have lost their value", False),
    (_tie_a_blocked_row, "1 blocked rows of orders.Document lead to a person", False),
    (_tie_a_blocked_row_to_its_order, "1 blocked rows of orders.Document lead to a person", False),
    (_drop_the_tombstones, "1 blocked rows of orders.Document have no tombstone", False),
    (_leave_the_number_in_the_log, "1 numbers in datamap.AccessLog are those of erased people", False),
    (_leave_a_mail_for_nobody, "1 mails wait for somebody who is gone", False),
    (_leave_a_mail_with_the_address, "1 mails name an address of somebody erased later", False),
    (_leave_a_package, "1 packages are past their day", False),
    (_leave_a_file, "1 files of deleted rows were not removed", False),
    (_unblock, "1 rows of orders.Document under the mark of an erasure are not blocked", False),
    (_leave_a_package_of_before, "1 packages from before an erasure are there", False),
    (_leave_a_word, "1 words of the search are nobody's", True),
]


@pytest.mark.parametrize(("break_it", "told", "deep"), FAULTS, ids=lambda value: getattr(value, "__name__", None))
def test_what_was_left_behind_is_named(
    erased: Erasure, break_it: Callable[[Erasure], None], told: str, deep: bool
) -> None:
    break_it(erased)
    found = asked("--deep")["erased"]
    assert not found["ok"]
    assert told in found["detail"]
    assert "4711" not in found["detail"] and "laden.example" not in found["detail"]
    assert asked()["erased"]["ok"] is deep


@pytest.mark.django_db(transaction=True)
def test_somebody_whom_the_journal_says_was_erased_is_named() -> None:
    customer = make_person("4711", created_at=at("2017-01-02"))
    pk = customer.pk
    run_erasure(ask_erasure(customer).pk)
    assert asked()["erased"]["ok"]
    # As a copy of single tables into a newer database would bring them back.
    Customer.objects.create(pk=pk, number="4711", created_at=at("2017-01-02"))
    found = asked()["erased"]
    assert "1 customers are there whom the journal says were erased" in found["detail"]
    # Another person who got the same row number is no fault.
    Customer.objects.update(number="4712")
    assert asked()["erased"]["ok"]


# --- each mail once -----------------------------------------------------------------------------------------


def _mail(number: str, **more: Any) -> Message:
    customer = Customer.objects.filter(number=number).first() or make_person(number)
    fields = {"template": "spring", "message_class": "advertising", "state": "sent", "context": {"campaign": 3}} | more
    return Message.objects.create(customer=customer, message_id=f"<{uuid4()}@b.example>", **fields)


def test_mailings_of_one_campaign_to_many_and_of_many_to_one_are_well() -> None:
    _mail("1")
    _mail("2")
    _mail("1", context={"campaign": 4})
    _mail("2", state="cancelled")
    _mail("2", message_class="notice", template="greeting")
    _mail("2", message_class="notice", template="greeting")
    assert asked()["mails_once"]["ok"]


@pytest.mark.parametrize("state", ["sent", "unknown"])
def test_a_campaign_that_reached_somebody_twice_is_named(state: str) -> None:
    _mail("1")
    _mail("1", state=state)
    assert asked()["mails_once"] == {
        "name": "mails_once",
        "ok": False,
        "detail": "1 people got the same mailing twice",
    }


def test_an_occasion_that_stands_in_the_outbox_twice_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE mail_message DROP CONSTRAINT mail_message_key")
    _mail("1", key="receipt:1", message_class="notice", context={})
    _mail("2", key="receipt:1", message_class="notice", context={})
    found = asked()["mails_once"]
    assert not found["ok"]
    assert "1 occasions stand in the outbox twice" in found["detail"]
