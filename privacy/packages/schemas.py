"""JSON Schema 2020-12 of every JSON file, and the Frictionless description of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from datamap.packages import Part
from datamap.words import column_label
from privacy.packages.compiling import Column, Section

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((models.BooleanField,), "boolean"),
    ((models.DecimalField,), "string"),
    ((models.IntegerField,), "integer"),
    ((models.FloatField,), "number"),
)
_TABLE_TYPES = {"boolean": "boolean", "integer": "integer", "number": "number"}


def schema_of(title: str, items: Sequence[Mapping[str, Any]], *, single: bool = False) -> dict[str, Any]:
    """The schema of a file that lists such objects, or holds one."""
    unique = [dict(item) for n, item in enumerate(items) if item not in items[:n]]
    item: dict[str, Any] = unique[0] if len(unique) == 1 else {"anyOf": unique}
    head = {"$schema": DRAFT, "title": title}
    return {**head, **item} if single else {**head, "type": "array", "items": item}


def row_schema(section: Section) -> dict[str, Any]:
    """The schema of a row as it is declared; what is about others only may be missing."""
    return {
        "type": "object",
        "properties": {column.name: value_schema(column) for column in section.columns},
        "additionalProperties": False,
    }


def value_schema(column: Column) -> dict[str, Any]:
    """What a value of this column may be."""
    field = column.field
    described: dict[str, Any] = {"title": column_label(field, column.name), **_keys_in_words(column)}
    if column.how == "data":
        return described
    if column.how in ("staff", "person", "origin", "word", "bytes", "prose"):
        return described | {"type": ["string", "null"]}
    if isinstance(field, models.DateTimeField):
        return described | {"type": ["string", "null"], "format": "date-time"}
    if isinstance(field, models.DateField):
        return described | {"type": ["string", "null"], "format": "date"}
    if field.get_internal_type() == "ArrayField":
        return described | {"type": ["array", "null"]}
    if field.is_relation:
        return described | {"type": ["integer", "string", "null"]}
    return described | {"type": [_json_type(field), "null"]}


def _keys_in_words(column: Column) -> dict[str, str]:
    """What each key of a column that knows only some says. Told, not demanded: a row may be older than its keys."""
    # Of a list, what it holds decides.
    held = getattr(column.field, "base_field", column.field)
    known = getattr(held, "flatchoices", None) if column.how == "plain" else None
    if column.name == "history_type":
        known = [("+", _("entered")), ("~", _("changed")), ("-", _("deleted"))]
    return {"description": "; ".join(f"{key} = {label}" for key, label in known)} if known else {}


def _json_type(field: Any) -> str:
    return next((name for types, name in _TYPES if isinstance(field, types)), "string")


def item_schemas(part: Part, sections: Mapping[str, Section]) -> dict[str, Any]:
    """The schema of one object of a part: as the app gave it, else as it is declared."""
    schema = dict(part.schema) if part.schema is not None else row_schema(sections[part.model])
    properties = dict(schema.get("properties", {}))
    for nested in part.nested:
        if nested.model in sections:
            inner = dict(nested.schema) if nested.schema is not None else row_schema(sections[nested.model])
            properties[nested.key] = {"type": "array", "items": inner}
    return {**schema, "properties": properties}


def table_schema(section: Section) -> dict[str, Any]:
    """The columns of a table as Frictionless describes them."""
    return {"fields": [{"name": column.name, **_table_type(column)} for column in section.columns]}


def _table_type(column: Column) -> dict[str, str]:
    field = column.field
    named = {"title": column_label(field, column.name), **_keys_in_words(column)}
    if column.how != "plain" or field.is_relation:
        return {"type": "string", **named}
    if isinstance(field, models.DateTimeField):
        return {"type": "datetime", "format": "any", **named}
    if isinstance(field, models.DateField):
        return {"type": "date", **named}
    if isinstance(field, models.DecimalField):
        return {"type": "number", **named}
    return {"type": _TABLE_TYPES.get(_json_type(field), "string"), **named}


def data_package(tables: Iterable[tuple[str, Section, int]], title: str) -> dict[str, Any]:
    """`datapackage.json`: a Frictionless tabular data package of the CSV files."""
    return {
        "profile": "tabular-data-package",
        "name": "export",
        "title": title,
        "resources": [
            {
                "profile": "tabular-data-resource",
                "name": path.rpartition("/")[2].removesuffix(".csv").replace("_", "-").lower(),
                "path": path,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "dialect": {"delimiter": ",", "doubleQuote": True, "lineTerminator": "\r\n"},
                "schema": table_schema(section),
            }
            for path, section, _rows in tables
        ],
    }


PROCESSING_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "meta/processing.json",
    "type": "object",
    "required": ["controller", "data", "recipients", "rights", "complaint_authority", "automated_decisions"],
    "properties": {
        "controller": {"type": "object"},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["category", "purposes", "legal_bases", "recipients", "source", "period", "last_day"],
                "properties": {
                    "category": {"type": "string"},
                    "kept_under_a_block": {"type": "boolean"},
                    "purposes": {"type": "array", "items": {"type": "string"}},
                    "legal_bases": {"type": "array", "items": {"type": "object"}},
                    "recipients": {"type": "array", "items": {"type": "string"}},
                    "source": {"type": "array", "items": {"type": "string"}},
                    "period": {"type": "string"},
                    "last_day": {"type": ["string", "null"], "format": "date"},
                },
            },
        },
        "recipients": {"type": "array"},
        "rights": {"type": "array"},
        "complaint_authority": {"type": "object"},
        "automated_decisions": {"type": "object"},
    },
}
