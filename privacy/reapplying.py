"""Erases again after a restore whom the journal says was erased; and keeps mails from those who are being erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from datamap.controlling import legal_zone
from datamap.workdays import local_date
from mail.gates import Refusal
from mail.models import Message, MessageClass
from privacy.erasing import run_erasure
from privacy.erasing_contacts import ask_contact_erasure
from privacy.journaling import is_meant
from privacy.models import Erasure, Request
from privacy.progress import erasures_of
from privacy.speaking import speaker_by_key

BEING_ERASED = Refusal("being_erased", _("The person is being erased."))


class NotErased(Exception):
    """A replayed erasure did not come to its end: the quarantine must not either."""


def replay_erasure(entry: Mapping[str, Any]) -> str:
    """Run the erasure of a journal entry again; "already" where the person is gone. Safe to be asked twice.

    It is the erasure that it was: under the same mark and with the receipt that the person may hold, and nobody agrees
    to it a second time. Recipients are put on the list again; entries that follow say who was told (ADR 11). What a
    case of the restored database keeps is held as in any erasure. Raises NotErased where traces or stores are left.
    """
    customer = Customer.objects.filter(pk=entry["customer"]).first()
    if customer is None or not is_meant(entry, customer.number):
        return "already"
    done = run_erasure(_again(customer, entry).pk, now=True)
    if done.state not in (Erasure.State.DONE, Erasure.State.HELD):
        raise NotErased(done.state)
    return "replayed"


def replay_contact(entry: Mapping[str, Any]) -> str:
    """The same for a contact person whose company stays."""
    person = speaker_by_key(entry["contact"])
    if person is None or person.customer_id != entry["customer"] or not is_meant(entry, person.customer.number):
        return "already"
    as_it_was = {"subject_ref": UUID(entry["subject_ref"]), "receipt": UUID(entry["receipt"])}
    waiting = Erasure.objects.filter(
        contact_person=person.pk, state__in=(Erasure.State.WAITING, Erasure.State.SCHEDULED)
    )
    waiting.update(state=Erasure.State.SCHEDULED, **as_it_was)
    # Which addresses must not be written to has entries of its own.
    erasure = ask_contact_erasure(person, suppress=False, again=as_it_was)
    done = run_erasure(erasure.pk, now=True)
    if done.state not in (Erasure.State.DONE, Erasure.State.HELD):
        raise NotErased(done.state)
    return "replayed"


def replay_taken_back(entry: Mapping[str, Any]) -> str:
    """Take an erasure back again that was taken back after the backup; its hour may have passed since."""
    waiting = Erasure.objects.filter(
        receipt=entry["receipt"], state__in=(Erasure.State.WAITING, Erasure.State.SCHEDULED)
    )
    done = waiting.update(state=Erasure.State.CANCELLED, finished_at=timezone.now(), needles=None)
    return "replayed" if done else "already"


def _again(customer: Customer, entry: Mapping[str, Any]) -> Erasure:
    """The erasure of an entry, ready to run: the one that waits in the restored database, or a new row for it."""
    as_it_was = {"subject_ref": UUID(entry["subject_ref"])}
    if "receipt" in entry:  # nobody asked for an erasure by night
        as_it_was["receipt"] = UUID(entry["receipt"])
    # One that was taken back after the backup has the receipt of another; what begins anew does so under the old mark.
    waiting = Erasure.objects.filter(customer=customer, state__in=(Erasure.State.WAITING, Erasure.State.SCHEDULED))
    waiting.update(state=Erasure.State.SCHEDULED, **as_it_was)
    erasure, _made = Erasure.objects.get_or_create(
        customer=customer,
        state__in=Erasure.OPEN_STATES,
        defaults={
            "as_of": local_date(timezone.now(), legal_zone()),
            "state": Erasure.State.SCHEDULED,
            **as_it_was,
        },
    )
    return erasure


def refuse_while_erasing(message: Message) -> Refusal | None:
    """Sends are frozen from the moment an erasure is scheduled; answers to requests still go out."""
    if message.customer_id is None or message.message_class in (MessageClass.LETTER, MessageClass.RECALL):
        return None
    frozen = (Erasure.State.SCHEDULED, Erasure.State.RUNNING, Erasure.State.HELD, Erasure.State.OPEN_STORES)
    return BEING_ERASED if Erasure.objects.filter(customer=message.customer_id, state__in=frozen).exists() else None


def still_erasing(request: Request) -> list[str]:
    """What of the erasures that a request asked for is not done yet; a request with any of it does not close."""
    found = []
    for erasure in erasures_of(request):
        if erasure.state not in Erasure.OPEN_STATES:
            continue
        found.append(
            str(
                _("The erasure %(receipt)s is not finished: %(state)s.")
                % {
                    "receipt": str(erasure.receipt)[:8],
                    "state": erasure.get_state_display(),
                }
            )
        )
    return found
