"""Who may do what: the matrix of roles and permissions, and the roles of each user."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from datamap.guard import declared_permissions
from staff.handover import Work, hand_over, note_hand_over, stranded, stranded_by_matrix
from staff.models import Role, RolePermission, StaffEvent, User, ensure_role
from staff.sessions import end_sessions

MANAGE = "staff.manage"
# Two people who take the right from each other at once: the second must see what the first did.
LOCK = 0x0B447_0002


def sync_matrix(**_signal: Any) -> None:
    """Add roles and cells that a new installation or an upgrade lacks; what the operator decided stays.

    Runs after every `migrate`. Each pair of role and permission gets its default once, as a row that says
    granted or not; later defaults never touch it.
    """
    roles = [ensure_role(key) for key in Role.NAMES]
    known = set(RolePermission.objects.values_list("role_id", "permission"))
    missing = [
        RolePermission(role=role, permission=permission.key, granted=role.key in permission.roles)
        for permission in declared_permissions().values()
        for role in [*roles, *Role.objects.exclude(key__in=Role.NAMES)]
        if (role.pk, permission.key) not in known
    ]
    RolePermission.objects.bulk_create(missing, ignore_conflicts=True)


def matrix() -> dict[tuple[int, str], bool]:
    """Every cell by role id and permission key."""
    return {
        (role, key): granted
        for role, key, granted in RolePermission.objects.values_list("role_id", "permission", "granted")
    }


@transaction.atomic
def set_matrix(actor: User, granted: set[tuple[int, str]], successors: Mapping[int, User] | None = None) -> int:
    """Write the whole matrix as ticked on the page and answer how many cells changed.

    Open work that somebody may no longer do goes to that person's successor (id -> user). Raises ValidationError,
    with nothing changed, when such work has no successor or nobody could manage staff afterwards.
    """
    before = matrix()
    stranded_work = stranded_by_matrix(granted)
    changes = {
        (role.pk, key): (role.pk, key) in granted
        for role in Role.objects.all()
        for key in declared_permissions()
        if before.get((role.pk, key), False) != ((role.pk, key) in granted)
    }
    cells = [RolePermission(role_id=role, permission=key, granted=on) for (role, key), on in changes.items()]
    RolePermission.objects.bulk_create(
        cells, update_conflicts=True, unique_fields=["role", "permission"], update_fields=["granted"]
    )
    refuse_without_manager()
    names = dict(Role.objects.values_list("pk", "key"))
    if changes:
        detail = {
            "granted": sorted(f"{names[role]}:{key}" for (role, key), on in changes.items() if on),
            "taken": sorted(f"{names[role]}:{key}" for (role, key), on in changes.items() if not on),
        }
        StaffEvent.objects.create(kind=StaffEvent.Kind.MATRIX, actor=actor, detail=detail)
    for user, work in stranded_work.items():
        _pass_on(user, (successors or {}).get(user.pk), work, actor=actor)
    return len(changes)


@transaction.atomic
def assign_roles(
    actor: User, user: User, roles: Iterable[Role], *, keep_session: str = "", successor: User | None = None
) -> bool:
    """Give a user exactly these roles and end the user's sessions, so that no page goes on with old rights.

    Open work that the user may no longer do goes to the successor. Answers whether anything changed. Raises
    ValidationError, with nothing changed, when such work has no successor or nobody could manage staff afterwards.
    """
    before = set(user.roles.values_list("key", flat=True))
    user.roles.set(roles)
    after = set(user.roles.values_list("key", flat=True))
    work = stranded(user, user.roles.all())
    if before == after and not work:
        return False
    if before != after:
        refuse_without_manager()
        end_sessions(user, keep=keep_session)
        detail = {"added": sorted(after - before), "removed": sorted(before - after)}
        StaffEvent.objects.create(kind=StaffEvent.Kind.ROLES, actor=actor, subject=user, detail=detail)
    if work:
        _pass_on(user, successor, work, actor=actor)
    return True


def _pass_on(user: User, successor: User | None, work: Work, *, actor: User) -> None:
    if successor is None:
        raise ValidationError(_("Somebody has to take over the open work."))
    note_hand_over(user, successor, hand_over(user, successor, work), actor=actor)


def refuse_without_manager() -> None:
    """Raise ValidationError when no active user could manage staff: no page could repair that.

    Inside the transaction of the change: whoever asks second waits until the first is done.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    managers = User.objects.filter(
        is_active=True, roles__permissions__permission=MANAGE, roles__permissions__granted=True
    )
    if not managers.exists():
        raise ValidationError(_("At least one active person must be able to manage staff."))
