"""Asks what every page asks in the same words, so that the server plans it once for each connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)
# Stands for a key in a statement; no row has it.
SOME_KEY = -4711


def ask(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement whose values travel beside it, not in it; counted like any other query.

    Only for statements whose best plan is the same whatever the values are: planning a page of a list takes longer than
    reading it. Where PREPARE_AFTER is not set nothing is kept, and the answer is the same.
    """
    connection.ensure_connection()
    handle: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(handle) as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


class Standing(Generic[M]):
    """A queryset that pages ask with nothing changed but one value: compiled once in a process, then asked by `ask`."""

    def __init__(self, build: Callable[[Any], QuerySet[M, M]], like: Any = SOME_KEY) -> None:
        """`build` makes the queryset, of whole rows of one table and what is annotated to them, for a value such as
        `like`, which occurs in no other condition of it; several keys are one value (`any_of`)."""
        self._build, self._like = build, like

    def __call__(self, value: Any = None) -> list[M]:
        """The rows for this value, as the queryset would give them."""
        compiler, sql, params, names = self._compiled
        rows = ask(sql, [value if param == self._like else param for param in params])
        model: Any = compiler.query.model
        found = []
        for row in compiler.results_iter([rows]):
            one = model.from_db(DEFAULT_DB_ALIAS, names, row[: len(names)])
            for name, place in compiler.annotation_col_map.items():
                setattr(one, name, row[place])
            found.append(one)
        return found

    @cached_property
    def _compiled(self) -> tuple[Any, str, tuple[Any, ...], list[str]]:
        compiler: Any = self._build(self._like).query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        columns = compiler.select[: len(compiler.select) - len(compiler.annotation_col_map)]
        return compiler, sql, tuple(params), [column.target.attname for column, _sql, _alias in columns]
