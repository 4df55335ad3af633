"""`erase_person --deep`: what others wrote about the person into sealed texts is found and shown, not dropped."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from customers.models import ContactPoint, Customer, Note
from mail.models import Letter
from privacy.models import Erasure
from privacy.tasks import retry_erasures, work_on_erasure
from tests.privacy.making import make_contact, make_person

pytestmark = pytest.mark.django_db


def erase(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("erase_person", "4711", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def note() -> Note:
    """What stands about the person in the sealed note of somebody else."""
    make_person("4711")
    other = make_person("4712", first_name="Bert", last_name="Zweig")
    phone = other.contact_points.get(kind="phone")
    phone.value = "+49407654321"
    phone.save()
    phone.history.all().delete()
    make_contact(other, "2026-10-01", content="Bert fragt nach seiner Bestellung.")
    return Note.objects.create(customer=other, text="Rechnung bitte an ALMA4711@laden.example, das ist seine Frau.")


def test_without_it_sealed_texts_are_not_read(note: Note) -> None:
    told = erase()
    assert told["complete"] and told["traces"] == {}
    assert not Erasure.objects.get().steps.filter(key="rescan:deep").exists()


def test_a_trace_in_the_sealed_note_of_somebody_else_keeps_the_case_open_until_it_is_gone(
    note: Note, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert erase("--dry-run", "--deep")["traces"] == {}
    assert Customer.objects.count() == 2
    told = erase("--deep")
    assert not told["complete"]
    assert told["traces"] == {"customers_note.text": 1}
    erasure = Erasure.objects.get()
    assert erasure.state == Erasure.State.OPEN_STORES
    assert erasure.steps.get(key="rescan:deep").error == "TracesLeft"
    assert not Customer.objects.filter(number="4711").exists()
    # The hourly task, which opens nothing by itself, does not drop what was found.
    monkeypatch.setattr(work_on_erasure, "delay", work_on_erasure)
    retry_erasures()
    erasure.refresh_from_db()
    assert (erasure.state, erasure.hints) == (Erasure.State.OPEN_STORES, {"customers_note.text": 1})

    note.text = "Rechnung bitte an seine Frau."
    note.save()
    told = erase()
    assert told["complete"] and told["traces"] == {} and told["receipt"] == str(erasure.receipt)


def test_a_namesake_in_a_sealed_note_is_shown_and_no_trace(note: Note) -> None:
    note.text = "Kennt Alma Kanarienvogel aus dem Chor."
    note.save()
    told = erase("--deep")
    assert told["complete"]
    assert told["traces"] == {"customers_note.text": 1}


def test_a_phone_that_a_family_shares_is_shown_and_stays_theirs(note: Note) -> None:
    note.delete()
    phone = note.customer.contact_points.get(kind="phone")
    phone.value = "+49301234567"  # as Alma's
    phone.save()
    told = erase("--deep")
    assert told["complete"]
    assert told["traces"] == {"customers_contactpoint.value": 1, "customers_historicalcontactpoint.value": 1}
    assert note.customer.contact_points.filter(kind="phone").exists()


def test_when_the_erasure_is_finished_there_is_nothing_left_to_search_for(note: Note) -> None:
    erase()
    with pytest.raises(CommandError, match="abgeschlossen") as refused:
        erase("--deep")
    assert refused.value.returncode == 2


def test_letters_to_a_spouse_with_the_same_address_are_shown_and_no_trace(note: Note) -> None:
    """They are the spouse's, kept as sent, and cannot be changed: nobody could ever take the address out of them."""
    note.delete()
    spouse = note.customer
    ContactPoint.objects.create(customer=spouse, kind="email", value="Alma4711@laden.example")
    Letter.objects.create(customer=spouse, body="Hallo", recipient_lines="Bert Zweig\nAlma4711@laden.example")
    told = erase("--deep")
    assert told["complete"]
    assert told["traces"]["mail_letter.recipient_lines"] == 1
    assert Letter.objects.get().recipient_lines.endswith("Alma4711@laden.example")
