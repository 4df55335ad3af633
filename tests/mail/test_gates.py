"""Whether a mail may go out is asked when it goes out, and refusing is the default."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from customers import summary, suppression
from customers.models import Customer, Suppression, Tombstone
from customers.tombstones import hashers, marks_of
from mail.gates import EVERY_CLASS, Refusal, register_gate
from mail.models import Message, MessageClass
from mail.sending import deliver_due
from tests.mail.writing import make_customer, make_due, now, write

pytestmark = pytest.mark.django_db

EVERYTHING = list(MessageClass.values)
ADVERTISING = ["advertising", "feedback"]
NO = Refusal("test_no", "No.")


@pytest.fixture
def allowed() -> None:
    """Somebody above says yes to advertising."""
    for message_class in ADVERTISING:
        register_gate(message_class, lambda message: None)


def sent(message: Message) -> tuple[str, str]:
    """What became of it: state and reason."""
    deliver_due(10)
    row = now(message)
    return row.state, row.reason


def erase(email: str, at=None, number: str = "") -> None:
    gone = marks_of(emails=[email]) + ([("number", hashers("number")[0](number))] if number else [])
    Tombstone.objects.bulk_create(Tombstone(kind=k, mark=m, erased_at=at or timezone.now()) for k, m in gone)


@pytest.mark.parametrize("message_class", ADVERTISING)
def test_advertising_that_nobody_has_allowed_is_not_sent(mail_server, message_class):
    assert sent(write(make_customer(), message_class)) == ("refused", "not_allowed")
    assert mail_server.accepted == []


@pytest.mark.parametrize("message_class", ADVERTISING)
def test_a_gate_of_every_class_is_no_yes_to_advertising(mail_server, message_class):
    register_gate(EVERY_CLASS, lambda message: None)
    assert sent(write(make_customer(), message_class)) == ("refused", "not_allowed")


@pytest.mark.parametrize("message_class", ADVERTISING)
def test_advertising_goes_out_once_a_gate_lets_it_through(mail_server, allowed, message_class):
    assert sent(write(make_customer(), message_class)) == ("sent", "")


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_one_no_is_enough(mail_server, allowed, message_class):
    register_gate(message_class, lambda message: NO)
    assert sent(write(make_customer(), message_class)) == ("refused", "test_no")


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_a_gate_of_every_class_stops_them_all(mail_server, allowed, message_class):
    register_gate(EVERY_CLASS, lambda message: NO)
    assert sent(write(make_customer(), message_class)) == ("refused", "test_no")


def test_the_gates_are_asked_when_it_is_sent_not_when_it_is_queued(mail_server):
    asked = []
    register_gate("notice", lambda message: asked.append(message.pk))
    message = write(make_customer())
    assert asked == []
    deliver_due(10)
    assert asked == [message.pk]


def test_a_gate_that_fails_is_no_yes(mail_server):
    def broken(message: Message) -> None:
        raise RuntimeError("zoe@laden.example")

    register_gate("notice", broken)
    message = write(make_customer())
    assert sent(message) == ("queued", "fault")
    assert now(message).next_attempt_at > timezone.now()
    assert mail_server.accepted == []


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_a_person_who_is_gone_is_not_written_to(mail_server, allowed, message_class):
    customer = make_customer()
    message = write(customer, message_class)
    Customer.objects.filter(pk=customer.pk).delete()
    assert sent(message) == ("refused", "gone")


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_writing_to_an_erased_person_fails(mail_server, allowed, message_class):
    erase("ZOE@laden.example")
    assert sent(write(None, message_class, address="zoe@laden.example")) == ("refused", "erased")
    assert mail_server.accepted == []


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_of_whom_a_case_is_open_gets_what_belongs_to_it_alone(mail_server, allowed, message_class):
    message = write(make_customer(number="K-1"), message_class)
    erase("zoe@laden.example", number="K-1")
    wanted = ("sent", "") if message_class in ("letter", "recall") else ("refused", "erased")
    assert sent(message) == wanted


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_who_shares_the_address_of_somebody_erased_is_written_to_as_before(mail_server, allowed, message_class):
    message = write(make_customer(number="K-2"), message_class)
    erase("zoe@laden.example", number="K-1")
    assert sent(message) == ("sent", "")


def test_the_answer_to_a_request_still_reaches_an_erased_person(mail_server):
    erase("zoe@laden.example")
    letter = write(None, "letter", address="zoe@laden.example", letter_category="REQUEST")
    assert sent(letter) == ("sent", "")


def test_who_became_a_customer_after_the_erasure_is_a_new_customer(mail_server):
    erase("zoe@laden.example", timezone.now() - timedelta(days=1), number="K-1")
    assert sent(write(make_customer(number="K-1"))) == ("sent", "")
    Customer.objects.update(registered_at=timezone.now() - timedelta(days=2))
    assert sent(write(Customer.objects.get())) == ("refused", "erased")


@pytest.mark.parametrize("message_class", EVERYTHING)
@pytest.mark.parametrize("mark", ["restricted_at", "deactivated_at"])
def test_a_mark_stops_everything_but_letters_and_recalls(mail_server, allowed, message_class, mark):
    message = write(make_customer(**{mark: timezone.now()}), message_class)
    wanted = ("sent", "") if message_class in ("letter", "recall") else ("refused", mark.removesuffix("_at"))
    assert sent(message) == wanted


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_the_suppression_list_stops_advertising_and_nothing_else(mail_server, allowed, message_class):
    suppression.suppress("email", "Zoe@Laden.example", reason=Suppression.Reason.OBJECTION)
    wanted = ("refused", "suppressed") if message_class in ADVERTISING else ("sent", "")
    assert sent(write(make_customer(), message_class)) == wanted


@pytest.mark.parametrize("message_class", EVERYTHING)
def test_an_objection_to_advertising_never_stops_a_letter_or_a_recall(mail_server, allowed, message_class):
    customer = make_customer()
    summary.set_advertising_stops({customer.pk: timezone.now()})
    wanted = ("refused", "objected") if message_class in ADVERTISING else ("sent", "")
    assert sent(write(customer, message_class)) == wanted


def test_without_an_address_nothing_is_sent(mail_server):
    assert sent(write(make_customer(""))) == ("refused", "no_address")


def test_what_was_refused_is_not_tried_again_by_itself(mail_server):
    customer = make_customer(restricted_at=timezone.now())
    message = write(customer)
    assert sent(message) == ("refused", "restricted")
    Customer.objects.update(restricted_at=None)
    make_due()
    assert sent(message) == ("refused", "restricted")


def test_a_class_that_does_not_exist_has_no_gate():
    with pytest.raises(ValueError, match="no class"):
        register_gate("newsletter", lambda message: None)
