"""Seals files of any size in chunks, and stores uploads only sealed."""

import fcntl
import io
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

from vault.keyring import HEADER_BYTES, NONCE_BYTES, TAG_BYTES, KeyNotLoaded, SealError, key_id_of, keyring

MAGIC = b"OBF1"
FILE_ID_BYTES = 16
HEAD_BYTES = len(MAGIC) + FILE_ID_BYTES
CHUNK = 256 * 1024
OVERHEAD = HEADER_BYTES + NONCE_BYTES + TAG_BYTES
SEALED_CHUNK = CHUNK + OVERHEAD


def _chunk_label(label: str, file_id: bytes, position: int, last: bool) -> bytes:
    """Binds a chunk to its file, its place and the end: none can be moved, left out or added."""
    return label.encode() + b"\0" + file_id + position.to_bytes(8, "big") + bytes((last,))


class StreamSealer:
    """Seals what is written to it into `dst`, chunk by chunk as it comes; `finish` makes the file whole."""

    def __init__(self, label: str, dst: BinaryIO) -> None:
        self.size = 0
        self._label, self._dst, self._ring = label, dst, keyring()
        self._file_id, self._position, self._waiting = secrets.token_bytes(FILE_ID_BYTES), 0, bytearray()
        dst.write(MAGIC + self._file_id)

    def write(self, data: bytes) -> None:
        """Take more of the clear text; memory stays at this piece and one chunk."""
        self._waiting += data
        # A full chunk waits: it may be the last one, and says so.
        while len(self._waiting) > CHUNK:
            self._seal(CHUNK, last=False)

    def finish(self) -> int:
        """Seal what is left as the end of the file; answers the clear size."""
        self._seal(len(self._waiting), last=True)
        return self.size

    def _seal(self, length: int, *, last: bool) -> None:
        chunk = bytes(self._waiting[:length])
        del self._waiting[:length]
        self._dst.write(self._ring.seal(_chunk_label(self._label, self._file_id, self._position, last), chunk))
        self._position, self.size = self._position + 1, self.size + length


def seal_stream(label: str, src: BinaryIO | File, dst: BinaryIO) -> int:
    """Seal everything `src` still holds into `dst`; memory stays at two chunks. Returns the clear size."""
    sealer = StreamSealer(label, dst)
    while chunk := src.read(CHUNK):
        sealer.write(chunk)
    return sealer.finish()


def open_sealed(label: str, src: BinaryIO) -> io.BufferedReader:
    """A sealed file as one that is read at any place; closing it closes `src`."""
    return io.BufferedReader(_Opened(label, src), CHUNK)


def open_stream(label: str, src: BinaryIO) -> Iterator[bytes]:
    """The clear chunks of a sealed file, each only after it has proven itself.

    Raises SealError where the file was altered, reordered, added to or cut off: only when the
    iterator ends without it is the file whole.
    """
    file_id = _read_head(label, src)
    position, chunk = 0, _read_full(src, SEALED_CHUNK)
    while True:
        following = _read_full(src, SEALED_CHUNK) if len(chunk) == SEALED_CHUNK else b""
        yield _open_chunk(label, file_id, position, not following, chunk)
        if not following:
            return
        position, chunk = position + 1, following


def _read_full(src: BinaryIO | File, size: int) -> bytes:
    """As many bytes as asked for unless the stream ends; raw streams may return fewer at a time."""
    data = src.read(size) or b""
    while len(data) < size and (more := src.read(size - len(data))):
        data += more
    return data


def _read_head(label: str, src: BinaryIO) -> bytes:
    head = _read_full(src, HEAD_BYTES)
    if len(head) < HEAD_BYTES or not head.startswith(MAGIC):
        raise SealError(f"This is no sealed file of {label!r}.")
    return head[len(MAGIC) :]


def _open_chunk(label: str, file_id: bytes, position: int, last: bool, sealed: bytes) -> bytes:
    try:
        return keyring().open(_chunk_label(label, file_id, position, last), sealed)
    except KeyNotLoaded:
        raise KeyNotLoaded(f"A file of {label!r} is sealed by seal:{key_id_of(sealed)}, which is not loaded.") from None
    except SealError:
        raise SealError(f"The sealed file of {label!r} was altered or cut off (part {position + 1}).") from None


def clear_size(sealed_size: int) -> int:
    """How many bytes a sealed file of this size holds."""
    body = max(sealed_size - HEAD_BYTES, 0)
    return max(body - OVERHEAD * max(-(-body // SEALED_CHUNK), 1), 0)


class _Opened(io.RawIOBase):
    """A sealed file read at any place, one chunk in memory: what spreadsheets and archives need."""

    def __init__(self, label: str, src: BinaryIO) -> None:
        self._label, self._src = label, src
        self._file_id = _read_head(label, src)
        self._sealed_size = src.seek(0, os.SEEK_END)
        self._size = clear_size(self._sealed_size)
        self._last = max(-(-(self._sealed_size - HEAD_BYTES) // SEALED_CHUNK) - 1, 0)
        self._place, self._position, self._chunk = 0, -1, b""
        self._load(self._last)  # the end proves itself before anything is read

    def _load(self, position: int) -> None:
        if position != self._position:
            self._src.seek(HEAD_BYTES + position * SEALED_CHUNK)
            sealed = _read_full(self._src, SEALED_CHUNK)
            last = position == self._last
            self._chunk = _open_chunk(self._label, self._file_id, position, last, sealed)
            self._position = position

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("A place before the start of a file.")
        self._place = base + offset
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._place >= self._size:
            return 0
        self._load(self._place // CHUNK)
        piece = self._chunk[self._place % CHUNK :][: len(buffer)]
        buffer[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def close(self) -> None:
        self._src.close()
        super().close()


@deconstructible(path="vault.files.SealedFileStorage")
class SealedFileStorage(FileSystemStorage):
    """Uploads under random names outside the web root, written sealed and opened on reading.

    A storage per kind of file: `label` binds the files to it, and they lie in a folder of that name.
    The files of every FileField with such a storage are counted and rotated by the vault's commands.
    """

    def __init__(self, label: str, location: str | Path | None = None) -> None:
        self.label = label
        base = Path(location or getattr(settings, "SEALED_ROOT", None) or Path(settings.VAR_DIR) / "sealed")
        super().__init__(location=base / label, file_permissions_mode=0o600, directory_permissions_mode=0o700)

    def generate_filename(self, filename: str | os.PathLike[str]) -> str:
        """A random name: the uploaded one may say whose it is. Keep that in a sealed field."""
        name = secrets.token_hex(16)
        return f"{name[:2]}/{name}"

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return self.generate_filename(name)

    def _save(self, name: str, content: File) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        content.seek(0)
        self._write(content, target)
        return name

    def _write(self, clear: BinaryIO | File, target: Path) -> None:
        """Whole or not at all: sealed into a draft beside the target, then renamed."""
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
        try:
            with os.fdopen(handle, "wb") as file:
                seal_stream(self.label, clear, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, target)
        except BaseException:
            os.unlink(draft)
            raise

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("A sealed file is read in binary mode, and written by save().")
        return File(open_sealed(self.label, open(self.path(name), "rb")), name)  # noqa: SIM115

    def size(self, name: str) -> int:
        return clear_size(super().size(name))

    def url(self, name: str | None) -> NoReturn:
        raise ValueError("A sealed file has no address; serve it through a view that checks who asks.")

    def _files(self) -> Iterator[tuple[Path, int]]:
        """Every sealed file with the key its first chunk names."""
        for path in sorted(Path(self.location).glob("*/*")):
            if path.is_file() and not path.name.startswith("."):
                with path.open("rb") as file:
                    head = file.read(HEAD_BYTES + HEADER_BYTES)
                yield path, key_id_of(head[HEAD_BYTES:])

    def uses(self) -> Counter[int]:
        """How many files name each seal key."""
        return Counter(key_id for _path, key_id in self._files())

    def reseal(self) -> Iterator[int]:
        """Bring every file under the writing key, one at a time."""
        to = keyring().writing("seal").id
        for path, key_id in self._files():
            if key_id != to and self._reseal_one(path):
                yield 1

    def _reseal_one(self, path: Path) -> bool:
        with suppress(FileNotFoundError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                self._write(open_sealed(self.label, file), path)
                return True
        return False

    def delete(self, name: str) -> None:
        """Delete the file; the lock keeps a rotation from bringing it back."""
        with suppress(FileNotFoundError), open(self.path(name), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            super().delete(name)
