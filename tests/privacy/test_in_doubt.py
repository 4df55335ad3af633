"""A letter of which nobody knows whether it arrived stays in the outbox until somebody has said what became of it.

EVENT (domain.md 5) counts its 30 days from when a row was *processed*, and a letter in doubt is not: only a person can
say whether a business letter or an answer within the month (Art. 12(3)) has reached anybody. Its last day is that of
the letter it carried (LETTER: six years to the end of the year, HGB § 257).
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse

from customers.models import Customer
from mail.delivering import note_abandoned
from mail.models import Letter, Message
from mail.sending import queue
from portal.keeping import kept_for
from privacy.cockpit import items_for
from privacy.purging import plan_run, report_of, work
from tests.privacy.making import at, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("eager", "english")]

WRITTEN = date(2026, 3, 2)


@pytest.fixture
def alma(db: None) -> Customer:
    return make_person(last_activity="2026-11-30")


def lose(customer: Customer | None, **more: object) -> Message:
    """A letter whose worker died after the server had taken it."""
    message = queue("enclosed", to=customer, message_class="letter", context={}, **more)
    Message.objects.filter(pk=message.pk).update(
        state="sending", lease_until=at(WRITTEN), created_at=at(WRITTEN), attempted_at=at(WRITTEN)
    )
    Letter.archive.filter(message=message).update(created_at=at(WRITTEN))
    note_abandoned()
    message.refresh_from_db()
    assert message.state == Message.State.UNKNOWN
    return message


def purge(day: date) -> dict[str, int]:
    run = plan_run(day)
    work(run.pk)
    found = report_of(run).as_dict()["categories"].get("EVENT", {})
    return {name: count for name, count in found.items() if count}


def test_a_letter_in_doubt_stays_until_somebody_has_decided(fresh, officer, manager, alma: Customer) -> None:
    doubtful = lose(alma)
    assert purge(WRITTEN + timedelta(days=31)) == {}
    assert purge(WRITTEN + timedelta(days=400)) == {}
    desk = fresh(manager)
    assert any(item.key == "mails_unknown" and item.count == 1 for item in items_for(officer))
    assert desk.post(reverse("mail:decide", args=[doubtful.pk]), {"decision": "arrived"}).status_code == 302
    doubtful.refresh_from_db()
    assert doubtful.state == Message.State.SENT
    assert purge(WRITTEN + timedelta(days=400)) == {"due": 1, "deleted": 1}
    assert Letter.objects.get().sent_at == at(WRITTEN)


@pytest.mark.parametrize("state", ["sent", "failed", "refused", "cancelled"])
def test_what_is_in_no_doubt_leaves_after_thirty_days_as_ever(alma: Customer, state: str) -> None:
    letter = lose(alma)
    Message.objects.filter(pk=letter.pk).update(state=state, sent_at=at(WRITTEN) if state == "sent" else None)
    assert purge(WRITTEN + timedelta(days=30)) == {}
    assert purge(WRITTEN + timedelta(days=31)) == {"due": 1, "deleted": 1}


def test_it_stays_no_longer_than_the_letter_it_carried(alma: Customer) -> None:
    """LETTER of 2026: deletable from 1 January 2033; every datum has a last day, decided about or not."""
    lose(None, address="niemand@laden.example")
    assert purge(date(2032, 12, 31)) == {} and Message.objects.exists()
    purge(date(2033, 1, 1))
    assert not Letter.archive.exists()
    purge(date(2033, 1, 2))
    assert not Message.objects.exists()


def test_the_customer_page_calls_nothing_due_that_waits_for_a_person(alma: Customer) -> None:
    letter = lose(alma)
    (line,) = [line for line in kept_for(alma) if "mail" in line.parts and "letter" not in line.parts]
    assert (line.until, line.is_due) == (None, False)
    Message.objects.filter(pk=letter.pk).update(state="failed")
    (line,) = [line for line in kept_for(alma) if "mail" in line.parts and "letter" not in line.parts]
    assert line.until == WRITTEN + timedelta(days=31)
