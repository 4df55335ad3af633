"""Puts a tag on many customers at once, or takes it off, as two statements whatever their number."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from customers.labels import tag_named
from customers.models import Tag
from datamap.preparing import ask

CAP = 10_000
"""So many customers at once; a larger set deserves a saved view."""

_ADD = """
insert into customers_customertag (customer_id, tag_id, set_at)
select id, %s, now() from customers_customer where id = any(%s) and restricted_at is null
on conflict do nothing
"""
_REMOVE = """
delete from customers_customertag t using customers_customer c
where t.customer_id = c.id and t.tag_id = %s and c.id = any(%s) and c.restricted_at is null
"""


_NAMES = "select name from customers_tag order by name limit 200"


@dataclass(frozen=True)
class Tagged:
    """How many customers were meant and how many changed."""

    meant: int
    changed: int


def tag_customers(ids: list[int], name: str) -> Tagged:
    """Put the tag, whatever its capitals, on all of them, making it where it is new; atomic. Restricted ones stay as
    they are."""
    with transaction.atomic():
        return Tagged(len(ids), _run(_ADD, tag_named(name), ids))


def untag_customers(ids: list[int], name: str) -> Tagged:
    """Take the tag off all of them; a tag nobody has is no error. Restricted ones stay as they are."""
    tag = Tag.objects.filter(name__iexact=name).order_by("pk").first()
    return Tagged(len(ids), _run(_REMOVE, tag, ids) if tag else 0)


def tag_names() -> list[str]:
    """The names to choose from; without a queryset, since every page of the list asks."""
    return [name for (name,) in ask(_NAMES)]


def _run(statement: str, tag: Tag, ids: list[int]) -> int:
    with connection.cursor() as handle:
        handle.execute(statement, [tag.pk, ids])
        return handle.rowcount
