"""Refuses a model or a field that nobody has declared; needs no database."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from datamap.declarations import (
    PERSONS,
    Basis,
    By,
    Group,
    Number,
    PersonalData,
    Registry,
    Store,
    history_base,
    orm_path,
    registry,
)
from datamap.seed import FULL_KEYS, rows
from vault.fields import BlindIndexField, SealedField

# Categories that need no start in the row: they are open or end at once.
STARTLESS = frozenset(
    f"{row['key']}:{row['variant']}" if row["variant"] else row["key"]
    for row in rows()
    if not row["number"] and not row.get("lives_as")
)


@checks.register("datamap")
def check_declarations(app_configs: Iterable[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """Every model of the installation is declared or exempt, and every declaration fits its model."""
    wanted = None if app_configs is None else {config.label for config in app_configs}
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if wanted is None or model._meta.app_label in wanted
    ]
    messages: list[checks.CheckMessage] = list(find_problems(found))
    if wanted is None:
        messages += list(_strays(registry))
        messages += [message for store in registry.stores() for message in _store_problems(store)]
    return messages


def find_problems(found: Iterable[type[models.Model]]) -> Iterator[checks.Error]:
    """What is missing or wrong for these models, each with an id and the file to edit."""
    for model in found:
        # A proxy has no table. A model on a view or a foreign table (managed = False) is asked like any
        # other.
        if model._meta.proxy or history_base(model) is not None:
            continue
        if model._meta.auto_created:
            yield from _through_problems(model)
        elif (declaration := registry.declaration_for(model)) is not None:
            yield from _declaration_problems(model, declaration)
        elif registry.exemption_for(model) is None:
            hint = f"Declare it with @register in {file_of(model)}, or exempt() it there with a reason."
            yield _error("E001", f"{model._meta.label} is not declared.", hint, model)


def file_of(model: type[models.Model]) -> str:
    """The file or folder in which this model is declared; third-party models are declared by staff."""
    config = apps.get_containing_app_config(model.__module__)
    home = Path(settings.BASE_DIR)
    if config is None:
        return f"{model._meta.app_label}/datamap.py"
    if Path(config.path).parent != home:
        return "staff/datamap.py"
    return f"{config.name}/datamap/" if (Path(config.path) / "datamap").is_dir() else f"{config.name}/datamap.py"


def structural(model: type[models.Model], declaration: type[PersonalData]) -> set[str]:
    """Fields that need no mention: keys made by the database, the way to the person and to the parent, the
    block mark."""
    names = {field.name for field in model._meta.concrete_fields if _is_made_key(field)}
    for group in declaration.groups:
        names.update(path.partition("__")[0] for path in group.subject_paths)
    names.update(name for name in (declaration.parent, declaration.subject_ref) if name)
    return names - {"pk"}


def classified_fields(model: type[models.Model]) -> list[Any]:
    """Fields of the table and of its many-to-many tables that somebody must classify."""
    return [*model._meta.concrete_fields, *model._meta.local_many_to_many]


def _is_made_key(field: Any) -> bool:
    if not field.primary_key:
        return False
    if isinstance(field, models.UUIDField):
        return bool(field.has_default())
    parent_link = bool(field.remote_field and getattr(field.remote_field, "parent_link", False))
    return parent_link or isinstance(field, models.AutoField | models.BigAutoField | models.SmallAutoField)


def _through_problems(model: type[models.Model]) -> Iterator[checks.Error]:
    """A many-to-many table without a model of its own follows the field that made it."""
    if registry.declaration_for(model) or registry.exemption_for(model):
        return
    owner: Any = model._meta.auto_created
    if registry.declaration_for(owner) is not None:
        return  # its many-to-many field must be classified there
    targets = {field.related_model for field in model._meta.fields if field.related_model}
    named = [target for target in targets if not isinstance(target, str) and registry.declaration_for(target)]
    if named:
        hint = f'Declare "{model._meta.label}" in {file_of(owner)}: an exempt model must not list persons.'
        yield _error("E009", f"{model._meta.label} leads from an exempt model to {named[0]._meta.label}.", hint, owner)


def _declaration_problems(model: type[models.Model], declaration: type[PersonalData]) -> Iterator[checks.Error]:
    history = [other for other in apps.get_models() if history_base(other) is model]
    known = {field.name for field in classified_fields(model)}
    extra = {
        field.name
        for other in history
        for field in other._meta.concrete_fields
        if field.name not in known and not field.name.startswith("history_") and not field.primary_key
    }
    yield from _unclassified(model, declaration, extra)
    yield from _misnamed(model, declaration, known | extra)
    for name in (declaration.parent, declaration.subject_ref):
        if name:
            yield from _path_problems(model, name, "parent or subject_ref")
    for name in declaration.cut:
        yield from _path_problems(model, name, "cut", _needs_null)
    for path in (*declaration.copies, *declaration.copies.values()):
        yield from _path_problems(model, orm_path(path), "copies")
    for group in declaration.groups:
        yield from _group_problems(model, group)


def _unclassified(
    model: type[models.Model], declaration: type[PersonalData], extra: set[str]
) -> Iterator[checks.Error]:
    named = set(declaration.plain).union(*(group.fields for group in declaration.groups))
    covered = named | structural(model, declaration)
    for field in classified_fields(model):
        if field.name in covered:
            continue
        if isinstance(field, BlindIndexField) and field.source in named:
            continue
        yield _unclassified_error(model, field.name)
    for name in sorted(extra - named):
        yield _unclassified_error(model, name)


def _unclassified_error(model: type[models.Model], name: str) -> checks.Error:
    hint = f"Add it to a Group or to `plain` of the declaration in {file_of(model)}."
    return _error("E002", f"{model._meta.label}.{name} is not classified.", hint, model)


def _misnamed(model: type[models.Model], declaration: type[PersonalData], known: set[str]) -> Iterator[checks.Error]:
    where = f"Correct the declaration in {file_of(model)}."
    seen: set[str] = set()
    for name in [*declaration.plain, *(name for group in declaration.groups for name in group.fields)]:
        if name not in known:
            yield _error("E003", f"{model._meta.label} has no field {name}.", where, model)
        if name in seen:
            yield _error("E004", f"{model._meta.label}.{name} is classified twice.", where, model)
        seen.add(name)
    for name in declaration.files:
        if name not in known:
            yield _error("E003", f"{model._meta.label} has no file field {name}.", where, model)


def _group_problems(model: type[models.Model], group: Group) -> Iterator[checks.Error]:
    for path in group.subject_paths:
        yield from _path_problems(model, path, "subject")
    if isinstance(group.subject, Number):
        yield from _path_problems(model, group.subject.column, "subject")
    for start in group.starts:
        for path in start:
            yield from _path_problems(model, path, "start", _needs_date)
    for name in group.unsettled:
        yield from _path_problems(model, name.removesuffix("__isnull"), "unsettled")
    for by in (group.category, group.start):
        if isinstance(by, By):
            yield from _by_problems(model, by, complete=by is group.category)
    yield from _word_problems(model, group)
    yield from _anonymize_problems(model, group)


def _word_problems(model: type[models.Model], group: Group) -> Iterator[checks.Error]:
    label, where = model._meta.label, f"Correct the declaration in {file_of(model)}."
    for key in group.categories:
        if key not in FULL_KEYS:
            hint = f"Use a key of datamap/seed.py in {file_of(model)}."
            yield _error("E006", f"{label}: the catalogue has no category {key}.", hint, model)
    if not group.fields or not group.purpose:
        yield _error("E010", f"{label}: a group needs fields and a purpose.", where, model)
    if group.person not in PERSONS:
        yield _error("E010", f"{label}: nobody is called {group.person}.", where, model)
    if not group.bases or not all(isinstance(basis, Basis) for basis in group.bases):
        yield _error("E010", f"{label}: the basis is a Basis or a tuple of them.", where, model)
    if group.provided and not {Basis.CONSENT, Basis.CONTRACT} & set(group.bases):
        yield _error("E010", f"{label}: what is provided rests on consent or contract (Art. 20 GDPR).", where, model)
    of_somebody = group.subject is not None and group.person != "staff"
    if of_somebody and not group.starts and set(group.categories) - STARTLESS:
        yield _error("E010", f"{label}: the period of {group.categories[0]} needs a start.", where, model)


def _anonymize_problems(model: type[models.Model], group: Group) -> Iterator[checks.Error]:
    where = f"Correct anonymize in {file_of(model)}."
    for name, value in group.anonymize.items():
        try:
            field = model._meta.get_field(name)
        except FieldDoesNotExist:
            yield _error("E003", f"{model._meta.label} has no field {name} to anonymize.", where, model)
            continue
        if value is None and not field.null:
            yield _error("E008", f"{model._meta.label}.{name} cannot be emptied to NULL.", where, model)


def _by_problems(model: type[models.Model], by: By, *, complete: bool) -> Iterator[checks.Error]:
    try:
        field = _walk(model, by.field)
    except FieldDoesNotExist as error:
        yield _error("E005", f"{model._meta.label}: By({by.field}): {error}", _mend(model), model)
        return
    possible = {str(value) for value, _label in field.flatchoices or ()}
    if isinstance(field, models.BooleanField):
        possible = {"True", "False"}
    if not possible:
        if complete and by.default is None:
            yield _error("E007", f"{model._meta.label}: By({by.field}) needs a default.", _mend(model), model)
        return
    for value in sorted(set(by.choices) - possible - {"None", ""}):
        yield _error("E007", f"{model._meta.label}.{by.field} is never {value}.", _mend(model), model)
    if complete and by.default is None:
        for value in sorted(possible - set(by.choices)):
            yield _error("E007", f"{model._meta.label}: By({by.field}) says nothing of {value!r}.", _mend(model), model)


def _path_problems(
    model: type[models.Model], path: str, what: str, accepts: Callable[[Any], str | None] | None = None
) -> Iterator[checks.Error]:
    try:
        field = _walk(model, path)
    except FieldDoesNotExist as error:
        yield _error("E005", f"{model._meta.label}: {what} {path}: {error}", _mend(model), model)
        return
    if accepts is not None and (complaint := accepts(field)):
        yield _error("E005", f"{model._meta.label}: {what} {path} {complaint}.", _mend(model), model)


def _needs_date(field: Any) -> str | None:
    if isinstance(field, SealedField):
        return "is sealed: no index can answer which rows are due"
    return None if isinstance(field, models.DateField) else "is no date"


def _needs_null(field: Any) -> str | None:
    return None if field.is_relation and field.null else "is no relation that can be emptied"


def _walk(model: Any, path: str) -> Any:
    """The field at the end of an ORM path; FieldDoesNotExist names the step that leads nowhere."""
    field: Any = None
    for step in orm_path(path).split("__"):
        if model is None:
            raise FieldDoesNotExist(f"{step} follows a field that is no relation")
        field = model._meta.pk if step == "pk" else model._meta.get_field(step)
        model = field.related_model if field.is_relation else None
    return field


def _store_problems(store: Store) -> Iterator[checks.Error]:
    if store.category not in FULL_KEYS:
        hint = "Use a key of datamap/seed.py where register_store() is called."
        yield _error("E006", f"Store {store.key}: the catalogue has no category {store.category}.", hint, None)


def _strays(known: Registry) -> Iterator[checks.Error]:
    labels = {model._meta.label_lower for model in apps.get_models(include_auto_created=True)}
    declared = [declaration.label for declaration in known.declarations()]
    for label in declared + [exemption.label for exemption in known.exemptions()]:
        if label.lower() not in labels:
            hint = "Remove the declaration from its datamap.py, or install the app."
            yield _error("E011", f"{label} is declared, but no such model is installed.", hint, None)


def _mend(model: type[models.Model]) -> str:
    return f"Correct the declaration in {file_of(model)}."


def _error(number: str, text: str, hint: str, model: Any) -> checks.Error:
    return checks.Error(text, hint=hint, obj=model, id=f"datamap.{number}")
