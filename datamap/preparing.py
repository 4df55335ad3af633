"""Asks what every page asks in the same words, so that the server plans it once for each connection."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

R = TypeVar("R")
# Stands for a key in a statement; no row has it.
SOME_KEY = -4711


def ask(statement: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement whose values travel beside it, not in it; counted like any other query.

    Only for statements whose best plan is the same whatever the values are: planning a page of a list takes longer than
    reading it. Where PREPARE_AFTER is not set nothing is kept outside `planned_once`, and the answer is the same.
    """
    connection.ensure_connection()
    handle: Any = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with wrap(handle) as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


@contextmanager
def planned_once() -> Iterator[None]:
    """Inside a transaction, to whose end it holds: what is asked (`ask`) is planned once for each connection, the first
    time and for all values.

    For workers, who else keep no plan, since those who fill tables need new ones as these grow; and for statements that
    take as long to be planned as to be answered. Where PREPARE_AFTER is 0 nothing is kept here either.
    """
    if not settings.MAY_PREPARE:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    handle = connection.connection
    usual, handle.prepare_threshold = handle.prepare_threshold, 0
    try:
        yield
    finally:
        handle.prepare_threshold = usual


class Standing(Generic[R]):
    """A queryset that pages ask with nothing changed but some values: compiled once in a process, asked by `ask`."""

    def __init__(self, build: Callable[..., QuerySet[Any, R]], *likes: Any) -> None:
        """`build` makes the queryset for values such as `likes` (none given: a key), each of which occurs in no other
        condition of it; several keys are one value (`any_of`). What it brings along (`select_related`, annotations) is
        there, and of `values_list` the rows are tuples; what is prefetched is not."""
        self._build, self._likes = build, likes or (SOME_KEY,)

    def __call__(self, *values: Any) -> list[R]:
        """The rows for these values, as the queryset would give them."""
        statement, params, given, read = self._compiled
        filled = list(params)
        for place, n in given:
            filled[place] = values[n]
        return [read(row) for row in ask(statement, filled)]

    @cached_property
    def _compiled(self) -> tuple[str, Sequence[Any], list[tuple[int, int]], Callable[[tuple[Any, ...]], R]]:
        """Statement and parameters, at which of them the n-th value stands, and how a row is read."""
        compiler: Any = self._build(*self._likes).query.get_compiler(DEFAULT_DB_ALIAS)
        statement, params = compiler.as_sql()
        pairs = itertools.product(enumerate(params), enumerate(self._likes))
        given = [(place, n) for (place, param), (n, like) in pairs if param == like]
        return statement, params, given, _reader(compiler)


def _reader(compiler: Any) -> Callable[[tuple[Any, ...]], Any]:
    """Makes of a row of a compiled queryset what the queryset would: with what is asked once for all rows of it."""
    converters = list(compiler.get_converters([column for column, _sql, _alias in compiler.select]).items())
    make = _maker(compiler) if compiler.query.default_cols else tuple

    def read(row: tuple[Any, ...]) -> Any:
        values = list(row)
        for place, (steps, column) in converters:
            for step in steps:
                values[place] = step(values[place], column, connection)
        return make(values)

    return read


def _maker(compiler: Any) -> Callable[[list[Any]], Model]:
    model, fields = compiler.klass_info["model"], compiler.klass_info["select_fields"]
    first, end = fields[0], fields[-1] + 1
    names = [column.target.attname for column, _sql, _alias in compiler.select[first:end]]
    # What Django itself reads joined rows with; its stubs are of a later version, which wants one argument more.
    related = get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
    annotated = list(compiler.annotation_col_map.items())

    def make(values: list[Any]) -> Model:
        one: Model = model.from_db(DEFAULT_DB_ALIAS, names, values[first:end])
        for other in related:
            other.populate(values, one)
        for name, place in annotated:
            setattr(one, name, values[place])
        return one

    return make
