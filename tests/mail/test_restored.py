"""After a restore nobody knows what of the outbox went out since the backup: a person decides, nothing goes again."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from datamap import quarantine
from datamap.models import JournalMark, Quarantine
from datamap.replaying import reapply
from mail.models import Message
from mail.sending import deliver_due
from staff.models import Role, User
from tests.mail.writing import make_customer, now, write

pytestmark = pytest.mark.django_db(transaction=True)

State = Message.State


def restore() -> None:
    """What `restore` leaves in the database in the transaction that brings the rows."""
    with transaction.atomic():
        quarantine.begin(Quarantine.Reason.RESTORED)


def test_what_waited_in_the_backup_is_in_doubt_and_what_is_written_later_goes_out(mail_server, manager_client):
    before, letter = write(make_customer("a@laden.example")), write(make_customer("b@laden.example"), "letter")
    restore()
    assert reapply().released
    after = write(make_customer("c@laden.example"))
    deliver_due(10)
    assert mail_server.recipients == ["c@laden.example"]
    assert now(after).state == State.SENT
    for message in (before, letter):
        assert (now(message).state, now(message).reason, now(message).lease) == (State.UNKNOWN, "restored", None)
    page = manager_client.get(reverse("mail:list"), {"state": "unknown"}).text
    assert "restored from a backup" in page or "aus einer Sicherung" in page
    manager_client.post(reverse("mail:decide", args=[before.pk]), {"decision": "again"})
    deliver_due(10)
    assert sorted(mail_server.recipients) == ["a@laden.example", "c@laden.example"]
    assert now(letter).state == State.UNKNOWN


def in_doubt(page):
    return page.context["count"]


def test_all_mails_in_doubt_are_decided_at_once_after_a_page_that_counts_them(
    mail_server, manager_client, agent_client, outsider_client
):
    waiting = [write(make_customer(f"a{n}@laden.example")) for n in range(3)]
    letter = write(make_customer("b@laden.example"), "letter")
    hidden = write(make_customer("c@laden.example", restricted_at=timezone.now()))
    restore()
    assert reapply().released
    again, none = reverse("mail:decide_all", args=["again"]), reverse("mail:decide_all", args=["cancel"])
    for client in (agent_client, outsider_client):
        assert client.get(again).status_code == client.post(again, {"count": "5"}).status_code == 403
    page = manager_client.get(reverse("mail:list"), {"state": "unknown", "class": "notice"}).text
    assert f"{again}?class=notice" in page and f"{none}?class=notice" in page
    assert again not in manager_client.get(reverse("mail:list")).text
    assert again not in agent_client.get(reverse("mail:list"), {"state": "unknown"}).text

    page = manager_client.get(again, {"class": "notice"})
    assert in_doubt(page) == 3 and now(waiting[0]).state == State.UNKNOWN
    # Somebody decides about one meanwhile: what was counted is no longer what would be done.
    manager_client.post(reverse("mail:decide", args=[waiting[0].pk]), {"decision": "arrived"})
    page = manager_client.post(again, {"class": "notice", "count": "3"})
    assert page.status_code == 409 and in_doubt(page) == 2
    assert manager_client.post(again, {"class": "notice", "count": "2"}).status_code == 302
    deliver_due(10)
    assert sorted(mail_server.recipients) == ["a1@laden.example", "a2@laden.example"]
    assert now(waiting[1]).decided_by.email == "manager@obhut.example"

    assert manager_client.post(none, {"count": str(in_doubt(manager_client.get(none)))}).status_code == 302
    deliver_due(10)
    assert len(mail_server.recipients) == 2 and now(letter).state == State.CANCELLED
    assert now(hidden).state == State.UNKNOWN  # of a restricted customer the manager decides nothing
    assert manager_client.get(reverse("mail:decide_all", args=["arrived"])).status_code == 404


def test_the_same_where_two_people_release_a_database_whose_journal_is_lost(mail_server):
    message = write(make_customer())
    JournalMark.objects.create(first=1, last=9, hash="0" * 64)
    people = [User.objects.create_user(f"p{n}@obhut.example", name="P", roles=[Role.OPERATOR]) for n in range(2)]
    assert not quarantine.release(people[0].pk)
    assert now(message).state == State.QUEUED
    assert quarantine.release(people[1].pk)
    deliver_due(10)
    assert (mail_server.recipients, now(message).state) == ([], State.UNKNOWN)
