"""The retention run: what is due goes by its rule, what a case or a guard keeps stays, and the report says so."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer, Note, Summary, Tombstone
from interactions.models import Complaint
from mail.models import Message
from mail.sending import deliver_due
from orders.models import Document, Order
from privacy.models import DeletionLog, Hold, IdentityCopy, Notice, Request, RetentionRun
from privacy.notices import open_notices, queue_erasures
from privacy.purging import approve_run, plan_run, report_of, work
from privacy.recipients import recipients_of_ref
from privacy.tasks import retry_erasures
from staff.models import User
from tests.privacy.making import at, make_contact, make_order, make_paper, make_person
from tests.privacy.noting import disclose, make_recipient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_a_developers_machine(settings: Any) -> None:
    """Only there may a day to come really delete."""
    settings.DEBUG = True


def purge(as_of: str, *arguments: str) -> dict[str, Any]:
    """The JSON of one run."""
    out = StringIO()
    try:
        call_command("purge_expired", "--as-of", as_of, "--json", *arguments, stdout=out)
    except SystemExit as ended:
        assert ended.code == 3
    return json.loads(out.getvalue())


def counts(**kw: int) -> dict[str, int]:
    return dict.fromkeys(("due", "deleted", "anonymized", "blocked", "held", "failed"), 0) | kw


def written() -> int:
    """How many rows this transaction has written, in whatever table, as PostgreSQL counts them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("status", ["account", "guest", "prospect"])
def test_a_dry_run_finds_persons_without_a_summary_and_writes_nothing(status: str) -> None:
    make_person("1", status=status, registered_at=at("2015-05-20"))
    make_person("2", status=status, registered_at=at("2026-10-30"))
    fresh = make_person("3", status=status, registered_at=None)  # known since today: its own row says so
    Summary.objects.all().delete()
    before = written()
    told = purge("2026-11-01", "--dry-run")
    assert written() == before
    assert not Summary.objects.exists()
    key = {"account": "ACCOUNT", "guest": "GUEST", "prospect": "LEAD"}[status]
    assert told["categories"] == {key: counts(due=1, deleted=1)}
    assert purge("2026-11-01")["categories"] == told["categories"]
    assert set(Customer.objects.values_list("number", flat=True)) == {"2", fresh.number}


def test_the_guard_of_a_dry_run_counts_persons_without_a_summary() -> None:
    for number in range(50):
        make_person(str(number), last_activity="2015-05-20", registered_at=at("2015-05-20"))
    Summary.objects.all().delete()
    told = purge("2026-11-01", "--dry-run")
    assert not told["complete"] and told["guard"]["persons"] == 50
    assert not Summary.objects.exists()


def test_an_invoice_goes_on_its_day_and_not_before() -> None:
    customer = make_person()
    order = make_order(customer, "2017-05-20")
    make_paper(order, "invoice", "2017-06-01")
    assert "INV" not in purge("2025-12-31")["categories"]
    assert Document.objects.count() == 1
    assert purge("2026-01-01", "--dry-run")["categories"]["INV"] == counts(due=1, deleted=1)
    assert Document.objects.count() == 1
    told = purge("2026-01-01")
    assert told["categories"]["INV"] == counts(due=1, deleted=1)
    assert told["complete"] and told["guard"] is None and not told["dry_run"]
    assert not Document.archive.exists()
    assert "INV" not in purge("2026-01-01")["categories"]


def test_an_order_of_long_ago_becomes_a_figure_about_nobody() -> None:
    customer = make_person()
    order = make_order(customer, "2022-12-30")  # delivered 2023-01-02: until 2026-12-31
    assert "ORDER" not in purge("2026-12-31")["categories"]
    assert purge("2027-01-01")["categories"]["ORDER"] == counts(due=1, anonymized=1)
    order.refresh_from_db()
    assert (order.customer_id, order.number, order.billing) == (None, "", None)
    assert set(order.lines.values_list("name", flat=True)) == {""}
    assert order.history.count() == 0
    assert "ORDER" not in purge("2027-01-01")["categories"]


@pytest.mark.parametrize("known_by", ["identity_proven_at", "closed_at"])
def test_a_copy_of_an_identity_card_goes_the_night_after_its_check(known_by: str, manager: User) -> None:
    """IDDOC is D0: nothing is left the day after, whatever the desk forgot; the request it hangs on stays."""
    customer = make_person()
    case = Request.objects.create(customer=customer, kind="access", channel="mail", received_at=at("2026-10-01"))
    # The request, still unanswered, and a dispute keep everything of the person else.
    Hold.objects.create(customer=customer, kind="claim", reason="Streit", owner=manager, review_on=date(2027, 1, 1))
    upload = SimpleUploadedFile("ausweis.pdf", b"%PDF-1.7 x")
    copy = IdentityCopy.objects.create(request=case, name="ausweis.pdf", size=10, file=upload)
    assert "IDDOC" not in purge("2026-11-01")["categories"]  # nobody has looked at it yet
    setattr(case, known_by, at("2026-10-20", 15))
    case.save()
    assert "IDDOC" not in purge("2026-10-19")["categories"]
    for dry in (["--dry-run"], []):
        assert purge("2026-10-21", *dry)["categories"] == {"IDDOC": counts(due=1, deleted=1)}
    assert not IdentityCopy.objects.exists() and Request.objects.filter(pk=case.pk).exists()
    retry_erasures()
    assert not copy.file.storage.exists(copy.file.name)


def test_an_account_ends_and_its_papers_stay_blocked() -> None:
    customer = make_person(last_activity="2024-10-01")
    order = make_order(customer, "2024-09-01")
    make_paper(order, "invoice", "2024-09-02")
    Note.objects.create(customer=customer, text="Mag Kaffee.", created_at=at("2026-08-01"))
    assert "ACCOUNT" not in purge("2026-10-01")["categories"]
    told = purge("2026-10-02")["categories"]
    assert told["ACCOUNT"] == counts(due=1, deleted=1)
    assert told["INV"] == counts(blocked=1)
    assert told["TICKET"] == counts(deleted=1)
    assert told["ORDER"] == counts(anonymized=1)
    assert not Customer.objects.exists()
    paper = Document.archive.get()
    assert paper.customer_id is None and paper.order_id is None and paper.subject_ref is not None


def test_the_order_of_a_guest_stays_blocked_for_the_rest_of_its_period() -> None:
    customer = make_person(status="guest", last_activity="2026-09-01")
    customer.summary.withdrawal_end = date(2026, 9, 18)
    customer.summary.save()
    order = make_order(customer, "2026-09-01", kind="guest", delivered_at=at("2026-09-04"))
    assert "GUEST" not in purge("2026-10-18")["categories"]
    told = purge("2026-10-19")["categories"]
    assert told["GUEST"] == counts(due=1, deleted=1)
    assert told["ORDER"] == counts(blocked=1)
    assert not Order.objects.exists()
    blocked = Order.archive.get(pk=order.pk)
    assert blocked.subject_ref and blocked.blocked_at and blocked.customer_id is None
    assert "ORDER" not in purge("2029-12-31")["categories"]
    assert purge("2030-01-01")["categories"]["ORDER"] == counts(due=1, anonymized=1)
    assert Order.objects.get(pk=order.pk).subject_ref is None


def test_an_open_complaint_keeps_its_order_and_its_customer() -> None:
    customer = make_person(last_activity="2024-01-01")
    order = make_order(customer, "2022-05-01")
    complaint = Complaint.objects.create(
        customer=customer, subject="Mühle", order_number=order.number, opened_at=at("2023-01-01")
    )
    make_contact(customer, "2023-01-02", "claim", complaint=complaint, closed_at=None)
    told = purge("2027-01-01")["categories"]
    assert told["ACCOUNT"] == counts(due=1, held=1)
    assert told["ORDER"] == counts(due=1, held=1)
    complaint.closed_at, complaint.state = at("2027-02-10"), "settled"
    complaint.save()
    told = purge("2027-02-11")["categories"]
    assert told["ACCOUNT"] == counts(due=1, deleted=1)
    assert told["CLAIM"]["blocked"] == 2  # the complaint and its contact: until the end of 2030
    assert purge("2031-01-01")["categories"]["CLAIM"] == counts(due=2, deleted=2)


def test_a_tax_hold_keeps_the_papers_of_its_years() -> None:
    customer = make_person()
    make_paper(make_order(customer, "2017-05-20"), "invoice", "2017-06-01")
    hold = Hold.objects.create(
        kind="tax", first_year=2017, last_year=2017, reason="Außenprüfung", review_on=date(2026, 12, 31)
    )
    assert purge("2026-01-01")["categories"]["INV"] == counts(due=1, held=1)
    hold.released_at = at("2026-02-01")
    hold.save()
    assert purge("2026-02-02")["categories"]["INV"] == counts(due=1, deleted=1)


def test_a_run_that_would_delete_too_many_waits_for_a_person() -> None:
    for number in range(60):
        make_person(str(number), last_activity="2024-01-01" if number < 13 else "2026-10-01")
    told = purge("2026-11-24")
    assert not told["complete"]
    assert told["guard"]["persons"] == 13 and told["guard"]["share"] == pytest.approx(13 / 60, abs=1e-4)
    assert Customer.objects.count() == 60
    run = RetentionRun.objects.get(state="guarded")
    approve_run(run, User.objects.create_user("privacy@obhut.example", name="P"))
    work(run.pk)
    report = report_of(run)
    assert report.complete and report.as_dict()["categories"]["ACCOUNT"] == counts(due=13, deleted=13)
    assert Customer.objects.count() == 47


def test_the_log_names_rule_and_version_and_opaque_ids_only() -> None:
    customer = make_person()
    make_paper(make_order(customer, "2017-05-20"), "invoice", "2017-06-01")
    purge("2026-01-01")
    entry = DeletionLog.objects.get(rule_key="INV")
    assert (entry.rule_version, entry.model, entry.action, entry.count) == (2, "orders.Document", "delete", 1)
    assert len(entry.ids) == 1


def test_a_late_batch_looks_at_the_rule_again() -> None:
    customer = make_person(last_activity="2024-10-01")
    run = plan_run(date(2026, 11, 24))
    customer.summary.last_activity = at("2026-11-23")  # somebody came back before the worker did
    customer.summary.save()
    work(run.pk)
    assert Customer.objects.filter(pk=customer.pk).exists()


def test_recipients_hear_of_those_whom_the_night_ends() -> None:
    """Art. 19 GDPR asks no less where the data went because their purpose was over (Art. 17(1)(a))."""
    carrier = make_recipient("Nordpost", "parcel", email="post@nord.example", language="en")
    office = make_recipient("Finanzamt", role="authority")  # no recipient in a particular inquiry (Art. 4(9))
    by_hand = make_recipient("Druckerei")  # no address: a person tells it
    numbers = [str(number) for number in range(7)]
    for number in numbers:
        customer = make_person(number, last_activity="2023-01-01")
        disclose(office, customer, "2023-01-02")
        if number != "6":
            make_order(customer, "2022-12-01")
            disclose(by_hand, customer, "2023-01-02")
    stays = make_person("8", last_activity="2026-10-01")
    make_order(stays, "2026-03-01")
    assert purge("2026-11-24")["categories"]["ACCOUNT"]["deleted"] == 7
    found = Notice.archive.filter(kind="erasure")
    assert found.filter(recipient=carrier).count() == found.filter(recipient=by_hand).count() == 6
    assert found.count() == 12
    for notice in found:
        assert notice.customer_id is None and notice.blocked_at is not None
        assert Tombstone.objects.filter(subject_ref=notice.subject_ref).exists()
        # Who had received what can still be answered (C-553/07).
        assert "Nordpost" in {told.recipient.name for told in recipients_of_ref(notice.subject_ref)}
    # One mail tells of them all, and what became of it holds for all.
    deliver_due(10)
    (sent,) = mail.outbox
    assert sent.to == ["post@nord.example"]
    for number in numbers[:6]:
        assert f"alma{number}@laden.example" in sent.body
    assert "alma6@" not in sent.body and "alma8@" not in sent.body
    assert {notice.recipient for notice in open_notices()} == {by_hand}
    assert set(found.filter(recipient=carrier).values_list("state", flat=True)) == {"sent"}


def test_many_are_told_of_with_the_queries_of_few() -> None:
    carrier = make_recipient("Nordpost", "parcel", email="post@nord.example")
    people = []
    for number in range(12):
        people.append(make_person(str(number)))
        disclose(carrier, people[-1], "2026-10-01")
    with CaptureQueriesContext(connection) as few:
        queue_erasures({one.pk: uuid4() for one in people[:2]})
    with CaptureQueriesContext(connection) as many:
        queue_erasures({one.pk: uuid4() for one in people[2:]})
    assert len(many) == len(few)
    assert Message.objects.count() == 2
