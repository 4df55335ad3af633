"""From the forms of the desk to a stored customer: new ones once however often they are sent, changes as a whole."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers import editing, holding, reading, summary, suppression, tombstones
from customers.duplicates import Likely, likely_duplicates
from customers.labels import tag_named
from customers.models import Address, ContactPerson, ContactPoint, Customer, CustomerTag, Origin, Preference
from customers.placing import DESK, Passage, note_passage
from customers.preferring import settle_preferences
from customers.sheet import OWN_FIELDS, ROWS, Sheet
from staff.models import User

# The namespace of tokens: a token counts for the person who sent it, and never meets the batch of an import.
_TOKENS = uuid.UUID("0f0c1f6a-6d0c-4a57-9a0e-0b8f5a3c7d11")
CREATED_WITH = ("recipient", "street", "postcode", "city", "country")


@dataclass
class Doubts:
    """What a person should know before entering a new customer; `keys` name it for the answer "anyway"."""

    likely: Likely = field(default_factory=Likely)
    erased_at: datetime | None = None
    suppressed: list[str] = field(default_factory=list)

    @property
    def keys(self) -> set[str]:
        """One word for each thing that the banner shows."""
        words = {f"c{candidate.customer.pk}" for candidate in self.likely.candidates}
        words |= {"protected"} if self.likely.protected else set()
        return words | ({"erased"} if self.erased_at else set())


def doubts_about(data: dict[str, Any], user: User) -> Doubts:
    """Ask for likely duplicates, erased persons and suppressed endpoints before a customer is entered."""
    email, phone = data["email"], data["phone"]
    names = {name: data[name] for name in ("first_name", "last_name", "company", "postcode")}
    found = Doubts(likely_duplicates(user=user, email=email, phone=phone, **names))
    hit = tombstones.erased(email=email, phone=phone) if email or phone else None
    found.erased_at = hit[0] if hit else None
    found.suppressed = suppressed_notes([("email", email), ("phone", phone)])
    return found


def doubts_about_changes(customer: Customer, sheet: Sheet, user: User) -> Doubts:
    """The same about addresses and numbers that are new in a valid edit sheet, the customer's and those of who speaks
    for them: whether they lead to somebody erased or restricted."""
    found = Doubts()
    for email, phone in _new_endpoints(sheet):
        likely = likely_duplicates(user=user, email=email, phone=phone, exclude=customer.pk)
        found.likely.protected = found.likely.protected or likely.protected
        if hit := tombstones.erased(email=email, phone=phone):
            found.erased_at = max(hit[0], found.erased_at or hit[0])
    return found


def _new_endpoints(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """E-mail and phone of each row of the sheet that did not stand there before; "" where there is none, or no news."""
    for prefix in ("points", "persons"):
        for pk, values in sheet.rows(prefix)[0]:
            stood = _reached(sheet.now[prefix].get(str(pk), {}))
            email, phone = (value if value not in stood else "" for value in _reached(values))
            if email or phone:
                yield email, phone


def _reached(values: Mapping[str, Any]) -> tuple[str, str]:
    """E-mail and phone of a contact point or contact person."""
    if "value" not in values:
        return values.get("email", ""), values.get("phone", "")
    return (values["value"], "") if values["kind"] == ContactPoint.Kind.EMAIL else ("", values["value"])


def suppressed_notes(endpoints: Iterable[tuple[str, str]]) -> list[str]:
    """One sentence for each endpoint that stands on the suppression list; the endpoint itself is not named."""
    words = {
        "email": _("This e-mail address is on the suppression list: no advertising goes there."),
        "phone": _("This phone number is on the suppression list: no advertising goes there."),
    }
    return [words[kind] for kind, value in endpoints if value and suppression.suppressed(kind, value)]


def unread_phones(values: Iterable[str]) -> list[str]:
    """One sentence if any of the phone numbers cannot be read."""
    if all(reading.read_phone(value) for value in values if value):
        return []
    return [_("A phone number cannot be read; it is kept as typed and not searched by.")]


def entered_with(token: uuid.UUID, user: User) -> Customer | None:
    """The customer that this person entered with this token before."""
    return Customer.objects.filter(origin__batch=_batch(token, user)).first()


def _batch(token: uuid.UUID, user: User) -> uuid.UUID:
    return uuid.uuid5(_TOKENS, f"{user.pk}:{token}")


def create_customer(data: dict[str, Any], *, user: User) -> tuple[Customer, bool]:
    """Store what `CreateForm` has cleaned: one transaction. Answers the customer, and whether it is new.

    Sent twice with one token, also at the same time, it makes one customer: the token is the batch of the origin,
    which is unique.
    """
    try:
        with transaction.atomic():
            origin = Origin.objects.create(kind=Origin.Kind.STAFF, batch=_batch(data["token"], user))
            return _create(data, origin, user), True
    except IntegrityError:
        known = entered_with(data["token"], user)
        if known is None:
            raise
        return known, False


def _create(data: dict[str, Any], origin: Origin, user: User) -> Customer:
    customer = Customer(**{name: data[name] for name in OWN_FIELDS}, origin=origin)
    if customer.status == Customer.Status.ACCOUNT:
        customer.registered_at = timezone.now()
    children: list[models.Model] = []
    for kind in (ContactPoint.Kind.EMAIL, ContactPoint.Kind.PHONE):
        if value := data[kind.value]:
            children.append(ContactPoint(kind=kind, value=value, is_primary=True))
    if any(data[name] for name in ("street", "postcode", "city")):
        children.append(Address(is_default=True, **{name: data[name] for name in CREATED_WITH}))
    editing.save_customer(customer, version=None, user=user, children=children)
    _settle_tags(customer, data["tags"], [], origin)
    _settle_preferences(customer, data, user)
    note_passage(Passage(DESK, customer.pk, data["texts"], source="desk"))
    return customer


@transaction.atomic
def save_sheet(customer: Customer, sheet: Sheet, *, version: int, user: User) -> list[str]:
    """Store a valid edit sheet: one transaction. Answers what the person should know about the new endpoints.

    Raises editing.Conflict if somebody saved since `version`, and holding.DecisionRefused while the customer's data
    are restricted.
    """
    if sheet.master.cleaned_data["status"] != customer.status:
        summary.lock([customer.pk])  # the change is written there as well, and summaries come first
    holding.refuse_restricted(Customer.objects.select_for_update().get(pk=customer.pk))
    origin: Origin | None = None
    children: list[models.Model] = []
    removed: list[models.Model] = []
    for prefix in ROWS:
        changed, gone = _rows(customer, sheet, prefix)
        children += changed
        removed += gone
    fresh: list[Any] = [child for child in children if child.pk is None]
    if fresh or set(sheet.master.cleaned_data["tags"]) - set(sheet.now["master"]["tags"]):
        origin = Origin.objects.create(kind=Origin.Kind.STAFF)
        for child in fresh:
            child.origin = origin
    for name in OWN_FIELDS:
        setattr(customer, name, sheet.master.cleaned_data[name])
    editing.save_customer(customer, version=version, user=user, children=children, removed=removed)
    _settle_tags(customer, sheet.master.cleaned_data["tags"], sheet.seen_tags, origin)
    _settle_preferences(customer, sheet.master.cleaned_data, user)
    told = [
        (kind, value)
        for child in children
        if isinstance(child, ContactPoint | ContactPerson)
        for kind, value in zip(("email", "phone"), _reached(vars(child)), strict=True)
    ]
    phones = [value for kind, value in told if kind == ContactPoint.Kind.PHONE]
    return list(dict.fromkeys(suppressed_notes(told))) + unread_phones(phones)


def _rows(customer: Customer, sheet: Sheet, prefix: str) -> tuple[list[models.Model], list[models.Model]]:
    """Rows of one kind that are new or differ from what is stored, and rows to be removed."""
    model = ROWS[prefix][1]
    keep, drop = sheet.rows(prefix)
    known = {row.pk: row for row in model._default_manager.filter(customer=customer)}
    changed = []
    for pk, values in keep:
        row: Any = known[pk] if pk else model()
        before = {name: getattr(row, name) for name in values}
        if pk and before == values:
            continue
        for name, value in values.items():
            setattr(row, name, value)
        if isinstance(row, ContactPoint) and (row.kind, row.value) != (before["kind"], before["value"]):
            # What was confirmed was the other address.
            row.verified_at = None
        changed.append((row, before))
    gone = [known[pk] for pk in drop if pk in known]
    rows = [row for row, _before in changed]
    others = [row for pk, row in known.items() if pk not in drop and row not in rows]
    return rows + _only_one_mark(changed, others), gone


def _only_one_mark(changed: list[tuple[Any, dict[str, Any]]], others: list[Any]) -> list[models.Model]:
    """A mark set now takes the old one away: one usual address, one primary contact point of each kind."""
    taken = []
    marked: dict[str, Any] = {}
    for row, before in changed:
        mark, group = _mark(row)
        if mark and getattr(row, mark) and not (row.pk and before[mark]):
            marked[group] = row
    for row in (*[row for row, _before in changed], *others):
        mark, group = _mark(row)
        if mark and group in marked and row is not marked[group] and getattr(row, mark):
            setattr(row, mark, False)
            taken.append(row)
    return [row for row in taken if row in others]


def _mark(row: Any) -> tuple[str, str]:
    if isinstance(row, Address):
        return "is_default", "address"
    return ("is_primary", row.kind) if isinstance(row, ContactPoint) else ("", "")


def _settle_tags(customer: Customer, typed: list[str], seen: list[str], origin: Origin | None) -> None:
    """Put on and take off what differs between the tags that were shown and those typed.

    Tags are put on many customers at once, renamed and merged without a new version of each customer: what nobody
    touched in this sheet stays as it is by now.
    """
    named, shown = {name.casefold() for name in typed}, {name.casefold() for name in seen}
    standing = {mark.tag.name.casefold(): mark for mark in customer.customer_tags.select_related("tag")}
    for name, mark in standing.items():
        if name in shown - named:
            mark.delete()
    for name in typed:
        if name.casefold() not in shown and name.casefold() not in standing:
            CustomerTag.objects.get_or_create(customer=customer, tag=tag_named(name), defaults={"origin": origin})


def _settle_preferences(customer: Customer, data: dict[str, Any], user: User) -> None:
    """Bring preferences in line with what was typed."""
    said_by = data["said_by"] or Preference.SaidBy.CUSTOMER
    for kind, words in (
        (Preference.Kind.CHANNEL, data["channels"]),
        (Preference.Kind.INTEREST, data["interests"]),
    ):
        settle_preferences(customer, kind, words, said_by=said_by, user=user)
