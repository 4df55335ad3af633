"""Deactivating, notes and flags."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, Flag, Note, Summary
from datamap.catalogue import explain
from datamap.workdays import add_months
from staff.models import RolePermission
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(db):
    return make_customer("10482")


def to(name, *args):
    return reverse(f"customers:{name}", args=args)


def flagged(customer, user, **fields):
    values = {"kind": "fraud", "reason": "Three chargebacks", "review_on": timezone.localdate()}
    return Flag.objects.create(customer=customer, set_by=user, **(values | fields))


@pytest.mark.parametrize("name", ["deactivate", "reactivate", "note_add", "flag_set"])
def test_who_gets_to_these_pages(client, agent_client, manager_client, outsider_client, customer, name):
    address = to(name, customer.number)
    assert client.get(address).status_code == 302
    assert outsider_client.get(address).status_code == 403
    assert outsider_client.post(address).status_code == 403
    assert agent_client.get(address).status_code == 200
    assert manager_client.get(address).status_code == 200
    assert agent_client.get(to(name, "99999")).status_code == 404


def test_the_page_says_the_last_day_before_anything_happens(agent_client, customer):
    response = agent_client.get(to("deactivate", customer.number))
    start = customer.summary.last_activity
    expected = explain("ACCOUNT", start, as_of=timezone.localdate()).deletable_from
    assert response.context["day"] == expected
    assert expected > timezone.localdate()
    customer.refresh_from_db()
    assert customer.deactivated_at is None


def test_deactivating_keeps_everything_and_can_be_taken_back(agent_client, agent, customer):
    assert agent_client.post(to("deactivate", customer.number)).status_code == 302
    customer.refresh_from_db()
    assert customer.deactivated_at is not None
    assert customer.addresses.count() == 1
    latest = customer.history.first()
    assert (latest.history_type, latest.history_user) == ("~", agent)
    again = agent_client.post(to("deactivate", customer.number), follow=True)
    assert [message.level_tag for message in again.context["messages"]][-1] == "info"
    assert agent_client.get(to("deactivate", customer.number)).status_code == 200
    assert agent_client.post(to("reactivate", customer.number)).status_code == 302
    customer.refresh_from_db()
    assert customer.deactivated_at is None


def test_a_deactivation_meanwhile_is_a_conflict_for_the_editor(agent_client, manager_client, customer):
    page = agent_client.get(to("edit", customer.number))
    manager_client.post(to("deactivate", customer.number))
    data = {"version": page.context["version"], "base": page.context["base"]}
    assert agent_client.post(to("edit", customer.number), data).status_code == 409


def test_a_note_is_written_once_with_its_author(agent_client, agent, customer):
    text = "Ruft lieber abends an.\nKeine Werbung per Telefon."
    for _ in range(2):
        response = agent_client.post(to("note_add", customer.number), {"text": text})
        assert response["Location"] == "/customers/10482/"
    note = customer.notes.get()
    assert (note.text, note.author, note.origin.kind) == (text, agent, "staff")


@pytest.mark.parametrize("text", ["", " ", "a\0b", "x" * 20_001])
def test_a_note_that_cannot_be_kept_stays_in_the_form(agent_client, customer, text):
    response = agent_client.post(to("note_add", customer.number), {"text": text})
    assert response.status_code == 422
    assert response.context["form"]["text"].value() == text
    assert response.context["form"].errors["text"]
    assert not Note.objects.exists()


def test_only_the_author_corrects_and_deletes_a_note(agent_client, manager_client, agent, customer):
    note = Note.objects.create(customer=customer, text="Lieferung nachmitags", author=agent)
    for name in ("note_edit", "note_delete"):
        assert manager_client.get(to(name, note.pk)).status_code == 403
        assert manager_client.post(to(name, note.pk), {"text": "x"}).status_code == 403
    page = agent_client.get(to("note_edit", note.pk))
    assert page.context["form"]["text"].value() == "Lieferung nachmitags"
    agent_client.post(to("note_edit", note.pk), {"text": "Lieferung nachmittags", "version": note.version})
    assert Note.objects.get().text == "Lieferung nachmittags"
    assert Note.objects.filter(text_index="Lieferung nachmittags").exists()
    assert b"Lieferung nachmittags" in agent_client.get(to("note_delete", note.pk)).content
    assert Note.objects.exists()
    agent_client.post(to("note_delete", note.pk))
    assert not Note.objects.exists()


def test_a_note_corrected_in_two_tabs_shows_both_versions_and_loses_none(agent_client, agent, customer):
    note = Note.objects.create(customer=customer, text="Ruft zurük", author=agent)
    address, seen = to("note_edit", note.pk), note.version
    agent_client.post(address, {"text": "Ruft am Montag zurück", "version": seen})
    second = agent_client.post(address, {"text": "Ruft am Dienstag zurück", "version": seen})
    assert second.status_code == 409
    page = second.content.decode()
    assert "Ruft am Montag zurück" in page and "Ruft am Dienstag zurück" in page
    assert Note.objects.get().text == "Ruft am Montag zurück"
    again = re.search(r'name="version" value="(\d+)"', page)[1]
    assert agent_client.post(address, {"text": "Ruft am Dienstag zurück", "version": again}).status_code == 302
    assert Note.objects.get().text == "Ruft am Dienstag zurück"
    assert agent_client.post(address, {"text": "Ohne Fassung"}).status_code == 400
    assert Note.objects.get().text == "Ruft am Dienstag zurück"


def test_notes_and_flags_of_restricted_customers_do_not_exist_for_the_service(agent_client, agent, customer):
    note = Note.objects.create(customer=customer, text="x", author=agent)
    flag = flagged(customer, agent)
    Customer.objects.update(restricted_at=timezone.now())
    for address in (to("note_edit", note.pk), to("note_delete", note.pk), to("flag_lift", flag.pk)):
        assert agent_client.get(address).status_code == 404
        assert agent_client.post(address, {"text": "y"}).status_code == 404
    assert Note.objects.get().text == "x"
    assert Flag.objects.get().lifted_at is None


def test_a_restricted_customer_gets_no_note_even_from_those_who_see_it(agent_client, agent, customer):
    RolePermission.objects.update_or_create(
        role=agent.roles.get(), permission="customers.restricted", defaults={"granted": True}
    )
    Customer.objects.update(restricted_at=timezone.now())
    response = agent_client.post(to("note_add", customer.number), {"text": "Something typed"})
    assert response.status_code == 422
    assert b"Something typed" in response.content
    assert not Note.objects.exists()


@pytest.mark.parametrize("name", ["note_edit", "note_delete", "flag_lift"])
def test_rows_that_do_not_exist_are_404(agent_client, customer, name):
    assert agent_client.get(to(name, 99999999999999999999)).status_code == 404
    assert agent_client.post(to(name, 4711)).status_code == 404


def test_a_flag_has_a_reason_and_a_day_of_review(agent_client, agent, customer):
    today = timezone.localdate()
    day = add_months(today, 12)
    data = {"kind": "minor", "reason": "Said so on the phone", "review_on": day.isoformat()}
    assert agent_client.post(to("flag_set", customer.number), data).status_code == 302
    flag = Flag.objects.get()
    assert (flag.kind, flag.reason, flag.review_on, flag.set_by) == (
        "minor",
        "Said so on the phone",
        day,
        agent,
    )
    again = agent_client.post(to("flag_set", customer.number), data)
    assert again.status_code == 422
    assert "kind" in again.context["form"].errors
    assert Flag.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "a\0b"}, "reason"),
        ({"kind": "ugly"}, "kind"),
        ({"review_on": ""}, "review_on"),
        ({"review_on": "31.02.2027x"}, "review_on"),
    ],
)
def test_a_flag_that_lacks_something_is_not_set(agent_client, customer, changes, field):
    day = timezone.localdate() + timedelta(days=30)
    data = {"kind": "fraud", "reason": "Chargebacks", "review_on": day.isoformat()} | changes
    response = agent_client.post(to("flag_set", customer.number), data)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not Flag.objects.exists()


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_the_review_is_neither_past_nor_beyond_a_year(agent_client, customer, days):
    day = timezone.localdate() + timedelta(days=days)
    data = {"kind": "fraud", "reason": "Chargebacks", "review_on": day.isoformat()}
    assert agent_client.post(to("flag_set", customer.number), data).status_code == 422


def test_lifting_a_flag_keeps_it_as_proof(manager_client, manager, agent, customer):
    flag = flagged(customer, agent)
    assert b"Three chargebacks" in manager_client.get(to("flag_lift", flag.pk)).content
    assert manager_client.post(to("flag_lift", flag.pk)).status_code == 302
    flag.refresh_from_db()
    lifted = flag.lifted_at
    assert flag.lifted_by == manager
    again = manager_client.post(to("flag_lift", flag.pk), follow=True)
    assert [message.level_tag for message in again.context["messages"]][-1] == "info"
    flag.refresh_from_db()
    assert flag.lifted_at == lifted


def test_what_people_write_is_only_text(agent_client, agent, customer):
    evil = "<img src=x onerror=alert(1)>"
    Note.objects.create(customer=customer, text=evil, author=agent)
    flagged(customer, agent, reason=evil)
    for name in ("note_add", "flag_set"):
        page = agent_client.get(to(name, customer.number)).content
        assert evil.encode() not in page
        assert b"&lt;img" in page


def test_the_flag_of_a_restricted_customer_stays(client, customer, agent, manager):
    for role in manager.roles.all():
        RolePermission.objects.update_or_create(
            role=role, permission="customers.restricted", defaults={"granted": True}
        )
    flag = flagged(customer, agent)
    Customer.objects.filter(pk=customer.pk).update(restricted_at=timezone.now())
    client.force_login(manager)
    assert client.post(to("flag_lift", flag.pk)).status_code == 302
    flag.refresh_from_db()
    assert flag.lifted_at is None


def test_a_guest_is_kept_from_the_end_of_the_withdrawal_period(agent_client, customer):
    Customer.objects.filter(pk=customer.pk).update(status="guest")
    ended = timezone.localdate() + timedelta(days=9)
    Summary.objects.filter(customer=customer).update(withdrawal_end=ended)
    page = agent_client.get(to("deactivate", customer.number))
    # GUEST: 30 days from the end of the withdrawal period, then the day after (domain.md 5).
    assert page.context["day"] == explain("GUEST", ended, as_of=timezone.localdate()).deletable_from
    assert page.context["day"] > ended + timedelta(days=29)
