"""What a person decides about orders that were held: somebody erased or restricted may be meant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.deciders import Facts, Person
from customers.holding import DecisionRefused, refuse_restricted
from customers.models import Customer, HeldIntake
from customers.rows import Outcome, Source
from orders.intake import write_orders
from orders.recognizing import recognize
from orders.rows import OrderRow
from orders.staging import contact, from_payload, total_of

KIND = "order"


@transaction.atomic
def decide_held_order(held_id: int, decision: str, *, user_id: int | None, customer: Customer | None = None) -> Outcome:
    """Write a held order after all: "applied" to a customer, or "created" as the order of somebody new.

    Atomic, with the row locked: of two people who decide at once the second gets DecisionRefused. So does who applies
    an order to a customer whose data are restricted (Art. 18 GDPR), or to another than it has already. The decision
    stays as proof, so that the same file does not hold the row again.
    """
    held = HeldIntake.objects.select_for_update().filter(pk=held_id, kind=KIND).select_related("origin").first()
    if held is None or held.decision:
        raise DecisionRefused(_("Somebody has decided this row already."))
    platform, row = held.payload["platform"], from_payload(held.payload["row"])
    _refuse_misfit(platform, row, decision, customer)
    held.decision, held.decided_at, held.decided_by_id = decision, timezone.now(), user_id
    held.save(update_fields=["decision", "decided_at", "decided_by"])
    if decision == HeldIntake.Decision.DROPPED:
        return Outcome()
    source = Source(held.origin.batch or UUID(int=0), platform, held.origin_id, user_id)
    outcome = write_orders([row], source, decided=True, owner_id=customer.pk if customer else None)
    if outcome.error_count:
        raise DecisionRefused(outcome.errors[0].message)
    if outcome.held:
        raise DecisionRefused(_("The data of this customer are restricted; lift the restriction first."))
    return outcome


def _refuse_misfit(platform: str, row: OrderRow, decision: str, customer: Customer | None) -> None:
    known = recognize([row], platform).get(row.external_id)
    if decision == HeldIntake.Decision.CREATED and known is not None:
        raise DecisionRefused(_("This order belongs to a known customer."))
    if decision != HeldIntake.Decision.APPLIED:
        return
    if customer is None:
        raise DecisionRefused(_("Say to which customer the row belongs."))
    refuse_restricted(Customer.objects.get(pk=customer.pk))
    if known is not None and known.customer_id != customer.pk:
        raise DecisionRefused(_("This order belongs to another customer."))


def facts_of(payload: dict[str, Any]) -> Facts:
    """What came in about an order, label and value."""
    row = from_payload(payload["row"])
    facts = [(_("Order number"), row.number), (_("Platform"), str(payload["platform"]))]
    if row.placed_at:
        facts.append((_("Placed"), date_format(timezone.localtime(row.placed_at), "SHORT_DATETIME_FORMAT")))
    total = total_of(row)
    facts += [(_("Total"), f"{total} {row.currency}")] if total is not None else []
    for label, snapshot in ((_("Billing address"), row.billing), (_("Delivery address"), row.shipping)):
        facts += [(label, ", ".join(contact(snapshot).values()))] if contact(snapshot) else []
    facts += [(_("E-mail"), row.email)] if row.email else []
    facts += [(_("Articles"), ", ".join(line.name or line.sku for line in row.lines))] if row.lines else []
    return [*facts, *([(_("Note"), row.note)] if row.note else [])]


def person_of(payload: dict[str, Any]) -> Person:
    """Whom an order is about."""
    row = from_payload(payload["row"])
    first, _space, last = row.billing.name.rpartition(" ")
    email = row.email or row.billing.email
    return Person(email, row.billing.phone, first, last, row.billing.company, row.billing.postcode)
