"""Sets of keys as one parameter: a list of whole numbers travels in one piece, and a queryset may ask with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from django.db import models
from psycopg.types.array import ListDumper


class WholeNumbersDumper(ListDumper):
    """Writes lists of whole numbers, also as text, and of UUIDs at once; of anything else each item is looked at, as
    psycopg does.

    A batch of thousands of keys goes through dozens of statements, and no such key ever needs quotes.
    """

    def dump(self, obj: list[Any]) -> Any:
        """The list as PostgreSQL reads arrays."""
        kinds = set(map(type, obj))
        if kinds in ({int}, {UUID}):
            return f"{{{','.join(map(str, obj))}}}".encode()
        if kinds == {str} and all(map(str.isdecimal, obj)):
            return f"{{{','.join(obj)}}}".encode()
        return super().dump(obj)


@models.ForeignKey.register_lookup
@models.Field.register_lookup
class AnyOf(models.Lookup):
    """`= ANY(list)`: one parameter however many keys there are, where `in` binds each by itself."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """The condition and its parameters."""
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", [*params, self.rhs]


def register() -> None:
    """Let every connection made from now on write lists so."""
    psycopg.adapters.register_dumper(list, WholeNumbersDumper)
