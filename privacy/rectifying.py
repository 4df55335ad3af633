"""Corrects what is wrong (Art. 16 GDPR): staged with before and after, decided, applied through the customer's own way.

Issued invoices are never edited; a document that refers to them corrects them (UStDV § 31(5)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from customers.editing import save_customer
from customers.models import Address, ContactPerson, ContactPoint, Customer
from privacy.models import Rectification, Request
from privacy.speaking import is_removed, speaker_of
from privacy.steps import StepRefused, refuse_unless_open, step_of
from staff.models import User

AfterRectification = Callable[[Request, Customer, list[str]], Any]
"""(request, customer, the fields that were changed): who received the old data is told (Art. 19 GDPR)."""

CUSTOMER_FIELDS = ("salutation", "title", "first_name", "last_name", "company", "vat_id", "language")
PERSON_FIELDS = ("salutation", "first_name", "last_name", "position", "email", "phone")
ADDRESS_FIELDS = ("recipient", "street", "postcode", "city", "country")

_after: dict[str, AfterRectification] = {}


def register_after_rectification(key: str, callback: AfterRectification) -> None:
    """To be called when changes were applied, in their transaction; from an app's `ready`."""
    _after[key] = callback


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: whatever is registered inside is forgotten afterwards."""
    before = dict(_after)
    try:
        yield
    finally:
        _after.clear()
        _after.update(before)


def fields_of(request: Request) -> list[tuple[str, str, str]]:
    """What can be corrected of who asks, a customer or a contact person: key, label, value as it stands.

    Raises StepRefused where nobody is known, or the contact person is erased.
    """
    customer = _customer_of(request)
    if request.contact_person is not None:
        person = speaker_of(request)
        if person is None:
            raise StepRefused(_("This contact person is erased."))
        if is_removed(person):
            raise StepRefused(_("This contact person was removed; only earlier states are kept, which nobody uses."))
        return [_entry(f"person:{person.pk}", person, name) for name in PERSON_FIELDS]
    found = [_entry("customer", customer, name) for name in CUSTOMER_FIELDS]
    for address in customer.addresses.order_by("-is_default", "pk")[:20]:
        found += [_entry(f"address:{address.pk}", address, name) for name in ADDRESS_FIELDS]
    for point in customer.contact_points.order_by("-is_primary", "pk")[:20]:
        found.append((f"point:{point.pk}:value", str(point.get_kind_display()), point.value))
    return found


def stage(request: Request, field: str, after: str, evidence: str, *, by: User) -> Rectification:
    """Put a change forward; nothing is changed yet.

    Raises StepRefused for a field that is not this customer's, without a difference, and for a second change of one.
    """
    before = {key: value for key, _label, value in fields_of(request)}
    if field not in before:
        raise StepRefused(_("This customer has no such field."))
    if after == before[field]:
        raise StepRefused(_("This is how it stands already."))
    try:
        with step_of(request, None) as locked:
            refuse_unless_open(locked)
            return Rectification.objects.create(
                request=locked, field=field, before=before[field], after=after, evidence=evidence, staged_by=by
            )
    except IntegrityError:
        raise StepRefused(_("A change of this field is staged already: decide about it first.")) from None


def apply_all(request: Request, ids: list[int], *, by: User) -> list[Rectification]:
    """Apply staged changes as a whole: all of them or none, with history, and the recipients are told.

    Raises StepRefused where a value no longer stands as it was staged, or does not fit. A restricted customer is
    corrected too: verifying the data is what the restriction is for (Art. 18(1)(a)).
    """
    with step_of(request, None) as locked:
        refuse_unless_open(locked)
        customer = Customer.objects.select_for_update().get(pk=_customer_of(locked).pk)
        changes = list(_staged(locked, ids))
        if not changes:
            raise StepRefused(_("Somebody has decided about these changes already."))
        rows = [_put(customer, change) for change in changes]
        try:
            children = list({id(row): row for row in _merged(rows) if row is not customer}.values())
            save_customer(
                customer,
                version=customer.version,
                user=by,
                children=children,
                reason=_("Rectification (Art. 16)"),
            )
        except ValidationError as error:
            raise StepRefused(" ".join(error.messages)) from error
        _decide(changes, Rectification.State.APPLIED, "", by)
        for callback in _after.values():
            callback(locked, customer, [change.field for change in changes])
    return changes


def reject(request: Request, ids: list[int], reason: str, *, by: User) -> list[Rectification]:
    """Leave the data as they are, with the reason. Raises StepRefused without one."""
    if not reason.strip():
        raise StepRefused(_("Say why it is not changed: the person is told."))
    with step_of(request, None) as locked:
        changes = list(_staged(locked, ids))
        if not changes:
            raise StepRefused(_("Somebody has decided about these changes already."))
        _decide(changes, Rectification.State.REJECTED, reason, by)
    return changes


def told(request: Request) -> list[str]:
    """The decisions in words, for the answer."""
    if request.kind != Request.Kind.RECTIFICATION:
        return []
    decided = request.rectifications.exclude(state=Rectification.State.STAGED).order_by("pk")
    return [
        _("%(field)s: corrected to “%(after)s”.") % {"field": label_of(one.field), "after": one.after}
        if one.state == Rectification.State.APPLIED
        else _("%(field)s: not changed. %(reason)s") % {"field": label_of(one.field), "reason": one.reason}
        for one in decided
    ]


def label_of(field: str) -> str:
    """What a field is called: "Street and number", "E-mail"."""
    kind, *rest = field.split(":")
    if kind == "point":
        point = ContactPoint.objects.filter(pk=rest[0]).first()
        return str(point.get_kind_display()) if point else _("E-mail or phone")
    model: type[models.Model] = {"customer": Customer, "person": ContactPerson}.get(kind, Address)
    label = str(getattr(model._meta.get_field(rest[-1]), "verbose_name", rest[-1]))
    return f"{capfirst(str(model._meta.verbose_name))}: {label}" if model is ContactPerson else label


def _entry(prefix: str, row: models.Model, name: str) -> tuple[str, str, str]:
    label = str(getattr(row._meta.get_field(name), "verbose_name", name))
    if isinstance(row, Address):
        label = f"{row.get_kind_display()}: {label}"
    return f"{prefix}:{name}", label, getattr(row, name) or ""


def _customer_of(request: Request) -> Customer:
    if request.customer is None:
        raise StepRefused(_("Say first whose request this is."))
    return request.customer


def _staged(request: Request, ids: list[int]) -> models.QuerySet[Rectification]:
    rows = request.rectifications.select_for_update().filter(pk__in=ids, state=Rectification.State.STAGED)
    return rows.order_by("pk")


def _put(customer: Customer, change: Rectification) -> Any:
    """Put a staged value into its row; what stands there must be what was staged against."""
    kind, *rest = change.field.split(":")
    row: Any = customer
    if kind == "address":
        row = customer.addresses.filter(pk=rest[0]).first()
    elif kind == "point":
        row = customer.contact_points.filter(pk=rest[0]).first()
    elif kind == "person":
        row = customer.contact_persons.filter(pk=rest[0]).first()
    name = rest[-1]
    if row is None or (getattr(row, name) or "") != change.before:
        raise StepRefused(_("The data were changed meanwhile: stage the change anew."))
    setattr(row, name, change.after)
    if kind == "point":
        row.verified_at = None  # what was confirmed was the other address
    row.changed_name = name
    return row


def _merged(rows: list[Any]) -> list[Any]:
    """One object for each row: several fields of one address are one change of it."""
    kept: dict[tuple[type, Any], Any] = {}
    for row in rows:
        known = kept.setdefault((type(row), row.pk), row)
        if known is not row:
            setattr(known, row.changed_name, getattr(row, row.changed_name))
    return list(kept.values())


def _decide(changes: list[Rectification], state: str, reason: str, by: User) -> None:
    for change in changes:
        change.state, change.reason = state, reason
        change.decided_by, change.decided_at = by, timezone.now()
        change.save()


def undecided() -> Q:
    """The requests of which `decisions_open` has something to say."""
    staged = Rectification.objects.filter(request=OuterRef("pk"), state=Rectification.State.STAGED)
    return Q(Exists(staged))


def decisions_open(request: Request) -> list[str]:
    """Staged changes nobody has decided about."""
    count = request.rectifications.filter(state=Rectification.State.STAGED).count()
    return [_("A staged change is not decided.")] if count else []
