"""Sealed files: any size, and no part can be cut off, added, moved or changed."""

import io
import tracemalloc
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vault.conftest import key_text
from vault.files import (
    CHUNK,
    HEAD_BYTES,
    SEALED_CHUNK,
    SealedFileStorage,
    clear_size,
    open_stream,
    seal_stream,
)
from vault.keyring import SealError, load, replaced

pytestmark = pytest.mark.usefixtures("ring")

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]


def sealed(data: bytes, label: str = "a") -> bytes:
    out = io.BytesIO()
    assert seal_stream(label, io.BytesIO(data), out) == len(data)
    return out.getvalue()


def opened(data: bytes, label: str = "a") -> bytes:
    return b"".join(open_stream(label, io.BytesIO(data)))


def pattern(size: int) -> bytes:
    return bytes(n % 251 for n in range(size))


@pytest.mark.parametrize("size", SIZES)
def test_files_of_every_size_come_back(size: int) -> None:
    data = pattern(size)
    whole = sealed(data)
    assert opened(whole) == data
    assert clear_size(len(whole)) == size
    assert data[:100] not in whole or size < 2


@pytest.mark.parametrize("size", SIZES)
def test_a_file_cut_off_anywhere_is_refused(size: int) -> None:
    whole = sealed(pattern(size))
    ends = {len(whole) - 1, len(whole) - 20, HEAD_BYTES, 3, 0}
    ends |= {HEAD_BYTES + n * SEALED_CHUNK for n in range(4)}
    for end in ends:
        if 0 <= end < len(whole):
            with pytest.raises(SealError):
                opened(whole[:end])


def test_parts_added_moved_swapped_or_taken_from_another_file_are_refused() -> None:
    data = pattern(3 * CHUNK)
    whole, other = sealed(data), sealed(data)
    head, parts = (
        whole[:HEAD_BYTES],
        [whole[HEAD_BYTES + n * SEALED_CHUNK :][:SEALED_CHUNK] for n in range(3)],
    )
    foreign = other[HEAD_BYTES:][:SEALED_CHUNK]
    for forged in (
        [parts[0], parts[1], parts[2], parts[2]],
        [parts[1], parts[0], parts[2]],
        [parts[0], parts[2]],
        [foreign, parts[1], parts[2]],
        [*parts, b"x"],
    ):
        with pytest.raises(SealError):
            opened(head + b"".join(forged))


def test_a_changed_byte_and_another_label_are_refused() -> None:
    whole = sealed(b"hello")
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 1
        with pytest.raises(SealError):
            opened(bytes(altered))
    with pytest.raises(SealError):
        opened(whole, "b")
    with pytest.raises(SealError):
        opened(b"")
    with replaced(load(key_text(seal=(2,)))), pytest.raises(SealError, match="seal:1"):
        opened(whole)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    plain, hidden = tmp_path / "plain", tmp_path / "sealed"
    with plain.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    tracemalloc.start()
    with plain.open("rb") as src, hidden.open("wb") as dst:
        seal_stream("a", src, dst)
    with hidden.open("rb") as src:
        assert sum(map(len, open_stream("a", src))) == 64 * 1024 * 1024
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * CHUNK


def test_a_storage_keeps_no_name_and_no_clear_byte(tmp_path: Path) -> None:
    storage = SealedFileStorage("shop.letters", tmp_path)
    data = pattern(CHUNK + 5)
    name = storage.save("ada-lovelace.pdf", ContentFile(data))
    assert "ada" not in name
    path = Path(storage.path(name))
    assert path.stat().st_mode & 0o077 == 0
    assert data[:50] not in path.read_bytes()
    assert storage.size(name) == len(data)
    with storage.open(name) as file:
        assert file.read() == data
    with pytest.raises(ValueError, match="no address"):
        storage.url(name)
    storage.delete(name)
    assert not storage.exists(name)
    storage.delete(name)


def test_a_storage_refuses_a_cut_file_before_the_first_byte(tmp_path: Path) -> None:
    storage = SealedFileStorage("shop.letters", tmp_path)
    name = storage.save("x", ContentFile(pattern(2 * CHUNK)))
    path = Path(storage.path(name))
    path.write_bytes(path.read_bytes()[: HEAD_BYTES + SEALED_CHUNK])
    with pytest.raises(SealError):
        storage.open(name)


def test_a_stored_file_is_read_at_any_place(tmp_path: Path) -> None:
    storage = SealedFileStorage("shop.letters", tmp_path)
    data = pattern(2 * CHUNK + 77)
    name = storage.save("x", ContentFile(data))

    @settings(max_examples=25)
    @given(st.lists(st.tuples(st.integers(0, 2 * CHUNK + 99), st.integers(0, CHUNK + 9)), max_size=6))
    def read(places: list[tuple[int, int]]) -> None:
        with storage.open(name) as file:
            for start, size in places:
                file.seek(start)
                assert file.read(size) == data[start : start + size]

    read()
