"""Open work of someone who leaves or may no longer do it: upper apps say here how to count it and give it away."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from staff.models import Role, RolePermission, StaffEvent, User


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


def stranded(user: User, roles: Iterable[Role]) -> list[tuple[OpenWork, int]]:
    """What the user has open and could no longer do with these roles, by kind."""
    cells = RolePermission.objects.filter(role__in=roles, granted=True)
    may = set(cells.values_list("permission", flat=True))
    return [(kind, number) for kind, number in open_work(user) if kind.permission and kind.permission not in may]


def hand_over(user: User, successor: User, work: Iterable[tuple[OpenWork, int]] | None = None) -> dict[str, int]:
    """Give open work, everything unless told which, to the successor and answer how much of each kind went."""
    given = open_work(user) if work is None else work
    return {kind.key: kind.hand_over(user, successor) for kind, _number in given}


def note_hand_over(user: User, successor: User, moved: dict[str, int], *, actor: User) -> None:
    """Put into the trail who got the open work of whom."""
    detail = {"to": successor.pk, "moved": moved}
    StaffEvent.objects.create(kind=StaffEvent.Kind.HANDED_OVER, actor=actor, subject=user, detail=detail)
