"""Receipts go out once for each change, when it is sealed and signed, and say who, what, why and how to withdraw."""

from __future__ import annotations

import json
import subprocess
import sys
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consents import checkpoints
from consents.checkpoints import sign_checkpoint
from consents.models import Entry, Purpose
from consents.purposes import save_purpose
from consents.receipts import NotYet, public_key, receipt_of, send_checkpoint, send_receipts
from consents.sealing import seal_pending
from consents.tasks import send_receipts as beat_task
from consents.verify import RECEIPT, main, unarmored, verify
from consents.verifying import verify as ledger_is_sound
from consents.withdrawing import withdraw
from datamap.models import AccessLog
from mail.models import Message
from mail.sending import deliver_due
from staff.models import Role, User
from tests.consents.making import moment, say
from tests.privacy.making import make_person
from tests.privacy.packaging import make_shop

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def seal_and_sign() -> None:
    seal_pending()
    sign_checkpoint()


def test_a_change_is_told_once_and_not_before_it_is_signed() -> None:
    make_shop()
    customer = make_person("4711")
    say(customer, confirmed=True)
    assert send_receipts() == 0
    seal_pending()
    assert send_receipts() == 0  # sealed, not signed
    sign_checkpoint()
    assert send_receipts() == 1
    assert send_receipts() == 0
    beat_task()
    message = Message.objects.get()
    assert (message.message_class, message.customer_id) == ("notice", customer.pk)
    assert set(message.context) == {"entries"}
    deliver_due(10)
    (sent,) = mail.outbox
    assert sent.to == ["alma4711@laden.example"]
    assert "newsletter" not in sent.subject.lower()
    for words in ("Laden am Deich GmbH", "Newsletter, E-Mail", "jederzeit", public_key()):
        assert words in sent.body, sent.body
    content = unarmored(sent.body.encode(), RECEIPT)
    note = checkpoints.written()[0]
    assert verify(content, note, checkpoints.verifying_key()).kind == "given"


def test_several_changes_of_one_person_are_one_mail_and_each_is_told() -> None:
    customer = make_person("4711")
    say(customer)
    say(customer, purpose="birthday")
    seal_and_sign()
    withdraw(customer, "newsletter", "email", source="rfc8058")
    seal_and_sign()
    assert send_receipts() == 1
    assert len(Message.objects.get().context["entries"]) == 3


def test_no_receipt_where_nothing_was_decided_or_a_file_told_it() -> None:
    customer = make_person("4711")
    say(customer, "requested")
    say(customer, "noticed", purpose="feedback", source="sale")
    say(customer, purpose="birthday", source="import", late=True, ref=uuid4(), actor="staff:1")
    say(customer, "withdrawn", source="import", late=True, actor="import")
    seal_and_sign()
    assert send_receipts() == 0


def test_the_next_page_goes_on_where_the_last_one_ended() -> None:
    for number in range(7):
        say(make_person(str(4711 + number)))
    seal_and_sign()
    assert send_receipts(at_once=3) == 7
    assert Message.objects.values("customer").distinct().count() == 7


def test_an_english_reader_gets_english_words() -> None:
    customer = make_person("4711", language="en")
    say(customer)
    seal_and_sign()
    send_receipts()
    deliver_due(10)
    assert "You may withdraw at any time" in mail.outbox[0].body


def test_a_receipt_says_what_the_purpose_rested_on_then() -> None:
    customer = make_person("4711")
    entry = say(customer, purpose="profiling", channel="web", endpoint="")
    seal_and_sign()
    purpose = Purpose.objects.get(key="profiling")
    purpose.basis, purpose.name_de = "contract", "Passende Angebote"
    save_purpose(purpose)
    said = receipt_of(entry).person
    assert said["why"] == "Einwilligung (Art. 6 Abs. 1 Buchst. a DSGVO)"
    assert "jederzeit" in said["withdraw"]


def test_whoever_is_restricted_meanwhile_is_not_written_to() -> None:
    customer = make_person("4711")
    say(customer)
    seal_and_sign()
    send_receipts()
    customer.restricted_at = "2026-11-02T10:00:00+01:00"
    customer.save()
    deliver_due(10)
    assert mail.outbox == []


def test_the_privacy_role_downloads_receipt_and_checkpoint_and_the_log_says_so(signed_in) -> None:  # type: ignore[no-untyped-def]
    customer = make_person("4711")
    entry = say(customer)
    user = User.objects.create_user("ps@obhut.example", name="PS", roles=[Role.PRIVACY])
    other = User.objects.create_user("ks@obhut.example", name="KS", roles=[Role.SERVICE])
    page = reverse("receipts:receipt", args=[entry])
    assert signed_in(user).get(page).status_code == 404  # not sealed yet
    with pytest.raises(NotYet):
        receipt_of(entry)
    seal_and_sign()
    file = signed_in(user).get(page)
    note = signed_in(user).get(reverse("receipts:checkpoint", args=[entry]))
    assert (file.status_code, note.status_code) == (200, 200)
    assert customer.number not in file["Content-Disposition"]
    assert verify(file.content, note.content.decode(), checkpoints.verifying_key()).purpose == "newsletter"
    assert AccessLog.objects.filter(customer_number="4711", page="receipts:receipt").exists()
    assert signed_in(other).get(page).status_code == 403
    assert signed_in(user).get(reverse("receipts:receipt", args=[entry + 1])).status_code == 404


def test_anybody_reads_the_public_key(client: Client) -> None:
    out = StringIO()
    call_command("consent_key", stdout=out)
    assert client.get(reverse("receipts:key")).content.decode() == out.getvalue()
    said = StringIO()
    call_command("consent_key", json=True, stdout=said)
    assert json.loads(said.getvalue())["key"] == out.getvalue().strip()


def test_the_officer_gets_the_newest_checkpoint_once_a_day() -> None:
    assert send_checkpoint() is False
    make_shop()
    assert send_checkpoint() is False  # nothing is signed
    say(make_person("4711"))
    seal_and_sign()
    assert send_checkpoint() and send_checkpoint()
    deliver_due(10)
    (sent,) = mail.outbox
    assert sent.to == ["datenschutz@laden.example"]
    assert sent.subject.endswith(f"{timezone.localdate():%d.%m.%Y}")
    assert checkpoints.written()[-1].strip() in sent.body


def test_several_receipts_of_one_mail_are_each_provable_offline(tmp_path: Path) -> None:
    """Of several seals and checkpoints; and where one is altered, nothing is said of any."""
    make_shop()
    customer = make_person("4711")
    for purpose in ("newsletter", "birthday"):
        say(customer, purpose=purpose, confirmed=True)
        seal_and_sign()
    say(customer, purpose="post", channel="post", endpoint="")
    withdraw(customer, "newsletter", "email", source="rfc8058")
    seal_and_sign()
    assert send_receipts() == 1
    deliver_due(10)
    (sent,) = mail.outbox

    def proved(text: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "mail.txt").write_text(text, encoding="utf-8")
        place = str(tmp_path / "mail.txt")
        command = [sys.executable, "-m", "consents.verify", place, place, "--key", public_key()]
        return subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)

    done = proved(sent.body)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line.split(" on ")[0] for line in done.stdout.splitlines()]
    assert told == [
        "Proved: a consent (newsletter, email) was given",
        "Proved: a consent (birthday, email) was given",
        "Proved: a consent (post, post) was given",
        "Proved: a consent (newsletter, email) was withdrawn",
    ]
    begin = f"-----BEGIN {RECEIPT}-----\n"
    third = sent.body.split(begin)[3]
    swapped = third[:50] + ("A" if third[50] != "A" else "B") + third[51:]
    altered = proved(sent.body.replace(third, swapped))
    assert (altered.returncode, altered.stdout.count("\n")) == (1, 1)
    assert altered.stdout.startswith("Not proved")


def test_a_receipt_of_before_the_shop_moved_proves_itself_afterwards(settings: Any) -> None:
    """It leads to what was signed under the former address; what was signed since has the new one."""
    make_shop()
    customer = make_person("4711")
    settings.SITE_URL = "https://alt.laden.example"
    before = say(customer, confirmed=True)
    seal_and_sign()
    settings.SITE_URL = "https://neu.laden.example"
    after = say(customer, "renewed", confirmed=True)
    seal_and_sign()
    for entry, kind in ((before, "given"), (after, "renewed")):
        receipt = receipt_of(entry)
        assert verify(receipt.content, receipt.checkpoint, checkpoints.verifying_key()).kind == kind
    assert ledger_is_sound().ok


SAVED = {
    "as it came": lambda whole, said: whole,
    "on Windows": lambda whole, said: whole.replace(b"\n", b"\r\n"),
    "quoted printable": lambda whole, said: _encoded(said, "quoted-printable"),
    "base64": lambda whole, said: _encoded(said, "base64"),
    "as Unicode text": lambda whole, said: said.encode("utf-16"),
    "forwarded": lambda whole, said: "\n".join(f"> {line}" for line in said.split("\n")).encode(),
    "forwarded twice": lambda whole, said: "\r\n".join(f">> {line}" for line in said.split("\n")).encode(),
}


def _encoded(said: str, encoding: str) -> bytes:
    """As a server on the way, or a program that stores it, writes the same mail."""
    whole = EmailMessage()
    whole["Subject"] = "Beleg"
    whole.set_content(said, cte=encoding)
    whole.add_alternative("<p>Beleg</p>", subtype="html")
    return whole.as_bytes()


@pytest.mark.parametrize("how", SAVED)
def test_the_mail_proves_itself_however_somebody_has_saved_it(tmp_path: Path, how: str) -> None:
    make_shop()
    say(make_person("4711", first_name="Älma"), confirmed=True)
    seal_and_sign()
    send_receipts()
    deliver_due(10)
    (sent,) = mail.outbox
    saved = tmp_path / "mail.eml"
    saved.write_bytes(SAVED[how](sent.message().as_bytes(), sent.body))
    assert main([str(saved), str(saved), "--key", public_key()]) == 0
    # One letter of the receipt less is another one.
    lines = sent.body.split("\n")
    at = lines.index(f"-----BEGIN {RECEIPT}-----") + 2
    body = "\n".join([*lines[:at], lines[at][:-1], *lines[at + 1 :]])
    saved.write_bytes(SAVED[how](body.encode(), body))
    assert main([str(saved), str(saved), "--key", public_key()]) == 1


def test_a_receipt_that_quotes_a_mail_is_no_mail(tmp_path: Path) -> None:
    make_shop()
    said = "MIME-Version: 1.0 Content-Type: text/plain Content-Transfer-Encoding: base64"
    receipt, checkpoint = tmp_path / "receipt.json", tmp_path / "checkpoint.txt"
    entry = say(make_person("4711"), confirmed=True, evidence={"note": said})
    seal_and_sign()
    receipt.write_bytes(receipt_of(entry).content)
    checkpoint.write_text(receipt_of(entry).checkpoint, encoding="utf-8")
    assert main([str(receipt), str(checkpoint), "--key", public_key()]) == 0


def test_what_is_gone_when_the_mail_leaves_is_left_out_and_a_mail_of_nothing_stays() -> None:
    """BGB §§ 195, 199: proof of a no of 2021 may be gone from 2025 on."""
    alma, bert = make_person("4711"), make_person("4712")
    for customer in (alma, bert):
        say(customer, "refused", "post", channel="post", endpoint="", at=moment("2021-03-01T10:00:00+01:00"))
    kept = say(alma)
    seal_and_sign()
    assert send_receipts() == 2
    call_command("purge_expired", "--rule", "CONSENT", "--as-of", "2025-01-01", "--json")
    deliver_due(10)
    (sent,) = mail.outbox
    assert sent.to == ["alma4711@laden.example"]
    assert sent.body.count(f"BEGIN {RECEIPT}") == 1
    assert str(Entry.objects.get(pk=kept).uuid) in sent.body
    row = Message.objects.get(customer=bert)
    assert (row.state, row.reason) == ("refused", "nothing_left")


def test_the_checkpoints_are_read_once_for_all_receipts_of_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    customer = make_person("4711")
    for purpose in ("newsletter", "birthday", "feedback"):
        say(customer, purpose=purpose)
        seal_and_sign()
    send_receipts()
    read: list[Path] = []
    read_text = Path.read_text

    def counted(path: Path, *given: Any, **more: Any) -> str:
        read.append(path)
        return read_text(path, *given, **more)

    monkeypatch.setattr(Path, "read_text", counted)
    deliver_due(10)
    assert len(mail.outbox) == 1
    assert read.count(checkpoints.place()) == 1
    assert checkpoints.newest() is not None
    assert read.count(checkpoints.place()) == 1  # the newest stands at the end of the file


@pytest.mark.parametrize("left_over", ["", "laden.example/consents\n99", "laden.example/consents\n99\nAAAA\nnow\n\n"])
def test_the_newest_checkpoint_is_the_last_complete_one_of_a_long_file(left_over: str) -> None:
    for number in range(40):
        say(make_person(str(4711 + number)))
        seal_and_sign()
    assert checkpoints.place().stat().st_size > checkpoints.TAIL
    with checkpoints.place().open("a", encoding="utf-8") as file:
        file.write(left_over)
    newest = checkpoints.newest()
    assert newest is not None and newest.size == 40
