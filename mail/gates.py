"""Asks at the moment of sending whether a mail may still go out; apps above register what they know.

The built-in questions hold for every class: is the person still there, may they be written to at all. Advertising and
requests for feedback go out only where a registered gate has let them through: nobody registered, nothing sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Summary
from customers.suppression import suppressed
from customers.tombstones import erased, erasure_of_number
from mail.models import Letter, Message, MessageClass
from mail.templates import UnknownTemplate, template_of

EVERY_CLASS = "*"
# Need somebody's yes (§ 7(2) UWG; a request for feedback is advertising: BGH VI ZR 225/17).
ASKED_FIRST = frozenset({MessageClass.ADVERTISING, MessageClass.FEEDBACK})
# Contract, answers to requests and safety go on where everything else has to stop (Art. 18(2) GDPR; GPSR Art. 35).
UNSTOPPABLE = frozenset({MessageClass.LETTER, MessageClass.RECALL})


@dataclass(frozen=True)
class Refusal:
    """Why a mail does not go out: a key that is kept with it, and the words for it.

    Make refusals constants of a module: every process then knows the words of every key.
    """

    key: str
    text: Any

    def __post_init__(self) -> None:
        _texts.setdefault(self.key, self.text)


Gate = Callable[[Message], Refusal | None]

_texts: dict[str, Any] = {}
_gates: dict[str, list[Gate]] = {}
_ask_about_objections: list[Gate] = []

GONE = Refusal("gone", _("The person is no longer here."))
ERASED = Refusal("erased", _("The person was erased."))
NO_ADDRESS = Refusal("no_address", _("There is no e-mail address."))
BAD_ADDRESS = Refusal("bad_address", _("The e-mail address cannot be read."))
DEACTIVATED = Refusal("deactivated", _("The customer is deactivated."))
RESTRICTED = Refusal("restricted", _("The customer's data are restricted."))
SUPPRESSED = Refusal("suppressed", _("The address is on the suppression list."))
OBJECTED = Refusal("objected", _("The customer has objected to advertising."))
NOT_ALLOWED = Refusal("not_allowed", _("Nothing says that this advertising is allowed."))


def register_gate(message_class: str, gate: Gate, *, knows_objections: bool = False) -> None:
    """Ask this gate too before a mail of this class is sent; called from an app's `ready`.

    A gate of one class that answers None lets the mail through as far as it is concerned, which is the yes that
    advertising and requests for feedback wait for. A gate for `EVERY_CLASS` can only stop. `knows_objections`: it asks
    itself whether the person has objected to advertising, and what the person has confirmed since.
    """
    if message_class != EVERY_CLASS and message_class not in MessageClass.values:
        raise ValueError(f"There is no class of mails called {message_class}.")
    if gate not in _gates.setdefault(message_class, []):
        _gates[message_class].append(gate)
    if knows_objections and gate not in _ask_about_objections:
        _ask_about_objections.append(gate)


@contextmanager
def gates_temporarily(*, without: Iterable[str] = ()) -> Iterator[None]:
    """For tests: gates registered inside are forgotten afterwards; those of the classes `without` are not asked."""
    before = {message_class: list(gates) for message_class, gates in _gates.items()}
    for message_class in without:
        _gates.pop(message_class, None)
    try:
        yield
    finally:
        _gates.clear()
        _gates.update(before)


def reason_text(key: str) -> Any:
    """The words for a reason that is kept with a mail; the key itself where its app is gone."""
    return _texts.get(key, key)


def refusal_of(message: Message, address: str | None) -> Refusal | None:
    """Why this mail must not go to this address now; None where it may. Reads the customer as it is now.

    Whatever fails while asking (database, keys, a gate) is raised: a question without an answer is no yes.
    """
    refused = _refused_to_anyone(message, address) or _refused_to_customer(message)
    if refused is not None:
        return refused
    for gate in [*_gates.get(EVERY_CLASS, ()), *_gates.get(message.message_class, ())]:
        if (refused := gate(message)) is not None:
            return refused
    # Asked last: a gate says more exactly why not, and this stands where a gate has overlooked it.
    return _refused_advertising(message, str(address)) if message.message_class in ASKED_FIRST else None


def _refused_to_anyone(message: Message, address: str | None) -> Refusal | None:
    if message.to_customer and message.customer_id is None:
        return GONE
    if not address:
        return NO_ADDRESS
    hit = erased(email=address)
    if hit is None or _answers_request(message) or _was_asked_for(message, hit[0]):
        return None
    return None if _is_for_the_living(message, hit[0]) else ERASED


def _answers_request(message: Message) -> bool:
    """Who asked for erasure gets the answer to that request (Art. 12(3) GDPR), and nothing else."""
    kept = Letter.archive.filter(message_id=message.pk, kept_as=Letter.KeptAs.REQUEST)
    return message.message_class == MessageClass.LETTER and kept.exists()


def _was_asked_for(message: Message, erased_at: datetime) -> bool:
    """Whether somebody has asked for this very mail after the erasure: who signs up again is a new person."""
    try:
        return template_of(message.template).asked_for and message.created_at > erased_at
    except UnknownTemplate:
        return False


def _is_for_the_living(message: Message, erased_at: datetime) -> bool:
    """Whether the customer has the address of somebody erased and still is to be written to.

    That is a new customer, who began after the erasure; somebody else who shares the address, as in a family; and, for
    letters and recalls alone, a person of whom an open order or a dispute has to be finished first (Art. 17(3)(e)).
    """
    customer = message.customer
    if customer is None:
        return False
    if (customer.registered_at or customer.created_at) > erased_at or message.message_class in UNSTOPPABLE:
        return True
    # The mark of their own number tells whose erasure it was.
    return erasure_of_number(customer.number) is None


def _refused_to_customer(message: Message) -> Refusal | None:
    customer = message.customer
    if customer is None or message.message_class in UNSTOPPABLE:
        return None
    if customer.restricted_at is not None:
        return RESTRICTED
    return DEACTIVATED if customer.deactivated_at is not None else None


def _refused_advertising(message: Message, address: str) -> Refusal | None:
    gates = _gates.get(message.message_class, [])
    if suppressed("email", address):
        return SUPPRESSED
    if not any(gate in _ask_about_objections for gate in gates) and _has_objected(message.customer):
        return OBJECTED
    return None if gates else NOT_ALLOWED


def _has_objected(customer: Customer | None) -> bool:
    return (
        customer is not None
        and Summary.objects.filter(customer=customer, advertising_stopped_at__isnull=False).exists()
    )
