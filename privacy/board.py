"""The desk's list: open requests by the day they are due, what hides behind each light, and the figure in the rail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datamap.controlling import controller, legal_zone
from datamap.keyset import page_of
from datamap.navigation import Badge
from datamap.workdays import local_date
from privacy.clock import Light, deadline_for, light_of
from privacy.closing import closable
from privacy.cockpit import INFO, STOP, WARN, Finding, register_task
from privacy.deadlines import TARGET_DAYS, Deadline
from privacy.models import Request, Restriction
from privacy.models.requests import UNANSWERED
from privacy.returning import undelivered
from privacy.steps import State, Step, stamp
from staff.models import User

OVERDUE, SOON, CLOSABLE, SILENT, REFUSALS, BACK = "overdue", "soon", "closable", "silent", "refusals", "back"
MINE, NOBODY = "mine", "nobody"
# Who does not answer a question is not forgotten behind a clock that stands.
PATIENCE = timedelta(days=14)
OF_BOARD = "privacy:requests?state="
WAITING = tuple(map(State, UNANSWERED))
COUNTED = 1000


@dataclass(frozen=True)
class Row:
    """One case as the list shows it."""

    request: Request
    deadline: Deadline
    light: Light


def today() -> date:
    """The controller's day."""
    return local_date(timezone.now(), legal_zone())


def rows_for(wanted: dict[str, Any], user: User) -> QuerySet[Request]:
    """The requests that the filter of the list asks for: open cases unless the closed ones are wanted. A letter may
    come back after its case was closed."""
    closed = wanted.get("state") == State.CLOSED
    rows = Request.on_desk().select_related("customer", "owner")
    if wanted.get("state") != BACK:
        rows = rows.filter(closed_at__isnull=not closed)
    if wanted.get("kind"):
        rows = rows.filter(kind=wanted["kind"])
    if (narrowed := _KINDS_OF_WORK.get(str(wanted.get("state")))) is not None:
        rows = narrowed(rows)
    elif wanted.get("state"):
        rows = rows.filter(state=wanted["state"])
    if wanted.get("owner") == MINE:
        rows = rows.filter(owner=user)
    elif wanted.get("owner") == NOBODY:
        rows = rows.filter(owner__isnull=True)
    elif wanted.get("owner"):
        rows = rows.filter(owner=wanted["owner"])
    return rows


def overdue(rows: QuerySet[Request]) -> QuerySet[Request]:
    """Those whose last day is over and whose clock does not stand."""
    return rows.filter(state__in=WAITING, clock_stopped=False, due_on__lt=today())


def silent(rows: QuerySet[Request]) -> QuerySet[Request]:
    """Those whose clock stands since a question that the person has not answered for two weeks."""
    since = timezone.now() - PATIENCE
    identity = Q(state=State.IDENTITY_PENDING, identity_asked_at__lt=since)
    extent = Q(clarified_at__isnull=True, clarification_asked_at__lt=since)
    return rows.filter(identity | extent, state__in=WAITING, clock_stopped=True)


def due_soon(rows: QuerySet[Request]) -> QuerySet[Request]:
    """Those that are due within a week and not late."""
    on = today()
    until = on + timedelta(days=TARGET_DAYS)
    return rows.filter(state__in=WAITING, clock_stopped=False, due_on__gte=on, due_on__lte=until)


def refusals(rows: QuerySet[Request]) -> QuerySet[Request]:
    """Those that somebody would refuse, and a second person has not agreed."""
    return rows.filter(state__in=WAITING, refusal_proposed_by__isnull=False)


def came_back(rows: QuerySet[Request]) -> QuerySet[Request]:
    """Those of which a letter came back, and the person has been told nothing since."""
    return rows.filter(undelivered())


_KINDS_OF_WORK: dict[str, Callable[[QuerySet[Request]], QuerySet[Request]]] = {
    OVERDUE: overdue,
    SOON: due_soon,
    CLOSABLE: closable,
    SILENT: silent,
    REFUSALS: refusals,
    BACK: came_back,
}


def page_for(wanted: dict[str, Any], user: User, cursor: str) -> tuple[list[Row], str, bool]:
    """One page: the rows with their lights, the cursor of the next page, whether it is the first."""
    closed = wanted.get("state") == State.CLOSED
    column, descending = ("closed_at", True) if closed else ("due_on", False)
    page = page_of(rows_for(wanted, user), column, descending=descending, cursor=cursor)
    who, on = controller(), today()
    shown = []
    for request in page.rows:
        deadline = deadline_for(request, as_of=on, who=who)
        shown.append(Row(request, deadline, light_of(request, deadline, on)))
    return shown, page.next_cursor, page.is_first


# How many open requests are late (`overdue`), for the rail of every page; more than 1,000 are "many". The states stand
# in it, word by word as in the index that answers.
LATE = Badge(
    "SELECT count(*) FROM (SELECT 1 FROM privacy_request WHERE closed_at IS NULL AND NOT clock_stopped "  # noqa: S608
    f"AND state IN {UNANSWERED} AND due_on < %s LIMIT 1000) AS late",
    lambda _user: [today()],
)


def register_tasks() -> None:
    """Tell the cockpit what waits at the desk; called from the app's `ready`."""
    register_task("requests_late", gettext_lazy("Requests past their last day"), _late, OF_BOARD + OVERDUE, STOP)
    register_task("letters_back", gettext_lazy("Requests whose letter came back"), _back, OF_BOARD + BACK, STOP)
    register_task("requests_soon", gettext_lazy("Requests due within a week"), _soon, OF_BOARD + SOON, WARN)
    register_task(
        "questions", gettext_lazy("Questions to people without an answer for two weeks"), _silent, OF_BOARD + SILENT,
        WARN,
    )  # fmt: skip
    register_task("refusals", gettext_lazy("Refusals that wait for a second person"), _refusals, OF_BOARD + REFUSALS)
    register_task("requests_in_time", gettext_lazy("Requests in time"), _in_time, "privacy:requests", INFO)
    register_task(
        "requests_closable", gettext_lazy("Answered requests to be closed"), _closable, OF_BOARD + CLOSABLE, INFO
    )
    register_task(
        "restrictions", gettext_lazy("Restrictions that may be lifted: the notice is out"), _liftable,
        "privacy:restrictions", INFO, permission="privacy.requests",
    )  # fmt: skip


def _back() -> int:
    return came_back(Request.on_desk())[:COUNTED].count()


def _late() -> Finding:
    rows = overdue(Request.on_desk().filter(closed_at__isnull=True))
    first = rows.order_by("due_on").values_list("due_on", flat=True).first()
    since = _("oldest due %s") % date_format(first, "SHORT_DATE_FORMAT") if first else ""
    return Finding(rows[:COUNTED].count(), since)


def _silent() -> int:
    return silent(Request.on_desk().filter(closed_at__isnull=True))[:COUNTED].count()


def _soon() -> int:
    return due_soon(Request.on_desk().filter(closed_at__isnull=True))[:COUNTED].count()


def _in_time() -> Finding:
    """Those of the whole desk that are neither late nor due within a week, and those whose clock stands."""
    rows = Request.on_desk().filter(closed_at__isnull=True, state__in=WAITING)
    rows = rows.filter(Q(due_on__gt=today() + timedelta(days=TARGET_DAYS)) | Q(clock_stopped=True))
    first = rows.filter(clock_stopped=False).order_by("due_on").values_list("due_on", flat=True).first()
    next_due = _("next due %s") % date_format(first, "SHORT_DATE_FORMAT") if first else ""
    return Finding(rows[:COUNTED].count(), next_due)


def _closable() -> int:
    return closable(Request.on_desk())[:COUNTED].count()


def _refusals() -> int:
    return refusals(Request.on_desk().filter(closed_at__isnull=True))[:COUNTED].count()


def _liftable() -> int:
    return Restriction.objects.filter(lifted_at__isnull=True, notice_sent_at__isnull=False)[:COUNTED].count()


def open_work(user: User) -> int:
    """How many cases somebody is in charge of."""
    return Request.on_desk().filter(owner=user, closed_at__isnull=True).count()


def hand_over_all(user: User, successor: User) -> int:
    """Give the cases of somebody who leaves to a colleague; each is stamped."""
    moved = list(Request.on_desk().filter(owner=user, closed_at__isnull=True))
    for request in moved:
        stamp(request, Step.OWNER, by=None)
    Request.on_desk().filter(pk__in=[request.pk for request in moved]).update(owner=successor)
    return len(moved)
