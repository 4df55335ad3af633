"""Sets of keys as one parameter: a list of whole numbers travels in one piece, and a queryset may ask with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.db import models
from psycopg.abc import DumperKey
from psycopg.adapt import PyFormat
from psycopg.types.array import BaseListDumper, ListDumper

BIGINTS = psycopg.adapters.types["int8"].array_oid
LIMIT = 2**63


class WholeNumbersDumper(ListDumper):
    """Writes lists of whole numbers, also as text, and of UUIDs at once; of anything else each item is looked at, as
    psycopg does.

    A batch of thousands of keys goes through dozens of statements, and no such key ever needs quotes.
    """

    def get_key(self, obj: list[Any], format: PyFormat) -> DumperKey:
        """Under which lists of this kind are remembered."""
        return (self.cls, int) if _are_bigints(obj) else super().get_key(obj, format)

    def upgrade(self, obj: list[Any], format: PyFormat) -> BaseListDumper:
        """What dumps lists like this one."""
        return _Bigints(self.cls, self._tx) if _are_bigints(obj) else super().upgrade(obj, format)

    def dump(self, obj: list[Any]) -> Any:
        """The list as PostgreSQL reads arrays."""
        kinds = set(map(type, obj))
        if kinds == {UUID} or (kinds == {str} and all(map(str.isdecimal, obj))):
            return f"{{{','.join(map(str, obj))}}}".encode()
        return super().dump(obj)


class _Bigints(WholeNumbersDumper):
    """Of keys alone."""

    oid = BIGINTS

    def dump(self, obj: list[Any]) -> Any:
        """The list as PostgreSQL reads arrays."""
        return b"{%b}" % orjson.dumps(obj)[1:-1]

    def quote(self, obj: list[Any]) -> bytes:
        """The list as it stands in a statement: digits hide no quote."""
        return b"'%b'" % self.dump(obj)


def _are_bigints(obj: list[Any]) -> bool:
    return set(map(type, obj)) == {int} and min(obj) >= -LIMIT and max(obj) < LIMIT


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
