"""Keeps blind indexes true where Django would save a sealed field without them."""

from functools import cache
from typing import Any

from django.core.exceptions import FieldError
from django.db import models

from vault.fields import Saved, SealedField


@cache
def _sources(model: type[models.Model]) -> tuple[SealedField, ...]:
    fields = model._meta.concrete_fields
    return tuple(f for f in fields if isinstance(f, SealedField) and f.dependants)


def before_save(
    sender: type[models.Model], instance: models.Model, raw: bool, update_fields: Any, **kwargs: Any
) -> None:
    """Refuse to save a source without its indexes; in a fixture, compute what it does not carry."""
    for source in _sources(sender):
        if raw:
            value = instance.__dict__.get(source.attname)
            for index in source.dependants:
                instance.__dict__[index.attname] = index.blind(value)
            instance.__dict__[source.attname] = Saved(value)
        elif update_fields is not None and source.name in update_fields:
            missing = [f.name for f in source.dependants if f.name not in update_fields]
            if missing:
                raise FieldError(
                    f"Saving {sender._meta.label}.{source.name} must save {', '.join(missing)} too: "
                    "name them in update_fields, and do not defer them."
                )


def after_save(sender: type[models.Model], instance: models.Model, raw: bool, **kwargs: Any) -> None:
    """Give the instance of a fixture its plain values back."""
    for source in _sources(sender) if raw else ():
        value = instance.__dict__.get(source.attname)
        if isinstance(value, Saved):
            instance.__dict__[source.attname] = value.value
