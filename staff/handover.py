"""Open work of someone who leaves: upper apps say here how to count it and how to give it to a colleague."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from staff.models import User


@dataclass(frozen=True)
class OpenWork:
    """One kind of work with an owner, such as follow-ups; `hand_over` answers how many pieces it moved."""

    key: str
    label: Any
    count: Callable[[User], int]
    hand_over: Callable[[User, User], int]
    # Who cannot open this work must not be given it.
    permission: str = ""


_kinds: dict[str, OpenWork] = {}


def register(
    key: str,
    label: Any,
    count: Callable[[User], int],
    hand_over: Callable[[User, User], int],
    permission: str = "",
) -> None:
    """Make a kind of work known; called from an upper app's `apps.ready`."""
    if key in _kinds and _kinds[key].count is not count:
        raise ImproperlyConfigured(f"The open work {key} is registered twice.")
    _kinds[key] = OpenWork(key, label, count, hand_over, permission)


def kinds() -> list[OpenWork]:
    """All kinds of work that can be handed over."""
    return list(_kinds.values())


def open_work(user: User) -> list[tuple[OpenWork, int]]:
    """What the user has open, by kind; kinds with nothing open are left out."""
    counted = [(kind, kind.count(user)) for kind in kinds()]
    return [(kind, number) for kind, number in counted if number]


def hand_over(user: User, successor: User) -> dict[str, int]:
    """Give everything open to the successor and answer how much of each kind went."""
    return {kind.key: kind.hand_over(user, successor) for kind, _number in open_work(user)}
