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


Work = list[tuple[OpenWork, int]]
"""How many pieces of each kind."""

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


def open_work(user: User) -> Work:
    """What the user has open, by kind; kinds with nothing open are left out."""
    counted = [(kind, kind.count(user)) for kind in kinds()]
    return [(kind, number) for kind, number in counted if number]


def stranded(user: User, roles: Iterable[Role]) -> Work:
    """What the user has open and could no longer do with these roles, by kind."""
    cells = RolePermission.objects.filter(role__in=roles, granted=True)
    return _beyond(user, set(cells.values_list("permission", flat=True)))


def _beyond(user: User, may: set[str]) -> Work:
    return [(kind, number) for kind, number in open_work(user) if kind.permission and kind.permission not in may]


def stranded_by_matrix(granted: set[tuple[int, str]]) -> dict[User, Work]:
    """What everybody has open and could do until now, but no longer with this matrix of role id and permission.

    Work that somebody may not do already is told on the page of that person.
    """
    needed = {kind.permission for kind in kinds() if kind.permission}
    held = set(RolePermission.objects.filter(granted=True, permission__in=needed).values_list("role", "permission"))
    losing = {role for role, permission in held - granted}
    found: dict[User, Work] = {}
    people = User.objects.filter(is_active=True, roles__in=losing).distinct() if losing else User.objects.none()
    for user in people.prefetch_related("roles").order_by("name", "pk"):
        roles = {role.pk for role in user.roles.all()}
        before = {permission for role, permission in held if role in roles}
        work = _beyond(user, {permission for role, permission in granted if role in roles})
        if lost := [(kind, number) for kind, number in work if kind.permission in before]:
            found[user] = lost
    return found


def hand_over(user: User, successor: User, work: Work | None = None) -> dict[str, int]:
    """Give open work, everything unless told which, to the successor and answer how much of each kind went."""
    given = open_work(user) if work is None else work
    return {kind.key: kind.hand_over(user, successor) for kind, _number in given}


def note_hand_over(user: User, successor: User, moved: dict[str, int], *, actor: User) -> None:
    """Put into the trail who got the open work of whom."""
    detail = {"to": successor.pk, "moved": moved}
    StaffEvent.objects.create(kind=StaffEvent.Kind.HANDED_OVER, actor=actor, subject=user, detail=detail)
