"""The outbox and its letters on the desk: who may look, who may decide, what is logged."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer
from datamap.models import AccessLog
from mail.models import Letter, Message
from mail.sending import deliver_due
from mail.templates import templates
from staff.models import Role, User
from tests.mail.writing import make_customer, now, write

pytestmark = pytest.mark.django_db

State = Message.State


@pytest.fixture
def privacy_client(signed_in):
    return signed_in(User.objects.create_user("privacy@obhut.example", name="Petra", roles=[Role.PRIVACY]))


@pytest.fixture
def operator_client(signed_in):
    return signed_in(User.objects.create_user("operator@obhut.example", name="Otto", roles=[Role.OPERATOR]))


def in_doubt(**fields) -> Message:
    message = write(make_customer(**fields), "letter")
    deliver_due(10)
    attempted = timezone.now()
    Letter.objects.update(sent_at=None)
    Message.objects.update(state=State.UNKNOWN, sent_at=None, reason="worker_lost", attempted_at=attempted)
    return now(message)


def decide(client, message: Message, decision: str):
    return client.post(reverse("mail:decide", args=[message.pk]), {"decision": decision}, follow=True)


def test_the_outbox_lists_mails_by_state_and_class(manager_client):
    write(make_customer(number="K-1"))
    deliver_due(10)
    write(make_customer(number="K-2"), "recall")
    page = manager_client.get(reverse("mail:list")).text
    assert "K-1" in page
    assert "K-2" in page
    assert "K-1" not in manager_client.get(reverse("mail:list"), {"state": "queued"}).text
    assert "K-2" not in manager_client.get(reverse("mail:list"), {"class": "notice"}).text
    assert manager_client.get(reverse("mail:list"), {"state": "x", "class": "y", "after": "z"}).status_code == 200


def test_it_has_pages(manager_client):
    customer = make_customer()
    for _ in range(55):
        write(customer)
    first = manager_client.get(reverse("mail:list"))
    assert len(first.context["rows"]) == 50
    following = manager_client.get(reverse("mail:list") + first.context["next_url"])
    assert len(following.context["rows"]) == 5


def test_who_may_see_the_outbox_and_who_may_decide(agent_client, operator_client, outsider_client, manager_client):
    message = in_doubt()
    detail = reverse("mail:detail", args=[message.pk])
    assert [c.get(detail).status_code for c in (agent_client, operator_client, manager_client)] == [200, 200, 200]
    assert outsider_client.get(detail).status_code == 403
    assert [decide(c, message, "again").status_code for c in (agent_client, operator_client)] == [403, 403]
    assert now(message).state == State.UNKNOWN
    assert decide(manager_client, message, "again").status_code == 200
    assert now(message).state == State.QUEUED


def test_a_mail_in_doubt_that_has_arrived_counts_as_sent_then(manager_client, manager):
    message = in_doubt()
    decide(manager_client, message, "arrived")
    row = now(message)
    assert (row.state, row.sent_at, row.decided_by) == (State.SENT, message.attempted_at, manager)
    assert Letter.objects.get().sent_at == message.attempted_at


def test_a_mail_in_doubt_is_sent_again_under_the_same_message_id(manager_client, mail_server):
    message = in_doubt()
    assert len(mail_server.accepted) == 1
    decide(manager_client, message, "again")
    deliver_due(10)
    first, second = mail_server.accepted
    assert first[1]["Message-ID"] == second[1]["Message-ID"] == message.message_id
    assert now(message).state == State.SENT


def test_the_second_of_two_decisions_changes_nothing(manager_client):
    message = in_doubt()
    decide(manager_client, message, "arrived")
    answer = decide(manager_client, message, "again")
    assert "schneller" in answer.text
    assert now(message).state == State.SENT


def test_a_waiting_mail_can_be_taken_back_and_sent_after_all(manager_client):
    message = write(make_customer())
    decide(manager_client, message, "cancel")
    assert now(message).state == State.CANCELLED
    assert deliver_due(10) == 0
    decide(manager_client, message, "again")
    assert deliver_due(10) == 1


def test_a_decision_that_does_not_exist_is_a_bad_request(manager_client):
    assert decide(manager_client, in_doubt(), "burn").status_code == 400


def test_mails_in_doubt_are_counted_in_the_rail_for_who_may_decide(manager_client, agent_client):
    in_doubt()
    entry = 'href="/mail/"'
    for client, counted in ((manager_client, True), (agent_client, False)):
        page = client.get("/").text
        line = page[page.index(entry) : page.index("</a>", page.index(entry))]
        assert (">1<" in line) is counted


def test_a_letter_is_opened_through_the_customers_door(agent_client, agent, mail_server):
    customer = make_customer(number="K-1")
    write(customer, "letter", attachments=[("Antwort.pdf", b"%PDF", "application/pdf")])
    deliver_due(10)
    letter = Letter.objects.get()
    page = agent_client.get(reverse("mail:letter", args=[letter.pk])).text
    assert letter.body.splitlines()[0] in page
    assert "Antwort.pdf" in page
    file = agent_client.get(reverse("mail:enclosure", args=[letter.enclosures.get().pk]))
    assert b"".join(file.streaming_content) == b"%PDF"
    logged = AccessLog.objects.filter(customer_number="K-1", user_id=agent.pk).values_list("page", flat=True)
    assert set(logged) == {"mail:letter", "mail:enclosure"}


def test_mails_and_letters_of_a_restricted_customer_show_to_the_privacy_role_alone(
    manager_client, privacy_client, mail_server
):
    customer = make_customer(number="K-9")
    message = write(customer, "letter")
    deliver_due(10)
    Customer.objects.update(restricted_at=timezone.now())
    letter = reverse("mail:letter", args=[Letter.objects.get().pk])
    detail = reverse("mail:detail", args=[message.pk])
    for client, status in ((manager_client, 404), (privacy_client, 200)):
        assert client.get(letter).status_code == client.get(detail).status_code == status
        assert ("K-9" in client.get(reverse("mail:list")).text) is (status == 200)


def test_a_letter_to_somebody_who_is_no_customer_is_for_the_privacy_role(manager_client, privacy_client):
    write(None, "letter", address="fremd@laden.example", letter_category="REQUEST")
    deliver_due(10)
    address = reverse("mail:letter", args=[Letter.objects.get().pk])
    assert (manager_client.get(address).status_code, privacy_client.get(address).status_code) == (404, 200)


def test_a_blocked_letter_is_on_no_page(privacy_client):
    write(make_customer(), "letter", attachments=[("a.pdf", b"%PDF", "application/pdf")])
    deliver_due(10)
    letter = Letter.objects.get()
    Letter.objects.update(blocked_at=timezone.now(), customer=None)
    for name, pk in (("mail:letter", letter.pk), ("mail:enclosure", letter.enclosures.get().pk)):
        assert privacy_client.get(reverse(name, args=[pk])).status_code == 404


def test_sent_letters_and_notices_stand_in_the_timeline(agent_client, mail_server):
    customer = make_customer(number="K-1", language="de")
    write(customer, "letter")
    write(customer)
    write(customer)
    deliver_due(2)
    page = agent_client.get(reverse("portal:customer_detail", args=["K-1"])).text
    letter = Letter.objects.get()
    assert reverse("mail:letter", args=[letter.pk]) in page
    assert letter.subject in page
    assert page.count("Probe") == 1


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_template_of_the_house_can_be_looked_at_in_both_languages(agent_client, language):
    write(make_customer())
    for template in templates():
        page = agent_client.get(reverse("mail:template", args=[template.key]), {"language": language})
        assert page.context["text"].body
        html = agent_client.get(reverse("mail:template_html", args=[template.key]), {"language": language}).text
        assert f'<html lang="{language}">' in html
        assert str(template.label) in agent_client.get(reverse("mail:templates")).text


def test_a_template_that_does_not_exist_is_not_found(agent_client):
    assert agent_client.get(reverse("mail:template", args=["nothing"])).status_code == 404


def test_a_trial_mail_goes_to_oneself(manager_client, manager, mail_server):
    manager_client.post(reverse("mail:trial"))
    deliver_due(10)
    assert mail_server.recipients == [manager.email]
