"""The journal as files of one host: a segment a month, appended under a lock and flushed to the disk."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from django.utils import timezone

from datamap.chain import JournalError, Line, decode, encoded, new_lines

BLOCK = 64 * 1024
LOOK_BACK = 200_000


class SegmentStore:
    """Lines in `YYYY-MM.jsonl` files of one folder; any number of processes write and read at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # (kind, how many) -> the hash of the newest line when it was asked, and the answer
        self._asked: dict[tuple[str, int], tuple[str, list[Line]]] = {}

    def __str__(self) -> str:
        return str(self.folder)

    def append(
        self,
        kind: str,
        payloads: Iterable[Mapping[str, Any]],
        *,
        xid: int = 0,
        first: Callable[[bool], int] = lambda empty: 1,
        durable: bool = True,
    ) -> list[Line]:
        """Add lines; they are on the disk when this returns.

        `first(whether the journal is empty)` is the lowest number they may have.
        Raises JournalError, with nothing added, where the folder cannot be written or the disk is full.
        """
        try:
            with self._locked():
                last = self.last()
                lines = new_lines(last, first(last is None), kind, payloads, xid)
                self._write(encoded(lines), durable=durable)
                return lines
        except OSError as error:
            raise JournalError(f"The journal in {self.folder} cannot be written: {error.strerror}.") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("a") as lock:
            self._belong_to_owner(lock.fileno())
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, data: bytes, *, durable: bool) -> None:
        month = f"{timezone.now():%Y-%m}.jsonl"
        newest = self._segments()[-1:]
        # A clock that was set back must not put a line before its predecessor.
        path = self.folder / max([month, *(segment.name for segment in newest)])
        fresh = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._belong_to_owner(handle)
            size = self._whole_size(handle)
            try:
                _write_all(handle, data, size)
                os.ftruncate(handle, size + len(data))
                if durable:
                    os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if fresh:
            self._sync_folder()

    def _belong_to_owner(self, handle: int) -> None:
        """What root writes on the command line, the service's account must go on writing."""
        owner = self.folder.stat()
        if os.geteuid() == 0 and os.fstat(handle).st_uid != owner.st_uid:
            os.fchown(handle, owner.st_uid, owner.st_gid)

    @staticmethod
    def _whole_size(handle: int) -> int:
        """Where the next line begins: what a writer left half written was never acknowledged, and is overwritten."""
        size = os.fstat(handle).st_size
        while size:
            block = os.pread(handle, min(BLOCK, size), max(size - BLOCK, 0))
            if (end := block.rfind(b"\n")) >= 0:
                return size - len(block) + end + 1
            size -= len(block)
        return 0

    def _sync_folder(self) -> None:
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _segments(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    def last(self) -> Line | None:
        """The newest line."""
        return next(self.backwards(), None)

    def newest(self, kind: str, count: int) -> list[Line]:
        """The newest lines of this kind, newest first, as far as a bounded look back finds them.

        Asked again, it reads what was added since: nothing before that changes in a journal that is only added to.
        """
        top, known = self._asked.get((kind, count), ("", []))
        found: list[Line] = []
        newest = ""
        for line in islice(self.backwards(), LOOK_BACK):
            newest = newest or line.hash
            if line.hash == top:
                found += known
                break
            if line.kind == kind:
                found.append(line)
            if len(found) >= count:
                break
        self._asked[kind, count] = newest, found[:count]
        return found[:count]

    def find(self, seq: int) -> Line | None:
        """The line of this number."""
        for line in self.backwards():
            if line.seq <= seq:
                return line if line.seq == seq else None
        return None

    def backwards(self) -> Iterator[Line]:
        """All lines, newest first, in bounded memory."""
        for segment in reversed(self._segments()):
            with segment.open("rb") as file:
                for text in _lines_backwards(file.fileno()):
                    yield decode(text)

    def lines(self, after: int = 0) -> Iterator[Line]:
        """The lines with a number above `after`, oldest first."""
        segments = self._segments()
        past = {path for path, following in pairwise(segments) if (first := _first(following)) and first.seq <= after}
        for segment in segments:
            if segment in past:
                continue
            with segment.open("rb") as file:
                for text in file:
                    if text.endswith(b"\n") and (line := decode(text)).seq > after:
                        yield line

    def check_reachable(self) -> None:
        """Raises JournalError where the folder exists and cannot be read."""
        if self.folder.exists() and not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise JournalError(f"The journal in {self.folder} cannot be read and written.")

    def trim(self, before: date) -> int:
        """Drop segments of months that ended before this day; the two newest stay. Returns how many went."""
        dropped = 0
        with self._locked():
            for segment in self._segments()[:-2]:
                if segment.stem < f"{before:%Y-%m}":
                    segment.unlink()
                    dropped += 1
            self._sync_folder()
        return dropped


def _write_all(handle: int, data: bytes, place: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, place)
        view, place = view[written:], place + written


def _first(segment: Path) -> Line | None:
    with segment.open("rb") as file:
        text = file.readline()
    return decode(text) if text.endswith(b"\n") else None


def _lines_backwards(handle: int) -> Iterator[bytes]:
    """Whole lines of a file from its end; what stands after the last line end is not there yet."""
    place, rest = os.fstat(handle).st_size, b""
    ended = False
    while place:
        block = os.pread(handle, min(BLOCK, place), max(place - BLOCK, 0))
        place -= len(block)
        pieces = (block + rest).split(b"\n")
        rest = pieces[0]
        for piece in reversed(pieces[1:]):
            if ended:
                yield piece
            ended = True
    if rest and ended:
        yield rest
