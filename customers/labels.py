"""Tags as words of the house: finding one by name, renaming, merging, dropping what nobody carries."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet

from customers.models import Tag


@dataclass(frozen=True)
class Renamed:
    """What a rename did; `merged` says that the name belonged to another tag and the two are one now."""

    tag: Tag
    merged: bool


def tags_with_counts() -> QuerySet[Tag]:
    """All tags by name, each with `customers`, the number of customers that carry it."""
    return Tag.objects.annotate(customers=Count("customer_tags")).order_by("name")


def tag_named(name: str) -> Tag:
    """The tag of this name, whatever its capitals; made if there is none."""
    found = Tag.objects.filter(name__iexact=name).order_by("pk").first()
    return found or Tag.objects.get_or_create(name=name)[0]


@transaction.atomic
def rename_tag(tag: Tag, name: str) -> Renamed:
    """Give a tag another name; where that name is taken the two become one, and no customer loses a tag.

    One transaction, two statements whatever the number of customers.
    """
    # In the order of keys, so that two people who merge the same tags crosswise do not wait for each other for ever.
    list(Tag.objects.select_for_update().order_by("pk").filter(Q(pk=tag.pk) | Q(name__iexact=name)))
    other = Tag.objects.filter(name__iexact=name).exclude(pk=tag.pk).first()
    if other is None:
        tag.name = name
        tag.save(update_fields=["name"])
        return Renamed(tag, merged=False)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customertag (customer_id, tag_id, origin_id, set_at) "
            "SELECT customer_id, %s, origin_id, set_at FROM customers_customertag WHERE tag_id = %s "
            "ON CONFLICT (customer_id, tag_id) DO NOTHING",
            [other.pk, tag.pk],
        )
        cursor.execute("DELETE FROM customers_customertag WHERE tag_id = %s", [tag.pk])
    tag.delete()
    return Renamed(other, merged=True)


@transaction.atomic
def drop_unused(tag: Tag) -> bool:
    """Delete a tag that nobody carries; False where somebody does by now."""
    locked = Tag.objects.select_for_update().filter(pk=tag.pk).first()
    if locked is None or locked.customer_tags.exists():
        return False
    locked.delete()
    return True
