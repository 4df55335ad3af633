"""The mail server is down, slow, of another opinion, or gone in the middle; each mail goes out once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from customers.models import Suppression
from customers.suppression import suppressed
from mail.delivering import LEASE, LONGEST_WAIT, note_abandoned, wait_after
from mail.models import Deliverability, Message
from mail.sending import deliver_due
from tests.mail.writing import make_customer, make_due, now, write

pytestmark = pytest.mark.django_db

State = Message.State


def states() -> Counter[str]:
    return Counter(Message.objects.values_list("state", flat=True))


def test_while_the_server_is_down_the_outbox_keeps_everything(mail_server):
    mail_server.stop()
    messages = [write(make_customer(f"k{n}@laden.example")) for n in range(3)]
    for attempt in range(1, 4):
        make_due()
        before = timezone.now()
        deliver_due(10)
        for message in messages:
            row = now(message)
            assert (row.state, row.reason, row.attempts, row.lease) == (State.QUEUED, "server_down", attempt, None)
            assert row.next_attempt_at > before
        assert deliver_due(10) == 0  # not before its time
    mail_server.start()
    make_due()
    deliver_due(10)
    assert states() == {State.SENT: 3}
    assert sorted(mail_server.recipients) == [f"k{n}@laden.example" for n in range(3)]


def test_an_hour_down_then_a_mix_of_no_and_not_now_ends_with_each_mail_sent_once(mail_server):
    mail_server.stop()
    messages = [write(make_customer(f"k{n}@laden.example")) for n in range(9)]
    deliver_due(20)
    mail_server.start()
    for n in (0, 3, 6):
        mail_server.answers[f"k{n}@laden.example"] = ["451 4.3.0 later", "421 4.7.0 too many"]
        mail_server.answers[f"k{n + 1}@laden.example"] = ["550 5.1.1 no such user"]
    for _ in range(4):
        make_due()
        deliver_due(20)
    assert states() == {State.SENT: 6, State.FAILED: 3}
    sent = Counter(mail["Message-ID"] for _to, mail in mail_server.accepted)
    assert sent == {one.message_id: 1 for one in messages if now(one).state == State.SENT}


def test_waits_double_up_to_an_hour_and_differ():
    for attempts, seconds in ((1, 60), (2, 120), (4, 480), (30, LONGEST_WAIT)):
        waits = {wait_after(attempts).total_seconds() for _ in range(20)}
        assert seconds * 0.8 <= min(waits) < max(waits) <= seconds * 1.2


def test_a_full_mailbox_is_tried_again_and_noted(mail_server):
    message = write(make_customer())
    mail_server.answers["zoe@laden.example"] = ["452 4.2.2 mailbox full"]
    deliver_due(10)
    row = now(message)
    assert (row.state, row.reason, row.reply_code, row.bounce) == (State.QUEUED, "not_now", "452 4.2.2", "soft")
    assert Deliverability.objects.get().soft_bounces == 1
    make_due()
    deliver_due(10)
    row = now(message)
    assert (row.state, row.reason, row.reply_code, row.bounce, row.attempts) == (State.SENT, "", "", "", 2)


def test_an_address_that_does_not_exist_fails_for_good_and_gets_no_more_advertising(mail_server):
    message = write(make_customer())
    mail_server.answers["zoe@laden.example"] = ["550 5.1.1 <zoe@laden.example> no such user"]
    deliver_due(10)
    row = now(message)
    assert (row.state, row.reason, row.reply_code, row.bounce) == (State.FAILED, "undeliverable", "550 5.1.1", "hard")
    assert Deliverability.objects.get().hard_bounced_at is not None
    assert suppressed("email", "zoe@laden.example")
    assert Suppression.objects.get().reason == Suppression.Reason.BOUNCED
    make_due()
    assert deliver_due(10) == 0


@pytest.mark.parametrize("answer", ["550 5.7.1 policy", "552 5.2.2 mailbox full"])
def test_a_no_that_says_nothing_of_the_mailbox_fails_but_blames_no_address(mail_server, answer):
    message = write(make_customer())
    mail_server.answers["zoe@laden.example"] = [answer]
    deliver_due(10)
    assert (now(message).state, now(message).bounce) == (State.FAILED, "soft")
    assert not suppressed("email", "zoe@laden.example")


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [("554 5.6.0 looks like spam", State.FAILED, "server_refused"), ("451 4.3.2 busy", State.QUEUED, "not_now")],
)
def test_an_answer_to_the_content_counts_too(mail_server, answer, state, reason):
    message = write(make_customer())
    mail_server.to_data = answer
    deliver_due(10)
    assert (now(message).state, now(message).reason) == (state, reason)
    assert now(message).reply_code == answer[:9]
    assert mail_server.accepted == []


def test_a_line_that_breaks_before_the_content_is_tried_again(mail_server):
    message = write(make_customer())
    mail_server.breaks_at = "MAIL"
    deliver_due(10)
    assert (now(message).state, now(message).reason) == (State.QUEUED, "server_down")
    mail_server.breaks_at = ""
    make_due()
    deliver_due(10)
    assert mail_server.recipients == ["zoe@laden.example"]


@pytest.mark.parametrize("backend", ["mail.smtp.EmailBackend", "django.core.mail.backends.smtp.EmailBackend"])
def test_a_line_that_breaks_after_the_content_leaves_it_in_doubt(mail_server, settings, backend):
    settings.EMAIL_BACKEND = backend
    message = write(make_customer())
    mail_server.breaks_at = "DATA"
    deliver_due(10)
    assert (now(message).state, now(message).reason) == (State.UNKNOWN, "lost")
    mail_server.breaks_at = ""
    make_due()
    deliver_due(10)
    assert len(mail_server.accepted) == 1


def test_after_four_days_it_is_given_up(mail_server):
    message = write(make_customer())
    Message.objects.update(queued_at=timezone.now() - timedelta(days=4, minutes=1))
    mail_server.answers["zoe@laden.example"] = ["451 later"]
    deliver_due(10)
    assert (now(message).state, now(message).reason) == (State.FAILED, "gave_up")


def test_after_four_days_without_a_server_it_is_given_up(mail_server):
    mail_server.stop()
    message = write(make_customer())
    Message.objects.update(queued_at=timezone.now() - timedelta(days=4, minutes=1))
    deliver_due(10)
    assert (now(message).state, now(message).reason) == (State.FAILED, "gave_up")


def test_a_template_with_a_fault_stops_only_its_own_mail(mail_server):
    broken = write(make_customer("a@laden.example"))
    Message.objects.filter(pk=broken.pk).update(template="gone")
    fine = write(make_customer("b@laden.example"))
    deliver_due(10)
    assert (now(broken).state, now(broken).reason) == (State.QUEUED, "fault")
    assert now(fine).state == State.SENT


def test_a_limit_is_kept(mail_server):
    for n in range(5):
        write(make_customer(f"k{n}@laden.example"))
    assert deliver_due(2) == 2
    assert states() == {State.SENT: 2, State.QUEUED: 3}


def test_a_mail_whose_worker_is_gone_is_in_doubt_when_its_lease_has_run_out(mail_server):
    message = write(make_customer())
    Message.objects.update(state=State.SENDING, lease_until=timezone.now() + LEASE)
    assert note_abandoned() == 0
    Message.objects.update(lease_until=timezone.now())
    deliver_due(10)
    assert (now(message).state, now(message).reason) == (State.UNKNOWN, "worker_lost")
    assert mail_server.accepted == []


def test_a_mail_that_was_only_taken_in_hand_goes_on_when_the_lease_has_run_out(mail_server):
    message = write(make_customer())
    Message.objects.update(lease=message.uuid, lease_until=timezone.now() + LEASE)
    assert deliver_due(10) == 0
    Message.objects.update(lease_until=timezone.now())
    assert deliver_due(10) == 1
    assert now(message).state == State.SENT


@pytest.mark.django_db(transaction=True)
def test_two_deliverers_at_once_send_each_mail_once(mail_server):
    messages = [write(make_customer(f"k{n}@laden.example")) for n in range(40)]

    def deliver() -> int:
        try:
            return deliver_due(100)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(2) as workers:
        taken = [one.result() for one in [workers.submit(deliver) for _ in range(2)]]
    assert sum(taken) == 40
    assert Counter(mail["Message-ID"] for _to, mail in mail_server.accepted) == {one.message_id: 1 for one in messages}
    assert states() == {State.SENT: 40}


@pytest.mark.django_db(transaction=True)
def test_it_is_marked_as_being_sent_before_the_server_hears_of_it(mail_server):
    message = write(make_customer())
    seen: list[str] = []

    def look() -> None:
        seen.append(Message.objects.values_list("state", flat=True).get(pk=message.pk))
        connection.close()

    with ThreadPoolExecutor(1) as onlooker:  # a connection of its own sees what is committed, nothing else
        mail_server.when_taken = lambda: onlooker.submit(look).result()
        deliver_due(10)
    assert seen == [State.SENDING]
