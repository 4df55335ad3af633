"""Who decides held rows of each kind: this app those about customers; apps above register theirs at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers import holding
from customers.access import SEES_RESTRICTED
from customers.intake import decide_held
from customers.models import Customer, HeldIntake
from customers.rows import CustomerRow
from staff.models import User

Facts = list[tuple[str, str]]
# (held id, decision, user id, customer or None) -> anything; raises holding.DecisionRefused.
Decide = Callable[..., Any]


@dataclass(frozen=True)
class Person:
    """Whom a held row is about, as far as duplicates are asked by it."""

    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    postcode: str = ""


@dataclass(frozen=True)
class Decider:
    """How rows of one kind are shown and decided.

    `facts` answers pairs of label and value for a payload, `person` whom it is about, `decide` does it in one
    transaction: `decide(held_id, decision, user_id=…, customer=…)`.
    """

    label: str | Promise
    facts: Callable[[dict[str, Any]], Facts]
    person: Callable[[dict[str, Any]], Person]
    decide: Decide


_deciders: dict[str, Decider] = {}

# What comes in about a person may be a correction or an objection: it waits no longer than an answer may (Art. 12(3)).
DECIDE_WITHIN = timedelta(days=30)


def register_decider(kind: str, decider: Decider) -> None:
    """For apps above, from their `apps.ready`: rows of this kind are decided so."""
    _deciders[kind] = decider


def decider_for(held: HeldIntake) -> Decider | None:
    """The decider of a row; None where no app knows its kind, such a row can only be dropped."""
    return _deciders.get(held.kind)


def waiting(user: User) -> QuerySet[HeldIntake]:
    """The rows that wait and that this person may see: those of restricted customers only with the permission."""
    rows = HeldIntake.objects.filter(decision="")
    if user.may(SEES_RESTRICTED):
        return rows
    return rows.exclude(reason=HeldIntake.Reason.RESTRICTED).exclude(customer__restricted_at__isnull=False)


def overdue(rows: QuerySet[HeldIntake]) -> QuerySet[HeldIntake]:
    """Those of the waiting rows that should have been decided by now; their own period has not begun (EVENT)."""
    return rows.filter(received_at__lt=timezone.now() - DECIDE_WITHIN)


def is_overdue(held: HeldIntake) -> bool:
    """Whether a waiting row should have been decided by now."""
    return not held.decision and held.received_at < timezone.now() - DECIDE_WITHIN


def may_see(held: HeldIntake, user: User) -> bool:
    """Whether this person may see the row, decided or not."""
    about = held.customer
    protected = held.reason == HeldIntake.Reason.RESTRICTED or (about is not None and about.restricted_at is not None)
    return not protected or user.may(SEES_RESTRICTED)


def hidden_from(user: User) -> int:
    """How many rows wait that this person may not see."""
    if user.may(SEES_RESTRICTED):
        return 0
    return HeldIntake.objects.filter(decision="").count() - waiting(user).count()


def drop(held_id: int, user_id: int | None) -> None:
    """Drop a row of whatever kind; raises DecisionRefused if somebody has decided it. One statement."""
    dropped = HeldIntake.objects.filter(pk=held_id, decision="").update(
        decision=HeldIntake.Decision.DROPPED, decided_at=timezone.now(), decided_by_id=user_id
    )
    if not dropped:
        raise holding.DecisionRefused(_("Somebody has decided this row already."))


def decide(held: HeldIntake, decision: str, *, user_id: int, customer: Customer | None) -> None:
    """Carry out a decision through the app that owns the row. Raises holding.DecisionRefused."""
    if decision == HeldIntake.Decision.DROPPED:
        drop(held.pk, user_id)
        return
    decider = decider_for(held)
    if decider is None:
        raise holding.DecisionRefused(_("Rows of this kind can only be dropped here."))
    decider.decide(held.pk, decision, user_id=user_id, customer=customer)


def _row(payload: dict[str, Any]) -> CustomerRow:
    return holding.row_of(payload)


def facts_of(payload: dict[str, Any]) -> Facts:
    """What came in about a customer, label and value; empty values are left out."""
    row = _row(payload)
    labels = {
        "number": _("Customer number"),
        "external_id": _("id there"),
        "title": _("Title"),
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "company": _("Company"),
        "vat_id": _("VAT id"),
        "email": _("E-mail"),
        "phone": _("Phone"),
        "birthday": _("Birthday"),
        "note": _("Note"),
    }
    facts = [(label, str(getattr(row, name))) for name, label in labels.items() if getattr(row, name)]
    for address in row.addresses:
        parts = (address.recipient, address.street, f"{address.postcode} {address.city}".strip(), address.country)
        facts.append((_("Address"), ", ".join(part for part in parts if part)))
    facts += [(_("Tags"), ", ".join(row.tags))] if row.tags else []
    facts += [(_("Claimed opt-in"), f"{opt_in.channel}: {opt_in.state}") for opt_in in row.opt_ins]
    return facts


def person_of(payload: dict[str, Any]) -> Person:
    """Whom a row about a customer is about."""
    row = _row(payload)
    postcode = next((address.postcode for address in row.addresses if address.postcode), "")
    return Person(row.email, row.phone, row.first_name, row.last_name, row.company, postcode)


register_decider(holding.KIND, Decider(gettext_lazy("customer"), facts_of, person_of, decide_held))
