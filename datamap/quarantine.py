"""Whether this database may be worked with: one that is older than the journal, or has lost it, may not.

ADR 9 tells how an older database is recognized, and why a rollback or a crash is not mistaken for one.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import Error, connection, transaction
from django.utils import timezone

from datamap import journal
from datamap.chain import JournalDamaged, JournalError
from datamap.models import JournalMark, Quarantine

RESTORED, OLDER, LOST = Quarantine.Reason.RESTORED.value, Quarantine.Reason.OLDER.value, Quarantine.Reason.LOST.value
UNREACHABLE = "unreachable"
SENTENCES = {
    RESTORED: "This database was restored from a backup: run `manage.py reapply_erasures` before anybody works.",
    OLDER: "This database does not know the journal's last entries: run `manage.py reapply_erasures`.",
    LOST: "The journal is gone, damaged or another one: mend JOURNAL_URL, or let two people release the database.",
    UNREACHABLE: "The journal cannot be reached: mend JOURNAL_URL.",
}
CONFIRMATIONS = 200
RELEASE_HOURS = 24


class InQuarantine(CommandError):
    """Work was asked for in a database that may not be worked with; the text is one sentence."""


@dataclass(frozen=True)
class State:
    """Why nobody may work here; an empty reason where everybody may."""

    reason: str = ""

    @property
    def active(self) -> bool:
        """Whether the database is in quarantine."""
        return bool(self.reason)

    @property
    def sentence(self) -> str:
        """What it is and what to do, for an operator."""
        return SENTENCES.get(self.reason, "")


def examine() -> State:
    """Compare this database with the journal now."""
    try:
        # Read before the database: what is confirmed here is committed there.
        confirmed = [line.payload for line in journal.store().newest(journal.COMMIT, CONFIRMATIONS)]
        if not _migrated():
            return State()
        if journal_is_lost():
            return State(LOST)
        return State(open_reason() or (OLDER if _lacks(confirmed) else ""))
    except JournalDamaged:
        return State(LOST)
    except JournalError:
        return State(UNREACHABLE)


def _migrated() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('datamap_quarantine') IS NOT NULL")
        return cursor.fetchone()[0]


def open_reason() -> str:
    """Why a quarantine that nobody has ended was begun, or nothing."""
    return Quarantine.objects.filter(ended_at__isnull=True).values_list("reason", flat=True).first() or ""


def journal_is_lost() -> bool:
    """Whether the newest entry that this database knows stands no longer in the journal, or another one does."""
    known = JournalMark.objects.order_by("-last").values_list("last", "hash").first()
    if known is None:
        return False
    line = journal.store().find(known[0])
    return line is None or line.hash != known[1]


def _lacks(confirmed: list[journal.Payload]) -> bool:
    """Whether an entry that a database has committed is not known to this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM unnest(%s::bigint[], %s::bigint[]) AS c (first, last) "
            "WHERE coalesce((SELECT m.first FROM datamap_journalmark m WHERE m.last >= c.last "
            "ORDER BY m.last LIMIT 1) > c.first, true))",
            [[one["first"] for one in confirmed], [one["last"] for one in confirmed]],
        )
        return cursor.fetchone()[0]


@dataclass
class Watch:
    """What this process knows about the quarantine, asked again every few seconds by one thread at a time."""

    state: State = State()
    until: float = 0.0
    asking: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> State:
        """The state, at most JOURNAL_RECHECK_SECONDS old."""
        if time.monotonic() >= self.until and self.asking.acquire(blocking=self.until == 0.0):
            try:
                self.state = examine()
                self.until = time.monotonic() + settings.JOURNAL_RECHECK_SECONDS
            except Error:
                pass  # whoever asks is about to learn that the database does not answer
            finally:
                self.asking.release()
        return self.state


watch = Watch()


def current() -> State:
    """Whether this process may work, and why not; cheap enough to be asked by every request."""
    return watch.current()


def refuse() -> None:
    """Raise InQuarantine where nobody may work here now."""
    state = examine()
    if state.active:
        raise InQuarantine(state.sentence, returncode=3)


def refuse_command() -> None:
    """End a command of the command line with exit code 3 where nobody may work here now."""
    state = examine()
    if state.active:
        sys.stderr.write(f"{state.sentence}\n")
        sys.exit(3)


def begin(reason: str) -> Quarantine:
    """Put the database into quarantine until it is ended; one that is open already stays as it is."""
    Quarantine.objects.bulk_create([Quarantine(reason=reason)], ignore_conflicts=True)
    return Quarantine.objects.select_for_update().get(ended_at__isnull=True)


Restored = Callable[[datetime], Any]
"""(when the quarantine began): what waited in the database until then may have been done since the backup."""
_restored: dict[str, Restored] = {}


def register_restored(app: str, callback: Restored) -> None:
    """To be called, in a transaction, before anything is replayed or released; from an app's `ready`.

    What acts on the world outside and waits in an older database has perhaps been done after the backup. May be asked
    twice for one quarantine.
    """
    if _restored.setdefault(app, callback) is not callback:
        raise ImproperlyConfigured(f"{app} is registered twice.")


def doubt_what_waits(row: Quarantine) -> None:
    """Have every app doubt what waited when this quarantine began."""
    for callback in _restored.values():
        callback(row.began_at)


@transaction.atomic
def release(user_id: int) -> bool:
    """One of two different people waives the replay; True with the second, who comes within a day.

    What the journal held until now counts as known then, so erasures after the backup may be undone: the last resort
    where the journal is lost. Raises InQuarantine where there is nothing to release, or the journal is unreachable.
    """
    state = examine()
    if not state.active or state.reason == UNREACHABLE:
        raise InQuarantine(state.sentence or "This database is not in quarantine.")
    row = begin(state.reason)
    fresh = row.first_release_at and row.first_release_at > timezone.now() - timedelta(hours=RELEASE_HOURS)
    if not fresh or row.first_release_by == user_id:
        row.first_release_by, row.first_release_at = user_id, timezone.now()
        row.save(update_fields=["first_release_by", "first_release_at"])
        return False
    row.second_release_by = user_id
    doubt_what_waits(row)
    _end(row, Quarantine.End.RELEASED)
    # Numbered past everything this database knows: a journal that begins anew must not repeat numbers.
    (line,) = journal.append(journal.CHECKPOINT, [{}], after_loss=True)
    absorb(line.seq, line.hash, JournalMark.How.RELEASED)
    return True


def end_replayed(row: Quarantine, replayed: int, last: journal.Entry | None) -> None:
    """The journal was replayed up to this entry: the database knows everything in it, and may be worked with."""
    row.replayed = replayed
    _end(row, Quarantine.End.REPLAYED)
    if last is not None:
        absorb(last.position, last.hash, JournalMark.How.REPLAYED)


def _end(row: Quarantine, how: str) -> None:
    row.ended_at, row.ended_how = timezone.now(), how
    row.save(update_fields=["ended_at", "ended_how", "second_release_by", "replayed"])


def absorb(position: int, hash_: str, how: str) -> None:
    """One mark instead of many: every entry up to this position is known."""
    JournalMark.objects.filter(last__lte=position).delete()
    JournalMark.objects.create(first=1, last=position, hash=hash_, how=how)
