"""The questions that `doctor` asks: every app registers its own, and all are asked in the same way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from datamap import journal, quarantine
from datamap.chain import in_chain

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How thoroughly to look: `deep` opens every sealed value, `canary` is a text that must stand nowhere."""

    deep: bool = False
    canary: str = ""


@dataclass(frozen=True)
class Finding:
    """What one check found; the detail holds counts, numbers and ids, never what they belong to."""

    ok: bool
    detail: str = ""


Check = Callable[[Options], Finding | None]
_checks: dict[str, Check] = {}


def register_check(name: str, check: Check) -> None:
    """Have `doctor` ask this too; called from an app's ready(). None as an answer: the question was not asked."""
    if _checks.setdefault(name, check) is not check:
        raise ImproperlyConfigured(f"The check {name} is registered twice.")


@contextmanager
def registered_temporarily() -> Iterator[dict[str, Check]]:
    """For tests: whatever is registered inside is forgotten afterwards."""
    before = dict(_checks)
    try:
        yield _checks
    finally:
        _checks.clear()
        _checks.update(before)


def diagnose(options: Options) -> Iterator[tuple[str, Finding]]:
    """Ask everything, in the order of registration; a check that fails itself is a finding too."""
    for name, check in list(_checks.items()):
        try:
            finding = check(options)
        except Exception as fault:
            logger.error("The check %s could not be made.", name, exc_info=fault)
            finding = Finding(False, f"could not be checked: {type(fault).__name__}")
        if finding is not None:
            yield name, finding


def as_json(findings: list[tuple[str, Finding]]) -> dict[str, Any]:
    """The keys of the contract."""
    checks = [{"name": name, "ok": finding.ok, "detail": finding.detail} for name, finding in findings]
    return {"ok": all(finding.ok for _name, finding in findings), "checks": checks}


def check_journal(_options: Options) -> Finding:
    """The chain is unbroken from its first line to its last, and every kind of entry has somebody who replays it."""
    lines, kinds = 0, set()
    try:
        journal.store().check_reachable()
        for line in in_chain(journal.store().lines()):
            lines += 1
            kinds.add(line.kind)
    except journal.JournalError as error:
        return Finding(False, str(error))
    unknown = sorted(kinds - {*journal.OWN, journal.CHECKPOINT, *journal.replayers})
    if unknown:
        return Finding(False, f"{lines} lines; nobody replays: {', '.join(unknown)}")
    return Finding(True, f"{lines} lines, unbroken")


def check_quarantine(_options: Options) -> Finding:
    """The database knows what the journal knows."""
    state = quarantine.examine()
    return Finding(not state.active, state.sentence or "not in quarantine")
