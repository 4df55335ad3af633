"""A letter that comes back has told the person nothing: the desk hears of it and does not close the case (Art. 12)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from mail.delivering import deliver_due
from mail.events import work_off_events
from mail.models import Letter, Message, ProviderEvent
from privacy import cockpit, handling, identifying, letters
from privacy.closing import closable, open_points
from privacy.models import Request, RequestEvent, RequestLetter
from privacy.tasks import follow_notices
from tests.privacy.making import person, take

pytestmark = pytest.mark.django_db(transaction=True)


def answered(by, number: str = "10001") -> Request:
    case = take(by, kind="rectification", customer=person(number))
    identifying.settle(case, "known_facts", version=None, by=by)
    handling.answer(case, "Alles stimmt nun.", way="mail", partly=False, version=None, by=by)
    return case


def bounced(letter: RequestLetter) -> None:
    """The provider reports that the address does not exist."""
    message = Message.objects.get(key=f"request-letter:{letter.pk}")
    raw = {
        "event": {}, "reject_reason": "bounced", "recipient": message.recipient, "message_id": "",
        "metadata": {"message": str(message.uuid)},
    }  # fmt: skip
    ProviderEvent.objects.create(provider="test", kind="bounced", raw=raw)
    assert work_off_events() == 1


def page(client, case: Request) -> str:
    return client.get(reverse("privacy:request", args=[case.pk])).content.decode()


def counted(by) -> int:
    return next((item.count for item in cockpit.items_for(by) if item.key == "letters_back"), 0)


def on_board(client) -> list[int]:
    return [row.request.pk for row in client.get(reverse("privacy:requests"), {"state": "back"}).context["rows"]]


def close(client, case: Request) -> int:
    case.refresh_from_db()
    return client.post(reverse("privacy:request_close", args=[case.pk]), {"version": case.version}).status_code


def test_an_answer_that_comes_back_is_told_everywhere_and_its_case_stays_open(privacy_client, privacy):
    case, other = answered(privacy), answered(privacy, "10002")
    follow_notices()
    assert "kam zurück" not in page(privacy_client, case) and counted(privacy) == 0
    Message.objects.filter(key=f"request-letter:{case.letters.get().pk}").update(state="failed")
    follow_notices()
    assert "kam zurück" in page(privacy_client, case)
    assert counted(privacy) == 1 and on_board(privacy_client) == [case.pk]
    assert [row.pk for row in closable(Request.on_desk())] == [other.pk]
    assert close(privacy_client, case) == 409
    # The outbox forgets; the desk does not.
    Letter.archive.all().delete()
    Message.objects.all().delete()
    follow_notices()
    assert close(privacy_client, case) == 409 and close(privacy_client, other) == 302


def test_a_report_of_the_provider_is_heard_at_once(privacy_client, privacy):
    case = answered(privacy)
    deliver_due()
    assert open_points(case) == []
    bounced(case.letters.get())
    assert len(open_points(case)) == 1 and on_board(privacy_client) == [case.pk]


@pytest.mark.parametrize("facts", [{"state": "sent"}, {"state": "sent", "bounce": "soft"}, {"bounce": "complaint"}])
def test_what_arrived_or_may_still_arrive_is_no_return(facts, privacy):
    case = answered(privacy)
    Message.objects.update(**facts)
    follow_notices()
    assert open_points(case) == []


def test_the_same_mail_that_goes_out_again_settles_it(privacy_client, privacy):
    case = answered(privacy)
    Message.objects.update(state="failed", bounce="hard")
    follow_notices()
    assert len(open_points(case)) == 1
    Message.objects.update(state="queued", bounce="")
    follow_notices()
    assert open_points(case) == [] and close(privacy_client, case) == 302


def test_a_newer_letter_settles_what_came_back_before_and_none_after_it(privacy):
    case = answered(privacy)
    receipt = letters.write(case, "receipt", way="mail", by=privacy)
    answer = letters.write(case, "answer", way="mail", by=privacy)
    Message.objects.filter(key=f"request-letter:{receipt.pk}").update(state="failed")
    follow_notices()
    assert open_points(case) == []
    Message.objects.filter(key=f"request-letter:{answer.pk}").update(state="failed")
    follow_notices()
    assert len(open_points(case)) == 2, "nothing that was written since the receipt is known to have arrived"
    Message.objects.filter(key=f"request-letter:{answer.pk}").update(state="queued")
    follow_notices()
    assert open_points(case) == []


def test_what_is_noted_of_a_newer_letter_settles_the_older_ones_with_it(privacy_client, privacy):
    case = answered(privacy)
    receipt = letters.write(case, "receipt", way="mail", by=privacy)
    Message.objects.update(state="failed")
    follow_notices()
    assert len(open_points(case)) == 2
    target = reverse("privacy:letter_settle", args=[case.pk, receipt.pk])
    case.refresh_from_db()
    assert privacy_client.post(target, {"version": case.version, "done": "Am Telefon gesagt"}).status_code == 302
    assert open_points(case) == [] and close(privacy_client, case) == 302


def test_one_notes_what_was_done_instead_and_only_with_words(privacy_client, privacy, agent_client):
    case = answered(privacy)
    letter = case.letters.get()
    Message.objects.update(state="failed")
    follow_notices()
    target = reverse("privacy:letter_settle", args=[case.pk, letter.pk])
    case.refresh_from_db()
    told = {"version": case.version, "done": "Am Telefon gesagt, Adresse unbekannt"}
    assert agent_client.post(target, told).status_code == 403
    assert privacy_client.post(target, told | {"done": " "}).status_code == 422
    assert privacy_client.post(target, told | {"version": case.version + 1}).status_code == 409
    foreign = answered(privacy, "10002")
    assert privacy_client.post(reverse("privacy:letter_settle", args=[foreign.pk, letter.pk]), told).status_code == 404
    assert len(open_points(case)) == 1
    assert privacy_client.post(target, told).status_code == 302
    step = case.events.get(kind=RequestEvent.Kind.LETTER_SETTLED)
    assert step.actor == privacy and "Am Telefon gesagt" in step.reason
    assert open_points(case) == [] and counted(privacy) == 0
    case.refresh_from_db()
    assert privacy_client.post(target, told | {"version": case.version}).status_code == 422
    assert close(privacy_client, case) == 302


def test_a_letter_that_comes_back_after_its_case_was_closed_is_found_all_the_same(privacy_client, privacy):
    case = answered(privacy)
    deliver_due()
    assert close(privacy_client, case) == 302
    bounced(case.letters.get())
    assert counted(privacy) == 1 and on_board(privacy_client) == [case.pk]
    case.refresh_from_db()
    target = reverse("privacy:letter_settle", args=[case.pk, case.letters.get().pk])
    assert privacy_client.post(target, {"version": case.version, "done": "Per Post geschickt"}).status_code == 302
    assert on_board(privacy_client) == []
