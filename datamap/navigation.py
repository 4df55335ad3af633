"""The rail's menu: each app registers its entries in `menu.py`, the page shell asks which ones a person
sees."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse

from datamap.guard import ANY_STAFF, Text

ICONS = frozenset(
    [
        "home",
        "users",
        "bag",
        "chat",
        "bell",
        "shield",
        "check",
        "doc",
        "mail",
        "star",
        "upload",
        "gear",
        "search",
        "phone",
        "list",
        "clock",
        "key",
        "map",
        "flag",
        "building",
        "download",
        "chart",
        "plus",
        "edit",
        "trash",
        "lock",
    ]
)


@dataclass(frozen=True)
class MenuEntry:
    """One line of the rail; `badge` is asked with the user and answers a number (or None for no badge)."""

    key: str
    label: Text
    url_name: str
    icon: str
    permission: str
    group: str
    order: int
    badge: Callable[[Any], int | None] | None = None
    url: str = ""
    count: int | None = None


_entries: dict[str, MenuEntry] = {}


def register_menu(
    key: str,
    label: Text,
    url_name: str,
    icon: str,
    permission: str,
    group: str,
    order: int,
    badge: Callable[[Any], int | None] | None = None,
) -> None:
    """Add an entry to the rail; an unknown icon or a key used twice fails at start."""
    if icon not in ICONS:
        raise ImproperlyConfigured(f"The menu entry {key} names the icon {icon}, which the sprite does not hold.")
    entry = MenuEntry(key, label, url_name, icon, permission, group, order, badge)
    if _entries.setdefault(key, entry) != entry:
        raise ImproperlyConfigured(f"The menu entry {key} is registered twice.")


def entries_for(user: object) -> list[MenuEntry]:
    """The entries this person may open, in order, with address and badge filled; pages that do not exist are
    left out."""
    seen = []
    for entry in sorted(_entries.values(), key=lambda entry: (entry.order, entry.key)):
        if entry.permission != ANY_STAFF and not user.may(entry.permission):  # type: ignore[attr-defined]
            continue
        try:
            url = reverse(entry.url_name)
        except NoReverseMatch:
            continue
        seen.append(replace(entry, url=url, count=entry.badge(user) if entry.badge else None))
    return seen
