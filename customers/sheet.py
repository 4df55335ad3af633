"""The edit sheet of a customer: master data with addresses, contact points and contact persons as one form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as _

from customers.forms import AddressForm, MasterForm, PersonForm, PointForm, RowForm, RowSet
from customers.models import Address, ContactPerson, ContactPoint, Customer, Preference
from customers.preferring import preferred

# More rows than this are a machine's work; the sheet shows the usual ones first and leaves the others alone.
MOST_ROWS = 25
ROWS: dict[str, tuple[type[RowForm], type[models.Model], tuple[str, ...]]] = {
    "addresses": (AddressForm, Address, ("-is_default", "pk")),
    "points": (PointForm, ContactPoint, ("kind", "-is_primary", "pk")),
    "persons": (PersonForm, ContactPerson, ("last_name", "pk")),
}
OWN_FIELDS = (
    "kind",
    "salutation",
    "title",
    "first_name",
    "last_name",
    "company",
    "vat_id",
    "status",
    "language",
    "birthday_day",
    "birthday_month",
)

Standing = dict[str, dict[str, Any]]


def row_fields(form: type[RowForm]) -> list[str]:
    """The fields of a row that are columns of its model."""
    return [name for name in form.base_fields if name != "id"]


def standing(customer: Customer) -> Standing:
    """What is stored now: "master" -> field -> value, and for each kind of row its id (as text) -> field -> value."""
    master = {name: getattr(customer, name) for name in OWN_FIELDS}
    master["tags"] = list(customer.customer_tags.order_by("tag__name").values_list("tag__name", flat=True))
    master["channels"] = preferred(customer, Preference.Kind.CHANNEL)
    master["interests"] = preferred(customer, Preference.Kind.INTEREST)
    found: Standing = {"master": master}
    for prefix, (form, model, order) in ROWS.items():
        rows = model._default_manager.filter(customer=customer).order_by(*order)
        if model is ContactPerson:
            rows = rows.filter(restricted_at__isnull=True)
        rows = rows[:MOST_ROWS]
        names = row_fields(form)
        found[prefix] = {str(row.pk): {name: getattr(row, name) for name in names} for row in rows}
    return found


def as_json(now: Standing) -> str:
    """What the editor saw, for the page to send back: so that a conflict knows who changed what."""
    return json.dumps(now, ensure_ascii=False, default=str)


def from_json(text: str) -> Standing | None:
    """The same read again; None where the page sent something else."""
    try:
        seen = json.loads(text)
    except ValueError:
        return None
    parts = ("master", *ROWS)
    if not isinstance(seen, dict) or not all(isinstance(seen.get(part), dict) for part in parts):
        return None
    if not all(isinstance(row, dict) for prefix in ROWS for row in seen[prefix].values()):
        return None
    return seen


class Sheet:
    """The forms of one customer, bound to what was posted or filled with what stands."""

    def __init__(self, customer: Customer, data: Mapping[str, Any] | None = None) -> None:
        self.customer = customer
        self.now = standing(customer)
        master = self.now["master"]
        self.master = MasterForm(data, initial=master, known=master)
        self.sets: dict[str, Any] = {}
        for prefix, (form, _model, _order) in ROWS.items():
            rows = {int(pk): row for pk, row in self.now[prefix].items()}
            initial = None if data is not None else [{"id": pk, **row} for pk, row in rows.items()]
            factory = forms.formset_factory(
                form, RowSet, extra=1, can_delete=True, max_num=MOST_ROWS + 5, absolute_max=MOST_ROWS + 10
            )
            self.sets[prefix] = factory(data, prefix=prefix, initial=initial, form_kwargs={"known": rows})

    @property
    def base(self) -> str:
        """What stands, as the page sends it back."""
        return as_json(self.now)

    @property
    def seen_tags(self) -> list[str]:
        """The tags the editor saw; those that stand where the page did not say."""
        base = from_json(self.master.data.get("base", "")) if self.master.is_bound else None
        tags = base["master"].get("tags") if base else None
        if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
            return tags
        return self.now["master"]["tags"]

    def is_valid(self) -> bool:
        """Whether everything that is not to be removed can be stored; every form gets its errors."""
        valid = all([self.master.is_valid(), *[rows.is_valid() for rows in self.sets.values()]])
        for form in self.kept_forms():
            if form.cleaned_data.get("id") and form.cleaned_data["id"] not in form.known:
                form.add_error(None, _("This row is gone; tick “remove”, or enter it as a new one."))
                valid = False
        return valid

    def kept_forms(self) -> list[Any]:
        """The forms of rows that stay or are new; empty ones are left out. Asked once all forms were judged."""
        return [
            form
            for rows in self.sets.values()
            for form in rows.forms
            if form.has_changed() and not rows._should_delete_form(form)
        ]

    def rows(self, prefix: str) -> tuple[list[tuple[int | None, dict[str, Any]]], list[int]]:
        """Of one kind: (id or None, values) of each row to be stored, and the ids of rows to be removed."""
        keep: list[tuple[int | None, dict[str, Any]]] = []
        drop: list[int] = []
        rows = self.sets[prefix]
        for form in rows.forms:
            if rows._should_delete_form(form):
                # A row that is not valid may be removed all the same.
                pk = form.data.get(form.add_prefix("id"), "")
                drop += [int(pk)] if pk.isdecimal() else []
            elif form.has_changed():
                values = dict(form.cleaned_data)
                values.pop("DELETE", None)
                keep.append((values.pop("id", None), values))
        return keep, drop

    @property
    def errors(self) -> bool:
        """Whether any form has errors."""
        return bool(self.master.errors) or any(any(rows.errors) for rows in self.sets.values())
