"""Keeps the journal in order: tells rolled back entries from committed ones, marks the hours, drops old months."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby

from django.db import connection, transaction
from django.utils import timezone

from datamap import journal, quarantine
from datamap.catalogue import cutoff
from datamap.chain import Line
from datamap.models import JournalMark

MARGIN_DAYS = 10


def keep() -> int:
    """Settle open entries and write a checkpoint; returns how many entries were voided.

    The checkpoint is what an idle shop's older database would lack. Nothing is done in quarantine: only a database
    that knows everything may say what was rolled back.
    """
    if quarantine.examine().active:
        return 0
    settled, voided = _settle(_settled_before())
    with transaction.atomic():
        journal.append(journal.CHECKPOINT, [{"settled": settled}])
    return voided


def _settled_before() -> int:
    newest = journal.store().newest(journal.CHECKPOINT, 1)
    return newest[0].payload.get("settled", 0) if newest else 0


def _settle(after: int) -> tuple[int, int]:
    """Give every entry after this one whose transaction is over its confirmation or its void."""
    open_: dict[int, Line] = {}
    last = after
    for line in journal.store().lines(after):
        last = line.seq
        if line.kind in journal.OWN:
            for seq in range(line.payload["first"], line.payload["last"] + 1):
                open_.pop(seq, None)
        else:
            open_[line.seq] = line
    known = journal.covering(list(open_))
    voided, left = 0, []
    # One mark or one transaction at a time: no span may reach over two marks.
    for (mark, xid), group in groupby(open_.values(), key=lambda line: (known.get(line.seq), line.xid)):
        lines = list(group)
        span = {"first": lines[0].seq, "last": lines[-1].seq}
        if mark is not None:
            journal.store().append(journal.COMMIT, [span])  # its process ended between commit and confirmation
        elif _rolled_back(xid):
            journal.store().append(journal.VOID, [span])
            voided += len(lines)
        else:
            left.append(lines[0].seq)
    return min(left, default=last + 1) - 1, voided


def _rolled_back(xid: int) -> bool:
    """Whether this cluster says that the transaction is over and did not commit; when in doubt it did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN %s < pg_snapshot_xmax(pg_current_snapshot())::text::bigint "
            "THEN pg_xact_status(%s::text::xid8) = 'aborted' END",
            [xid, xid],
        )
        return bool(cursor.fetchone()[0])


def trim() -> int:
    """Drop the months that no backup can be older than, with their marks; returns how many segments went."""
    ended = cutoff("BACKUP", timezone.localdate())
    if ended is None:
        return 0  # backups are kept without an end
    dropped = journal.store().trim(ended - timedelta(days=MARGIN_DAYS))
    first = next(journal.store().lines(), None)
    newest = JournalMark.objects.order_by("-last").values_list("last", flat=True).first()
    if first is not None and newest is not None:
        JournalMark.objects.filter(last__lt=min(first.seq, newest)).delete()
    return dropped
