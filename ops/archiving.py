"""The form of a backup: one sealed file that holds a tar of a manifest, the database in pieces, and the sealed files.

Sealed as a whole, because names, towns and order facts lie in clear in the database. Made and read as a stream: memory
stays at a few pieces, and nothing of it lies in clear on a disk.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from vault.files import open_stream, seal_stream

LABEL = "ops.backup"
VERSION = 1
PIECE = 4 * 1024 * 1024
MANIFEST, DATABASE, FILES = "manifest.json", "database", "files"


class ArchiveWriter:
    """Adds the parts of a backup to a tar stream, in the order in which a restore needs them."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def manifest(self, facts: dict[str, Any]) -> None:
        """First: what this backup is."""
        self._add(MANIFEST, json.dumps({"version": VERSION, **facts}).encode())

    def database(self, source: BinaryIO, progress: Callable[[int], None]) -> None:
        """Second: the dump, read to its end in pieces, since a tar must know the size of what it holds."""
        number = 0
        while piece := source.read(PIECE):
            number += 1
            self._add(f"{DATABASE}/{number:08d}", piece)
            progress(len(piece))

    def file(self, folder: Path, path: Path) -> bool:
        """Last: one file under its place below `folder`; False where it went meanwhile."""
        with suppress(FileNotFoundError), path.open("rb") as source:
            member = tarfile.TarInfo(f"{FILES}/{path.relative_to(folder).as_posix()}")
            member.size = os.fstat(source.fileno()).st_size
            self._tar.addfile(member, source)
            return True
        return False

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        self._tar.addfile(member, io.BytesIO(data))


def write_archive(target: Path, fill: Callable[[ArchiveWriter], None]) -> int:
    """Write a backup whole or not at all, mode 0600; returns its size. Raises what `fill` or the disk raises."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sealed:
            _seal_what_is_written(sealed, fill)
            sealed.flush()
            os.fsync(sealed.fileno())
        os.replace(draft, target)
        return target.stat().st_size
    finally:
        draft.unlink(missing_ok=True)


def _seal_what_is_written(sealed: BinaryIO, fill: Callable[[ArchiveWriter], None]) -> None:
    reading, writing = os.pipe()
    faults: list[BaseException] = []

    def seal() -> None:
        try:
            with open(reading, "rb") as clear:
                seal_stream(LABEL, clear, sealed)
        except BaseException as fault:
            faults.append(fault)

    sealer = threading.Thread(target=seal, name="seal-backup")
    sealer.start()
    try:
        with open(writing, "wb") as pipe, tarfile.open(fileobj=pipe, mode="w|", bufsize=PIECE // 4) as tar:
            fill(ArchiveWriter(tar))
    except BrokenPipeError:
        if not faults:
            raise
    finally:
        sealer.join()
    if faults:
        raise faults[0]


class _Clear(io.RawIOBase):
    """The opened bytes of a sealed stream as a file that can only be read on."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            if (chunk := next(self._chunks, None)) is None:
                return 0
            self._rest = chunk
        piece, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def drain(self) -> None:
        """Read to the end: only then has the whole file proven itself."""
        for _chunk in self._chunks:
            pass


@contextmanager
def opened_archive(path: Path) -> Iterator[tuple[dict[str, Any], Iterator[tuple[str, BinaryIO]]]]:
    """The manifest of a backup, and its other parts (name, content) in their order.

    Raises SealError where the file was altered, cut off, sealed by a key that is not here, or is no backup. Parts are
    proven one by one; that the archive is whole shows only when the iterator ends without an exception.
    """
    with path.open("rb") as sealed:
        clear = _Clear(open_stream(LABEL, sealed))
        with tarfile.open(fileobj=io.BufferedReader(clear, PIECE // 4), mode="r|") as tar:
            first = tar.next()
            content = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
            if content is None:
                raise ValueError(f"{path} is no backup.")
            yield json.loads(content.read()), _parts(tar, clear)


def _parts(tar: tarfile.TarFile, clear: _Clear) -> Iterator[tuple[str, BinaryIO]]:
    for member in tar:
        content = tar.extractfile(member) if member.isfile() else None
        if content is not None:
            yield member.name, content  # type: ignore[misc]
    clear.drain()
