"""Rows that hang on another row and share its end: which of them end before it, by a period of their own."""

from __future__ import annotations

from django.apps import apps

from datamap.declarations import PersonalData, registry


def own_keys(declaration: type[PersonalData]) -> frozenset[str]:
    """The categories by which rows of this model end by themselves.

    All of them, where the rows hang on nothing. Otherwise those that no row above has: a copy of an identity card goes
    with its check, long before the request it hangs on.
    """
    keys = _keys(declaration)
    above = _above(declaration)
    while above is not None:
        keys -= _keys(above)
        above = _above(above)
    return keys


def _keys(declaration: type[PersonalData]) -> frozenset[str]:
    return frozenset(key for group in declaration.groups for key in group.categories)


def _above(declaration: type[PersonalData]) -> type[PersonalData] | None:
    if not declaration.parent:
        return None
    return registry.declaration_for(apps.get_model(declaration.label)._meta.get_field(declaration.parent).related_model)
