"""The rail's menu: each app registers its entries in `menu.py`, the page shell asks which ones a person
sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils.translation import get_language

from datamap.guard import ANY_STAFF, Text
from datamap.preparing import ask

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
class Badge:
    """The figure beside an entry: a SELECT of one number, and what it asks with for a person (None: no figure)."""

    sql: str
    params: Callable[[Any], Sequence[Any] | None]


@dataclass(frozen=True)
class MenuEntry:
    """One line of the rail; `count` is the figure of its badge, None where nothing waits.

    Pages below its address are its own, and those whose address has the `argument`, wherever they stand.
    """

    key: str
    label: Text
    url_name: str
    icon: str
    permission: str
    group: str
    order: int
    badge: Badge | None = None
    argument: str = ""
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
    badge: Badge | None = None,
    argument: str = "",
) -> None:
    """Add an entry to the rail; an unknown icon or a key used twice fails at start."""
    if icon not in ICONS:
        raise ImproperlyConfigured(f"The menu entry {key} names the icon {icon}, which the sprite does not hold.")
    entry = MenuEntry(key, label, url_name, icon, permission, group, order, badge, argument)
    if _entries.setdefault(key, entry) != entry:
        raise ImproperlyConfigured(f"The menu entry {key} is registered twice.")


def entries_for(user: object) -> list[MenuEntry]:
    """The entries this person may open, in order, with words, address and badge filled; pages that do not exist
    are left out. Badges are asked each time: a figure that is behind sends people looking for work that is done."""
    keys = tuple(
        entry.key
        for entry in _entries.values()
        if entry.permission == ANY_STAFF or user.may(entry.permission)  # type: ignore[attr-defined]
    )
    entries = _filled(keys, get_language(), get_script_prefix())
    badges = [entry.badge for entry in entries if entry.badge]
    figures = iter(figures_of(badges, user))
    return [replace(entry, count=next(figures)) if entry.badge else entry for entry in entries]


def figures_of(badges: Sequence[Badge], user: object) -> list[int | None]:
    """What the badges say to this person, all of them by one question; nothing waiting is no figure."""
    asked = [(badge.sql, badge.params(user)) for badge in badges]
    parts = [f"({sql})" if params is not None else "NULL" for sql, params in asked]
    if not any(params is not None for _sql, params in asked):
        return [None] * len(badges)
    found = ask(f"SELECT {', '.join(parts)}", [value for _sql, params in asked for value in params or ()])  # noqa: S608
    return [figure or None for figure in found[0]]


@lru_cache(maxsize=128)
def _filled(keys: tuple[str, ...], _language: str | None, _prefix: str) -> list[MenuEntry]:
    """The entries with their words in this language: the same for everyone who may open the same pages."""
    filled = []
    for entry in sorted((_entries[key] for key in keys), key=lambda entry: (entry.order, entry.key)):
        try:
            filled.append(replace(entry, label=str(entry.label), url=reverse(entry.url_name)))
        except NoReverseMatch:
            continue
    return filled
