"""What a replay does of the rights of a person: the same erasure, with its receipt, and nobody is told again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import ContactPerson, Customer
from datamap import journal
from datamap.models import Quarantine
from mail.models import Message
from mail.sending import deliver_due
from privacy import notices, objecting
from privacy.erasing import approve_erasure, ask_erasure, cancel_erasure, run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.models import Erasure, Hold, Notice, Policy, Recipient
from privacy.tasks import follow_notices
from staff.models import Role, User
from tests.ops.restoring import back_up, found, run, said
from tests.privacy.noting import disclose, make_customer, make_recipient

pytestmark = pytest.mark.django_db(transaction=True)


def _restored(path: Path, target: str, folder: Path) -> dict[str, Any]:
    said(run(target, folder, "restore", str(path), "--json"))
    outcome = said(run(target, folder, "reapply_erasures", "--json"))
    assert outcome["released"] and outcome["failed"] == 0
    return outcome


def _known_to(customer: Customer) -> dict[str, Recipient]:
    """Recipients of the data of this customer, by what will have become of their notice."""
    found = {name: make_recipient(name, email=f"{name}@nord.example", language="de") for name in ("sent", "back")}
    found |= {name: make_recipient(name) for name in ("done", "impossible", "by hand")}  # without an address
    found["waits"] = make_recipient("waits", email="waits@nord.example", language="de")
    for recipient in found.values():
        disclose(recipient, customer, "2026-10-01")
    return found


def _states(database: str) -> list[str]:
    return found(
        database,
        "SELECT r.name || ': ' || n.state FROM privacy_notice n JOIN privacy_recipient r ON r.id = n.recipient_id "
        "ORDER BY 1",
    )


def test_a_replayed_erasure_keeps_its_receipt_and_tells_nobody_twice(
    tmp_path: Path, target: str, manager: User, agent: User
) -> None:
    anna = make_customer(first_name="Annabell", last_name="Kanarienvogel")
    recipients = _known_to(anna)
    # In the backup an erasure waits for its second person; it is taken back, and another one runs.
    Policy(erasure_needs_second=True).save()
    ask_erasure(anna, user=agent)
    path = Path(back_up(tmp_path)["path"])
    cancel_erasure(Erasure.objects.get())
    erasure = ask_erasure(anna, user=agent)
    approve_erasure(erasure, manager)
    assert run_erasure(erasure.pk).state == Erasure.State.DONE

    # The recipients hear of it, but for one whose mail still waits when the disk breaks.
    by_name = {notice.recipient.name: notice for notice in notices.open_notices()}
    Message.objects.filter(key=by_name["waits"].mail_key).update(next_attempt_at=timezone.now() + timedelta(days=1))
    deliver_due()
    Message.objects.filter(key=by_name["back"].mail_key).update(bounce="hard")
    follow_notices()
    notices.mark_told(by_name["done"].pk, "Brief an Anna", by=manager)
    notices.mark_impossible(by_name["impossible"].pk, "Gibt es nicht mehr", by=manager)
    told = {notice.recipient.name: notice.state for notice in Notice.archive.select_related("recipient")}
    expected = {
        "sent": "sent", "back": "bounced", "done": "done", "impossible": "impossible", "by hand": "queued",
        "waits": "queued",
    }  # fmt: skip
    assert told == expected

    sealed = tmp_path / "restored-files"
    _restored(path, target, sealed)
    assert found(target, "SELECT count(*) FROM customers_customer") == [0]
    done = "SELECT receipt FROM privacy_erasure WHERE state = 'done'"
    assert found(target, done) == [erasure.receipt]
    assert found(target, "SELECT subject_ref FROM privacy_erasure WHERE state = 'done'") == [erasure.subject_ref]
    assert found(target, "SELECT state FROM privacy_erasure ORDER BY state") == ["cancelled", "done"]
    assert _states(target) == sorted(f"{name}: {state}" for name, state in expected.items())
    # One mail goes out: to the recipient who was not told before.
    waiting = "SELECT r.name FROM mail_message m JOIN privacy_notice n ON n.mail_key = m.key "
    waiting += "JOIN privacy_recipient r ON r.id = n.recipient_id WHERE m.state = 'queued'"
    assert found(target, waiting) == ["waits"]
    assert found(target, "SELECT count(*) FROM mail_message WHERE state = 'queued'") == [1]
    # The journal knows no more of it than ids.
    lines = [entry.payload for entry in journal.entries() if entry.kind == "recipient_told"]
    assert {line["recipient"] for line in lines} == {
        recipients[name].pk for name in ("sent", "back", "done", "impossible")
    }
    assert not {"Anna", "Brief", "nord.example"} & {part for line in lines for part in str(line).split()}


@pytest.mark.parametrize("who", ["customer", "speaker"])
def test_an_erasure_that_was_taken_back_after_the_backup_does_not_run_after_the_restore(
    tmp_path: Path, target: str, agent: User, who: str
) -> None:
    """Its hour has passed by then: the next minute a worker would delete whom the shop had decided to keep."""
    customer = make_customer(kind="company", company="Werft GmbH")
    speaker = ContactPerson.objects.create(customer=customer, first_name="Sina", last_name="Segel")
    Policy(undo_hours=24).save()
    erasure = (
        ask_erasure(customer, user=agent) if who == "customer"
        else ask_contact_erasure(speaker, suppress=False, user=agent)
    )  # fmt: skip
    path = Path(back_up(tmp_path)["path"])
    cancel_erasure(erasure)

    _restored(path, target, tmp_path / "restored-files")
    assert found(target, "SELECT state FROM privacy_erasure") == ["cancelled"]
    assert found(target, "SELECT receipt FROM privacy_erasure") == [erasure.receipt]
    again = said(run(target, tmp_path / "restored-files", "reapply_erasures", "--json"))
    assert (again["failed"], again["released"]) == (0, True)


def test_a_notice_that_waited_in_the_backup_and_went_out_since_is_not_in_doubt(
    tmp_path: Path, target: str, manager: User
) -> None:
    customer = make_customer()
    recipient = make_recipient("Nordpost", email="post@nord.example", language="de")
    disclose(recipient, customer, "2026-10-01")
    notices.queue_notices("rectification", customer.pk, None, what="Nachname: Möller")
    path = Path(back_up(tmp_path)["path"])
    deliver_due()
    follow_notices()

    _restored(path, target, tmp_path / "restored-files")
    assert _states(target) == ["Nordpost: sent"]
    assert found(target, "SELECT state FROM mail_message") == ["sent"]


def test_who_restores_is_told_to_look_through_holds_and_rules(tmp_path: Path, target: str) -> None:
    """They come back without their words (`test_restored_holds`), and a hold of a version before that wrote none into
    the journal does not; the next night would delete what it kept, and nobody would know."""
    customer = make_customer()
    path = Path(back_up(tmp_path)["path"])
    Hold.objects.create(kind="claim", customer=customer, reason="Streit", review_on="2027-03-01")
    objecting.object_now(customer, channel="phone", by=None)

    folder = tmp_path / "restored-files"
    said(run(target, folder, "restore", str(path), "--json"))
    told = run(target, folder, "reapply_erasures")
    assert told.returncode == 0, told.stderr
    assert found(target, "SELECT count(*) FROM privacy_hold") == [0]
    assert "may be worked with" in told.stdout
    assert all(word in told.stdout for word in ("holds", "retention rules", "requests", "before the next night"))


@pytest.mark.parametrize(("days", "how", "shown"), [(1, "replayed", 1), (6, "released", 1), (8, "replayed", 0)])
def test_the_cockpit_says_for_a_week_what_a_restore_has_lost(signed_in: Any, days: int, how: str, shown: int) -> None:
    ended = timezone.now() - timedelta(days=days)
    Quarantine.objects.create(reason="restored", began_at=ended, ended_at=ended, ended_how=how)
    Quarantine.objects.create(reason="older", began_at=ended - timedelta(days=90), ended_at=ended - timedelta(days=90))
    officer = User.objects.create_user("schutz@obhut.example", name="Dora Schutz", roles=[Role.PRIVACY])
    page = signed_in(officer).get(reverse("privacy:cockpit"))
    items = {item.key: item for item in page.context["items"]}
    assert items["restored"].count == shown if shown else "restored" not in items
    assert ("Löschstopps" in page.text and "Sicherung" in page.text) or not shown
