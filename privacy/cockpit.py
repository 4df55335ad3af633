"""The task list of the privacy role: each module says what waits, how urgent it is and where it is worked off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, reverse

from staff.models import User

STOP, WARN, INFO = "stop", "warn", "info"
SEVERITIES = (STOP, WARN, INFO)
"""The law or a promise is broken | somebody is waited for | worth a look."""


@dataclass(frozen=True)
class Finding:
    """How many wait, and a few words about them ("oldest since …")."""

    count: int
    text: str = ""


Count = Callable[[], "int | Finding"]


@dataclass(frozen=True)
class Task:
    """One kind of work that can wait for the privacy role."""

    key: str
    label: Any
    count: Count
    url: str
    severity: str
    permission: str


@dataclass(frozen=True)
class Item:
    """One line of the list: something waits."""

    key: str
    label: str
    count: int
    text: str
    url: str
    severity: str


_tasks: dict[str, Task] = {}


def register_task(
    key: str, label: Any, count: Count, url: str, severity: str = WARN, *, permission: str = "privacy.view"
) -> None:
    """Add a kind of work; called from an app's `ready`.

    `count` answers how many wait (a number or a `Finding`) by one cheap query; `url` is the name of a route, with a
    query behind it if need be ("privacy:holds?show=overdue"); who lacks `permission` does not see the line.
    """
    if severity not in SEVERITIES:
        raise ImproperlyConfigured(f"The task {key} has no severity {severity}.")
    task = Task(key, label, count, url, severity, permission)
    if _tasks.setdefault(key, task) != task:
        raise ImproperlyConfigured(f"The task {key} is registered twice.")


def items_for(user: User) -> list[Item]:
    """What waits for this person, the most urgent first; kinds of which nothing waits are left out."""
    found = list(_waiting(user))
    return sorted(found, key=lambda item: SEVERITIES.index(item.severity))


def waiting_count(user: User) -> int:
    """How many kinds of work are urgent or waited for: the number on the dashboard."""
    return sum(1 for _item in _waiting(user, leave_out=INFO))


def _waiting(user: User, leave_out: str = "") -> Iterator[Item]:
    for task in _tasks.values():
        if task.severity == leave_out or not user.may(task.permission):
            continue
        found = task.count()
        finding = found if isinstance(found, Finding) else Finding(found)
        if finding.count:
            yield Item(task.key, str(task.label), finding.count, finding.text, _address(task.url), task.severity)


def _address(url: str) -> str:
    name, mark, query = url.partition("?")
    try:
        return f"{reverse(name)}{mark}{query}"
    except NoReverseMatch:
        return ""


@contextmanager
def registered_temporarily() -> Iterator[None]:
    """For tests: tasks registered inside are forgotten afterwards."""
    before = dict(_tasks)
    try:
        yield
    finally:
        _tasks.clear()
        _tasks.update(before)
