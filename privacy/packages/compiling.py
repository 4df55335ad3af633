"""Compiles declarations into what a package reads: which columns of which rows are about a person, in one statement.

A section is one table (a model, or its history). Statements are compiled once in a process, with marks that stand for
the person; rows kept under the mark of an erasure are read only where there is such a mark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Cast

from customers.models import Customer, Origin
from datamap.declarations import Basis, Group, Number, PersonalData, history_base, registry
from datamap.packages import ACCESS, PORTABILITY, Person, finder_for
from datamap.preparing import SOME_KEY
from privacy.models import Recipient
from vault.fields import SealedField, SealedJSONField, SealedTextField

# Rows of these stand in no package: they are the package.
OWN_MODELS = ("privacy.Package", "privacy.Redaction")
# Context that says nothing about anybody.
TECHNICAL = {"version", "batch", "token", "lease", "lease_until", "attempts", "key", "subject_ref"}
HISTORY = ("history_id", "history_date", "history_type", "history_user")
WORDS = ("name", "label", "key")

# Stand for the person in a compiled statement.
PK, NUMBER = SOME_KEY, "\x01number"
REFS = UUID("4711a000-0000-4000-8000-000000004711")


@dataclass(frozen=True)
class Column:
    """One value of a row: its name in the files, the path it is read by, how it is shown, whose group it is of.

    how: plain, prose (free words), data (JSON), staff, person, origin, word, bytes.
    """

    name: str
    path: str
    how: str
    group: int
    field: Any

    @property
    def is_text(self) -> bool:
        """Whether anything may stand in it: neither a figure, a day nor one of a few keys."""
        if self.how != "plain":
            return True
        kinds = ("CharField", "TextField", "EmailField", "FileField")
        # Of a list, what it holds decides.
        held = getattr(self.field, "base_field", self.field)
        return held.get_internal_type() in kinds and not getattr(held, "choices", None)

    @property
    def is_nested(self) -> bool:
        """Whether texts stand inside its values: in JSON, or in a list."""
        return self.how == "data" or hasattr(self.field, "base_field")


@dataclass(frozen=True, eq=False)
class Section:
    """One table as far as it is about the person."""

    label: str
    model: Any
    base: Any
    declaration: type[PersonalData]
    groups: tuple[Group, ...]
    columns: tuple[Column, ...]
    owners: tuple[tuple[str, ...], ...]
    """Of each group the paths of which the first that is set names its person; empty where all rows are theirs."""
    key: str
    """Column that tells rows apart."""
    kind: str
    """Of which package it is."""

    @property
    def history(self) -> bool:
        """Whether it is the history of a table."""
        return self.base is not self.model

    @cached_property
    def texts(self) -> tuple[Column, ...]:
        """The columns in which somebody may be named."""
        return tuple(one for one in self.columns if one.how in ("prose", "data", "plain") and one.is_text)

    @property
    def names(self) -> list[str]:
        """The names of the columns in the files."""
        return [column.name for column in self.columns]


@dataclass(frozen=True)
class Wanted:
    """How the rows of a section are read: the newest first, by the column `newest` or else by their keys; with a `link`
    in the order of the parents that it names, which is by `newest` of theirs, and with these columns of the parents."""

    section: Section
    newest: str = ""
    link: str = ""
    inherits: tuple[str, ...] = ()

    @property
    def inherited(self) -> list[str]:
        """The paths of the columns of the parents."""
        return [f"{self.link}__{name}" for name in self.inherits]

    @property
    def rank(self) -> list[str]:
        """The paths of what tells the place of a row, and of its parent, in the order of all."""
        key = self.link or self.section.key
        if not self.newest:
            return [key]
        return [f"{self.link}__{self.newest}" if self.link else self.newest, key]


def sections(kind: str) -> list[Section]:
    """Every table that may hold something for a package of this kind, the models first, then their history."""
    return list(_sections(kind))


@lru_cache(maxsize=4)
def _sections(kind: str) -> tuple[Section, ...]:
    found = []
    for model in apps.get_models():
        declaration = registry.declaration_for(model)
        base = history_base(model) or model
        if declaration is None or declaration.label in OWN_MODELS or (base is not model and kind == PORTABILITY):
            continue
        section = _section(model, base, declaration, kind)
        if section is not None:
            found.append(section)
    return tuple(sorted(found, key=lambda section: (section.history, section.label.lower())))


def belongs(group: Group, kind: str, label: str = "") -> bool:
    """Whether the data of a group stand in a package of this kind; portable is what Art. 20(1) names."""
    if group.person in ("staff", "nobody") or group.subject is None:
        return kind == ACCESS and group.person == "nobody" and finder_for(label) is not None
    if kind == ACCESS:
        return True
    return group.provided and bool({Basis.CONSENT, Basis.CONTRACT} & set(group.bases))


def _section(model: Any, base: Any, declaration: type[PersonalData], kind: str) -> Section | None:
    groups = tuple(group for group in declaration.groups if belongs(group, kind, declaration.label))
    if not groups:
        return None
    columns = _columns(model, base, declaration, groups, kind)
    owners = tuple(_paths(model, base, group) for group in groups)
    by_fields = all(isinstance(group.subject, Number) or finder_for(declaration.label) for group in groups)
    return Section(
        label=model._meta.label,
        model=model,
        base=base,
        declaration=declaration,
        groups=groups,
        columns=tuple(columns),
        owners=owners if len(set(owners)) > 1 and not by_fields else (),
        key=model._meta.pk.name,
        kind=kind,
    )


def _columns(
    model: Any, base: Any, declaration: type[PersonalData], groups: tuple[Group, ...], kind: str
) -> list[Column]:
    fields = {field.name: field for field in model._meta.concrete_fields}
    group_of = {name: place for place, group in enumerate(groups) for name in group.fields}
    staff = {name for group in declaration.groups if group.person == "staff" for name in group.fields}
    found = [_column("id", base._meta.pk.name, fields, -1)]
    for name, field in fields.items():
        if field.primary_key or name == base._meta.pk.name:
            continue
        if name in group_of:
            found.append(_column(name, name, fields, group_of[name]))
        elif name in staff and kind == ACCESS:
            if field.is_relation or isinstance(field, models.BigIntegerField):
                found.append(Column(name, field.name, "staff", -1, field))
        elif _is_context(name, field, declaration, groups, kind):
            found.append(_column(name, name, fields, -1))
    if model is not base:
        found += [_column(name, name, fields, -1) for name in HISTORY if name in fields]
    return [column for column in found if column.how]


def _is_context(name: str, field: Any, declaration: type[PersonalData], groups: tuple[Group, ...], kind: str) -> bool:
    """Columns without personal data that a row cannot be understood without, and the relations of a row."""
    if name in TECHNICAL or name.startswith("history_") or isinstance(field, models.BinaryField | SealedField):
        return False
    if name == declaration.parent:
        return True
    if name == declaration.apart:
        return False
    if field.is_relation and field.related_model is Customer:
        # The person needs no mention; who else is named does.
        return len({path.partition("__")[0] for group in groups for path in group.subject_paths}) > 1
    if name not in declaration.plain:
        return False
    if kind == PORTABILITY:
        return not field.is_relation and name != "blocked_at"
    return True


def _column(name: str, path: str, fields: dict[str, Any], group: int) -> Column:
    field = fields[path]
    return Column(name, *((path, "plain") if name == "id" else _how(path, field)), group, field)


def _how(path: str, field: Any) -> tuple[str, str]:
    if field.is_relation:
        return _how_related(path, field.related_model)
    if isinstance(field, SealedJSONField | models.JSONField):
        return path, "data"
    if isinstance(field, SealedTextField):
        return path, "prose"
    if isinstance(field, models.BinaryField) or field.get_internal_type() == "BinaryField":
        return path, "bytes"
    return path, "plain"


def _how_related(path: str, target: Any) -> tuple[str, str]:
    if target is get_user_model():
        return path, "staff"
    if target is Customer:
        return path, "person"
    if target is Origin:
        return path, "origin"
    if target is Recipient:
        # By name: a category, let alone a key, is no answer (C-154/21).
        return f"{path}__name", "word"
    if registry.declaration_for(target) is not None:
        return path, "plain"
    names = {field.name for field in target._meta.concrete_fields}
    word = next((name for name in WORDS if name in names), "")
    return (f"{path}__{word}", "word") if word else (path, "")


def _paths(model: Any, base: Any, group: Group) -> tuple[str, ...]:
    own = base._meta.pk.name
    return tuple(own if path == "pk" else path for path in group.subject_paths)


def ref_path(declaration: type[PersonalData]) -> str:
    """The path to the mark that a blocked row, or the row it lives with, carries; "" where rows are never blocked."""
    return _path_to(declaration, "subject_ref")


def _path_to(declaration: type[PersonalData], name: str) -> str:
    """The path to a column that a declaration, or that of the row it lives with, names like this; "" without one."""
    steps: list[str] = []
    current: type[PersonalData] | None = declaration
    while current is not None:
        if column := getattr(current, name):
            return "__".join([*steps, column])
        if not current.parent:
            return ""
        steps.append(current.parent)
        model = apps.get_model(current.label)
        current = registry.declaration_for(model._meta.get_field(current.parent).related_model)
    return ""


def owned(section: Section, group: Group, *, blocked: bool) -> Q:
    """Rows whose person in this group is the one meant; with `blocked` also those under a mark."""
    if isinstance(group.subject, Number):
        return Q(**{group.subject.column: NUMBER if group.subject.of == "number" else PK})
    condition, unset = Q(), Q()
    for path in _paths(section.model, section.base, group):
        condition |= unset & Q(**{path: PK})
        unset &= Q(**{f"{path}__isnull": True})
    if section.kind == PORTABILITY:
        condition &= Q(**group.provided_where)
    if apart := _path_to(section.declaration, "apart"):
        condition &= Q(**{f"{apart}__isnull": True})
    path = ref_path(section.declaration)
    if blocked and path:  # whoever stands apart has a mark of their own
        condition |= Q(**{f"{path}__any_of": REFS})
    return condition


def condition_of(section: Section, *, blocked: bool) -> Q:
    """Every row of the section that is about the person in any of its groups."""
    found = Q()
    for group in dict.fromkeys(group.subject for group in section.groups):
        one = next(g for g in section.groups if g.subject == group)
        found |= owned(section, one, blocked=blocked)
    return found


def rows_of(section: Section) -> QuerySet[Any]:
    """All rows of the table, blocked ones too: no manager stands between."""
    return QuerySet(section.model)


@dataclass(frozen=True)
class Statement:
    """SQL with marks for the person, and where in its rows each value stands."""

    sql: str
    params: tuple[Any, ...]
    paths: tuple[str, ...]
    converters: tuple[Callable[[Sequence[Any]], Sequence[Any]] | None, ...]
    """Of each column what turns the values of the database into those of Python."""

    def place(self, path: str) -> int:
        """Where the value of this path stands in a row."""
        return self.paths.index(path)


def fill(params: tuple[Any, ...], subject: Person) -> list[Any]:
    """The parameters of a compiled statement with the marks replaced by the person."""
    marks: dict[Any, Any] = {
        PK: subject.customer_id,
        # A number that nobody has: erased persons have none.
        NUMBER: subject.number or "\x02",
        REFS: list(subject.refs),
    }
    return [marks.get(param, param) if isinstance(param, int | str | UUID) else param for param in params]


@lru_cache(maxsize=512)
def reading(wanted: Wanted, blocked: bool) -> Statement:
    """The statement that reads what is about the person."""
    return compiled(wanted, condition_of(wanted.section, blocked=blocked), blocked)


def compiled(wanted: Wanted, condition: Q, blocked: bool = False) -> Statement:
    """The statement that reads these rows of a section."""
    section = wanted.section
    paths = [column.path for column in section.columns]
    paths += [path for owners in section.owners for path in owners]
    if section.owners and blocked and ref_path(section.declaration):
        paths.append(ref_path(section.declaration))
    paths = list(dict.fromkeys([*paths, *wanted.rank, *wanted.inherited]))
    order = [f"-{path}" for path in wanted.rank] + (["pk"] if wanted.link else [])
    # Instants as text, in UTC and the longest unit first, stand in the order of time: that is all a rank is used for.
    written = _written(section) | set(wanted.rank[:-1])
    read = [Cast(path, models.TextField()) if path in written else path for path in paths]
    query = rows_of(section).filter(condition).order_by(*order).values_list(*read).query
    sql, params = query.sql_with_params()
    return Statement(sql, tuple(params), tuple(paths), tuple(_converter(column) for column in section.columns))


def _written(section: Section) -> set[str]:
    """The columns that are read as the database writes them: a copy says what is there, and no object has to be made of
    it first."""
    kinds = (models.DateField, models.DecimalField, models.JSONField, models.UUIDField)
    clear = (column for column in section.columns if not isinstance(column.field, SealedField))
    return {column.path for column in clear if isinstance(column.field, kinds)} | {ref_path(section.declaration)}


def _converter(column: Column) -> Callable[[Sequence[Any]], Sequence[Any]] | None:
    field = column.field
    if column.how == "bytes":
        return lambda values: [None if value is None else bytes(value).hex() for value in values]
    if isinstance(field, SealedField):
        return field.open_all
    if column.how == "data":
        return lambda values: [field.from_db_value(value, None, None) for value in values]
    if isinstance(field, models.DateTimeField):
        return _instants
    return None


def _instants(values: Sequence[str | None]) -> Sequence[str | None]:
    """As PostgreSQL writes them in UTC, `2026-03-02 10:00:00+00`, to ISO 8601."""
    told = list(filter(None, values))
    if not told:
        return values
    # All at once: one by one they would take as long as they take to be read.
    written = "\n".join(told).replace(" ", "T").replace("+00", "+00:00").split("\n")
    if len(told) == len(values):
        return list(written)
    following = iter(written)
    return [None if value is None else next(following) for value in values]
