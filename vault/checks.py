"""System checks: a blind index has a sealed source, and no history table keeps one."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from vault.fields import BlindIndexField, SealedField


def check_blind_indexes(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """What is wrong with the sealed fields and blind indexes of all models; asks no database."""
    labels = None if app_configs is None else {config.label for config in app_configs}
    found: list[CheckMessage] = []
    for model in apps.get_models(include_auto_created=True):
        if labels is None or model._meta.app_label in labels:
            found += check_model(model)
    return found


def check_model(model: type[models.Model]) -> list[CheckMessage]:
    """The findings for one model."""
    found: list[CheckMessage] = []
    for field in model._meta.local_concrete_fields:
        if isinstance(field, SealedField) and (field.unique or getattr(field, "db_index", False)):
            found.append(
                Error(
                    "A sealed field can be neither unique nor indexed: each ciphertext differs.",
                    hint="Put the constraint or index on a BlindIndexField of it.",
                    obj=field,
                    id="vault.E003",
                )
            )
        if isinstance(field, BlindIndexField):
            found += _check_index(model, field)
    return found


def _check_index(model: type[models.Model], field: BlindIndexField) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    try:
        sealed = isinstance(model._meta.get_field(field.source), SealedField)
    except FieldDoesNotExist:
        sealed = False
    if not sealed:
        hint = "Name a SealedTextField of the same model as source."
        found.append(
            Error(f'"{field.source}" is no sealed field of this model.', hint=hint, obj=field, id="vault.E001")
        )
    if hasattr(model, "instance_type"):  # what django-simple-history puts on its models
        hint = f'Add "{field.name}" to excluded_fields of HistoricalRecords.'
        found.append(Error("A history table must not keep a blind index.", hint=hint, obj=field, id="vault.E002"))
    try:
        usable = callable(field.normalize)
    except ImportError:
        usable = False
    if not usable:
        hint = "Give a module-level function, or its dotted path."
        found.append(Error("The normalizer cannot be imported.", hint=hint, obj=field, id="vault.E004"))
    return found
