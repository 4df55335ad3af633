"""The registry of what happened with a customer: each app gives one SQL branch, the page reads one UNION ALL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

COLUMNS = ("kind", "at", "id", "payload")
"""What every branch selects: the source's key (text), an instant (timestamptz), the row's id (bigint) and a JSON
object (jsonb) of ids and clear facts; sealed texts are opened afterwards, for the rows of one page only."""


@dataclass(frozen=True)
class TimelineSource:
    """One kind of event.

    sql: a SELECT of exactly `COLUMNS` with `%(customer)s` for the customer's id, for example
      `SELECT 'note', n.created_at, n.id, jsonb_build_object('author', n.author_id)
       FROM customers_note n WHERE n.customer_id = %(customer)s`;
      no ORDER BY and no LIMIT: the reader adds them to each branch (an index on customer, at desc, id desc helps).
    words: how the payload is told, where no query has to be asked for it.
    at: the expression of `at` in that SELECT and `id` that of its id, so that the reader can set the keyset condition.
    """

    key: str
    label: Any
    icon: str
    sql: str
    at: str
    id: str = "id"
    permission: str = "customers.view"
    words: Callable[[dict[str, Any]], str] | None = None


_sources: dict[str, TimelineSource] = {}


def register_source(source: TimelineSource) -> None:
    """Add a kind of event; called from an app's `ready`. A key used twice for different things fails at start."""
    if "%(customer)s" not in source.sql:
        raise ImproperlyConfigured(f"The timeline source {source.key} does not ask for %(customer)s.")
    if _sources.setdefault(source.key, source) != source:
        raise ImproperlyConfigured(f"The timeline source {source.key} is registered twice.")


def sources(keys: Sequence[str] = ()) -> list[TimelineSource]:
    """All sources in the order of their registration, or those with these keys."""
    return [source for source in _sources.values() if not keys or source.key in keys]
