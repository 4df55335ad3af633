"""Lays two versions of an edit sheet side by side, and puts together the one that somebody chose."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from customers.forms import MasterForm, RowForm
from customers.models import Customer
from customers.sheet import MOST_ROWS, ROWS, Standing, from_json, row_fields, standing

MINE, THEIRS = "mine", "theirs"
TAKE = "take-"
# What the page adds to the form itself; not part of what somebody typed.
FRAME = ("csrfmiddlewaretoken", "version", "base")


@dataclass(frozen=True)
class Difference:
    """One field that the two versions see differently, or one row that only one of them has."""

    key: str
    where: str
    label: str
    theirs: str
    mine: str
    chosen: str


@dataclass
class Conflict:
    """What a person decides: fields side by side, and rows of the other editor that stay anyway."""

    differences: list[Difference] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    typed: list[tuple[str, str]] = field(default_factory=list)


def compare(customer: Customer, data: QueryDict) -> Conflict:
    """Lay what was typed (`data`) beside what stands now.

    A field that the editor did not touch proposes the other's value, a touched one proposes the editor's own.
    """
    now, base = standing(customer), from_json(data.get("base", ""))
    found = Conflict(typed=_typed(data))
    form = MasterForm(data, known=now["master"])
    base_master = base["master"] if base else {}
    for name in now["master"]:
        _compare_field(found, form, name, now["master"][name], base_master, _("Master data"))
    for prefix in ROWS:
        _compare_rows(found, prefix, data, now[prefix], base[prefix] if base else None)
    return found


def choose(data: QueryDict) -> QueryDict:
    """What was typed, with the other's value wherever the conflict page was answered with "theirs"."""
    chosen = data.copy()
    shown: Standing = from_json(data.get("base", "")) or {"master": {}, **{prefix: {} for prefix in ROWS}}
    for key in [key for key in data if key.startswith(TAKE)]:
        answer = data[key]
        del chosen[key]
        _take(chosen, shown, key.removeprefix(TAKE), theirs=answer == THEIRS)
    return chosen


def _typed(data: QueryDict) -> list[tuple[str, str]]:
    return [
        (key, value)
        for key, values in data.lists()
        if key not in FRAME and not key.startswith(TAKE)
        for value in values
    ]


def _raw(form: forms.Form, name: str) -> Any:
    return form.fields[name].widget.value_from_datadict(form.data, {}, form.add_prefix(name))


def _compare_field(found: Conflict, form: forms.Form, name: str, theirs: Any, base: dict[str, Any], where: str) -> None:
    bound, raw = form.fields[name], _raw(form, name)
    if not bound.has_changed(theirs, raw):
        return
    touched = name not in base or bound.has_changed(base[name], raw)
    found.differences.append(
        Difference(
            form.add_prefix(name),
            where,
            str(bound.label),
            shown_value(bound, theirs),
            shown_value(bound, raw),
            MINE if touched else THEIRS,
        )
    )


def _compare_rows(
    found: Conflict, prefix: str, data: QueryDict, now: dict[str, Any], base: dict[str, Any] | None
) -> None:
    factory, model, _order = ROWS[prefix]
    where = capfirst(str(model._meta.verbose_name))
    seen = set()
    for index in range(MOST_ROWS + 10):
        form = factory(data, prefix=f"{prefix}-{index}")
        pk = data.get(form.add_prefix("id"), "")
        if not pk:
            continue
        seen.add(pk)
        removed = bool(data.get(form.add_prefix("DELETE")))
        before = (base or {}).get(pk, {})
        if pk in now and not removed:
            for name in row_fields(factory):
                _compare_field(found, form, name, now[pk][name], before, f"{where}: {_row_text(form, now[pk])}")
        elif pk in now and {name: str(value) for name, value in now[pk].items()} != {
            name: str(value) for name, value in before.items()
        }:
            key, theirs = form.add_prefix("DELETE"), _row_text(form, now[pk])
            found.differences.append(Difference(key, where, _("whole row"), theirs, _("removed"), THEIRS))
        elif pk not in now and not removed:
            _note_gone(found, form, where, before)
    if base is not None:
        found.added += [
            f"{where}: {_row_text(factory(), row)}" for pk, row in now.items() if pk not in base and pk not in seen
        ]


def _note_gone(found: Conflict, form: RowForm, where: str, before: dict[str, Any]) -> None:
    values = {name: _raw(form, name) for name in row_fields(type(form))}
    touched = any(form.fields[name].has_changed(before.get(name), raw) for name, raw in values.items())
    mine = _row_text(form, values)
    key, chosen = str(form.prefix), MINE if touched else THEIRS
    found.differences.append(Difference(key, where, _("whole row"), _("removed"), mine, chosen))


def _row_text(form: RowForm, values: dict[str, Any]) -> str:
    """A row in one line."""
    told = [
        shown_value(form.fields[name], value) for name, value in values.items() if value and value not in ("on", True)
    ]
    return ", ".join(text for text in told if text)


def shown_value(bound: forms.Field, value: Any) -> str:
    """A value as people read it; what cannot be read is shown as typed."""
    if isinstance(bound, forms.BooleanField):
        return _("yes") if value else _("no")
    values = value if isinstance(value, list | tuple) else [value]
    if isinstance(bound, forms.ChoiceField):
        choices: Any = bound.choices
        labels = {str(key): str(label) for key, label in choices}
        values = [labels.get("" if one is None else str(one), one) for one in values]
    return ", ".join(str(one) for one in values if one not in (None, ""))


def _take(chosen: QueryDict, shown: Standing, key: str, *, theirs: bool) -> None:
    if key in shown["master"]:
        if theirs:
            _put(chosen, MasterForm.base_fields[key], key, shown["master"][key])
        return
    prefix, _dash, rest = key.partition("-")
    index, _dash, name = rest.partition("-")
    if prefix not in ROWS:
        return
    row_key = f"{prefix}-{index}"
    row = shown[prefix].get(chosen.get(f"{row_key}-id", ""), {})
    if not name:
        # The row is gone: taken over as gone, or entered again as a new one.
        chosen[f"{row_key}-DELETE" if theirs else f"{row_key}-id"] = "on" if theirs else ""
    elif theirs and name == "DELETE":
        chosen.pop(f"{row_key}-DELETE", None)
        for one, value in row.items():
            _put(chosen, ROWS[prefix][0].base_fields[one], f"{row_key}-{one}", value)
    elif theirs and name in row:
        _put(chosen, ROWS[prefix][0].base_fields[name], key, row[name])


def _put(chosen: QueryDict, bound: forms.Field, key: str, value: Any) -> None:
    """Write a stored value as a form would have sent it."""
    value = bound.prepare_value(value)
    if isinstance(bound, forms.BooleanField):
        chosen.pop(key, None)
        if value:
            chosen[key] = "on"
    elif isinstance(value, list | tuple):
        chosen.setlist(key, [str(one) for one in value])
    else:
        chosen[key] = "" if value is None else str(value)
