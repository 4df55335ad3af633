"""Turns the declarations into what the data map page shows: whose, why, until when, sealed or clear."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from datamap.catalogue import SUPERVISED, cited, period_in_words
from datamap.declarations import PERSONS, By, Group, PersonalData, Store, registry
from datamap.models import RetentionRule
from datamap.words import column_label
from vault.fields import BlindIndexField, SealedField

Rules = dict[str, RetentionRule]


@dataclass(frozen=True)
class FieldEntry:
    """One field on the page; `kept` is sealed, hashed (a blind index) or clear."""

    name: str
    label: str
    kept: str


@dataclass(frozen=True)
class CategoryEntry:
    """One way in which rows of a group end; `when` says for which rows where there are several."""

    key: str
    when: str
    name: str
    period: str
    counts_from: str
    on_request: str
    outcome: str
    statute: str
    policy: bool


@dataclass(frozen=True)
class GroupEntry:
    """One group of a declaration in words."""

    person: str
    person_key: str
    purpose: str
    bases: list[tuple[str, str]]
    categories: list[CategoryEntry]
    fields: list[FieldEntry]
    provided: bool
    source: str
    recipients: list[str]
    note: str


@dataclass(frozen=True)
class ModelEntry:
    """One model, or one store that is no model."""

    label: str
    name: str
    area: str
    groups: list[GroupEntry]
    plain: list[str] = field(default_factory=list)
    has_history: bool = False
    has_files: bool = False
    state: str = ""


def rules_in_force(as_of: date, *, supervised: bool = False) -> Rules:
    """Every rule in its version of that day by full key, in one query; of a supervised financial business its variant
    stands under the key itself, as its rows are kept."""
    found: Rules = {}
    for rule in RetentionRule.objects.order_by("key", "variant", "version"):
        if rule.full_key not in found or (rule.valid_from and rule.valid_from <= as_of):
            found[rule.full_key] = rule
    if supervised:
        found |= {rule.key: rule for rule in found.values() if rule.variant == SUPERVISED}
    return found


def model_entries(rules: Rules) -> list[ModelEntry]:
    """All declared models, then all other stores."""
    models_ = [_model_entry(declaration, rules) for declaration in registry.declarations()]
    return models_ + [_store_entry(store, rules) for store in registry.stores()]


def filtered(entries: Iterable[ModelEntry], wanted: dict[str, str]) -> list[ModelEntry]:
    """Entries that fit the filter form: area, person, category, outcome of a request, sealed or clear."""
    kept = []
    for entry in entries:
        if wanted.get("area") and entry.area != wanted["area"]:
            continue
        groups = [group for group in entry.groups if _fits(group, wanted)]
        if groups or not any(wanted.get(name) for name in ("person", "category", "outcome", "kept")):
            kept.append(ModelEntry(**{**entry.__dict__, "groups": groups}))
    return kept


def _fits(group: GroupEntry, wanted: dict[str, str]) -> bool:
    keys = {category.key for category in group.categories}
    outcomes = {category.outcome for category in group.categories}
    kept = {item.kept for item in group.fields}
    return (
        (not wanted.get("person") or group.person_key == wanted["person"])
        and (not wanted.get("category") or wanted["category"] in keys)
        and (not wanted.get("outcome") or wanted["outcome"] in outcomes)
        and (not wanted.get("kept") or wanted["kept"] in kept)
    )


def _model_entry(declaration: type[PersonalData], rules: Rules) -> ModelEntry:
    model = apps.get_model(declaration.label)
    return ModelEntry(
        label=declaration.label,
        name=capfirst(str(model._meta.verbose_name)),
        # Tables of libraries stand with the app that answers for them.
        area=declaration.__module__.partition(".")[0],
        groups=[_group_entry(model, group, rules) for group in declaration.groups],
        plain=[field_label(model, name) for name in declaration.plain],
        has_history=hasattr(model._meta, "simple_history_manager_attribute"),
        has_files=bool(declaration.files),
    )


def _group_entry(model: type[models.Model], group: Group, rules: Rules) -> GroupEntry:
    derived = [
        item.name
        for item in model._meta.concrete_fields
        if isinstance(item, BlindIndexField) and item.source in group.fields and item.name not in group.fields
    ]
    return GroupEntry(
        person=str(PERSONS.get(group.person, group.person)),
        person_key=group.person,
        purpose=str(group.purpose),
        bases=[(cited(basis.citation), str(basis.label)) for basis in group.bases],
        categories=[_category_entry(key, when, rules) for key, when in _cases(model, group)],
        fields=[_field_entry(model, name) for name in (*group.fields, *derived)],
        provided=group.provided,
        source=str(group.source or ""),
        recipients=[str(recipient) for recipient in group.recipients],
        note=str(group.note or ""),
    )


def _cases(model: type[models.Model], group: Group) -> list[tuple[str, str]]:
    """Every category with the values it stands for; the default comes last."""
    by = group.category
    if not isinstance(by, By):
        return [(by, "")]
    names = _value_labels(model, by)
    cases: dict[str, list[str]] = {}
    for value, key in by.choices.items():
        cases.setdefault(key, []).append(names.get(value, value))
    if by.default is not None:
        cases.setdefault(by.default, []).append(_("all others"))
    return [(key, ", ".join(values)) for key, values in cases.items()]


def _value_labels(model: Any, by: By) -> dict[str, str]:
    found: Any = None
    for step in by.field.split("__"):
        found = model._meta.get_field(step)
        model = found.related_model
    if isinstance(found, models.BooleanField):
        return {"True": _("yes"), "False": _("no")}
    return {str(value): str(label) for value, label in found.flatchoices or ()}


def _category_entry(key: str, when: str, rules: Rules) -> CategoryEntry:
    rule = rules.get(key)
    if rule is None:
        return CategoryEntry(key, when, key, _("no rule"), "", "", "", "", False)
    return CategoryEntry(
        key=key,
        when=when,
        name=_(rule.category),
        period=period_in_words(rule),
        counts_from=_(rule.start_label) if rule.start_label else "",
        on_request=rule.get_on_request_display(),
        outcome=rule.on_request,
        statute=cited(rule.statute),
        policy=rule.policy,
    )


def _field_entry(model: type[models.Model], name: str) -> FieldEntry:
    try:
        found: Any = model._meta.get_field(name)
    except FieldDoesNotExist:  # a column of the history table alone
        found = None
    kept = "clear"
    if isinstance(found, BlindIndexField):
        kept = "hashed"
    elif isinstance(found, SealedField):
        kept = "sealed"
    return FieldEntry(name, field_label(model, name), kept)


def field_label(model: type[models.Model], name: str) -> str:
    """What a column is called on screen."""
    try:
        return column_label(model._meta.get_field(name), name)
    except FieldDoesNotExist:
        return column_label(None, name)


def _store_entry(store: Store, rules: Rules) -> ModelEntry:
    group = GroupEntry(
        person=str(PERSONS.get(store.person, store.person)),
        person_key=store.person,
        purpose=str(store.purpose),
        bases=[(cited(basis.citation), str(basis.label)) for basis in store.bases],
        categories=[_category_entry(store.category, "", rules)],
        fields=[FieldEntry(store.key, str(store.label), "sealed" if store.sealed else "clear")],
        provided=False,
        source="",
        recipients=[],
        note=str(store.note or ""),
    )
    state = str(store.describe()) if store.describe else ""
    return ModelEntry(store.key, str(store.label), "store", [group], state=state)
