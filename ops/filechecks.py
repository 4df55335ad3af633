"""What `doctor` asks about files: none is missing, none is left over, and a canary stands in none of them."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import redis
from django.apps import apps
from django.conf import settings
from django.db import models

from datamap import journal
from datamap.diagnosis import Finding, Options
from datamap.segments import SegmentStore
from privacy.rescanning import rows_with
from vault.files import SealedFileStorage
from vault.keyring import SealError

BLOCK = 1024 * 1024
UPLOAD_SECONDS = 3600  # a younger file may belong to a row that is being written


def check_files(options: Options) -> Finding:
    """Every stored file that a row names is there (with --deep: and opens), and no file is there without a row."""
    missing = orphans = broken = seen = 0
    for storage, fields in _storages().items():
        for folder in _folders(storage, fields):
            named = _named(fields, folder)
            there = {path.name: path for path in (Path(storage.location) / folder).glob("[!.]*")}
            seen += len(named)
            missing += len(named - there.keys())
            orphans += sum(_is_old(path) for name, path in there.items() if name not in named)
            if options.deep:
                broken += sum(not _opens(storage, f"{folder}/{name}") for name in named & there.keys())
    detail = f"{seen} files named, {missing} missing, {orphans} without a row"
    return Finding(not (missing or orphans or broken), detail + (f", {broken} do not open" if options.deep else ""))


def _storages() -> dict[SealedFileStorage, list[models.FileField]]:
    found: dict[str, tuple[SealedFileStorage, list[models.FileField]]] = {}
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.FileField) and isinstance(field.storage, SealedFileStorage):
                found.setdefault(str(field.storage.location), (field.storage, []))[1].append(field)
    return dict(found.values())


def _folders(storage: SealedFileStorage, fields: list[models.FileField]) -> list[str]:
    """The two-digit folders that exist or that a row names: one at a time, so that memory stays small."""
    there = {path.name for path in Path(storage.location).glob("*") if path.is_dir()}
    for field in fields:
        heads = field.model._base_manager.exclude(**{field.name: ""}).values_list(
            models.functions.Left(field.name, 2), flat=True
        )
        there.update(heads.distinct())
    return sorted(head for head in there if head)


def _named(fields: list[models.FileField], folder: str) -> set[str]:
    names: set[str] = set()
    for field in fields:
        rows = field.model._base_manager.filter(**{f"{field.name}__startswith": f"{folder}/"})
        names.update(name.partition("/")[2] for name in rows.values_list(field.name, flat=True))
    return names


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > UPLOAD_SECONDS
    except FileNotFoundError:
        return False


def _opens(storage: SealedFileStorage, name: str) -> bool:
    try:
        with storage.open(name) as file:
            for _chunk in file.chunks():
                pass
    except (SealError, OSError):
        return False
    return True


def check_canary(options: Options) -> Finding | None:
    """A text that must stand nowhere in clear does not: database files, WAL, broker, logs, files, mails, journal.

    The columns are asked as well: in its files PostgreSQL has compressed what is long.
    """
    if not options.canary:
        return None
    forms = canary_forms(options.canary)
    found, searched, unread = list[str](), 0, 0
    for place in _places():
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if not path.is_file() or path.is_symlink():
                continue
            try:
                form = first_form(path, forms)
            except OSError:
                unread += 1
                continue
            searched += 1
            if form:
                found.append(f"{path} ({form})")
    found += [f"{column} ({count} rows)" for column, count in rows_with(options.canary).items()]
    found += [f"broker ({form})" for form in _in_broker(forms)]
    rest = f"; {unread} could not be read" if unread else ""
    if found:
        return Finding(False, f"found in {', '.join(found[:20])}{rest}")
    return Finding(True, f"in none of {searched} files{rest}")


def canary_forms(text: str) -> dict[str, bytes]:
    """The text in every form in which it may have been written down."""
    plain = text.encode()
    forms = {
        "plain": plain,
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "UTF-16 LE": text.encode("utf-16-le"),
        "UTF-16 BE": text.encode("utf-16-be"),
        "JSON": json.dumps(text)[1:-1].encode(),
        "URL": quote(text).encode(),
    }
    # In base64 the letters depend on where the text begins; what its neighbours share is cut off.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + plain).rstrip(b"=")
        forms[f"base64 {shift}"] = encoded[-(-shift * 8 // 6) : len(encoded) - (1 if (shift + len(plain)) % 3 else 0)]
    return forms


def first_form(path: Path, forms: dict[str, bytes]) -> str:
    """In which form the file holds the text, or nothing; memory stays at two blocks."""
    overlap = max(map(len, forms.values())) - 1
    with path.open("rb") as file:
        before = b""
        while block := file.read(BLOCK):
            window = before + block
            for name, form in forms.items():
                if form in window:
                    return name
            before = window[-overlap:]
    return ""


def _places() -> Iterator[Path]:
    """Where something may lie in clear on this machine; what is on others has to be searched there."""
    state = Path(settings.EMBEDDED_STATE_DIR)
    if settings.EMBEDDED_DATABASE:
        yield from sorted(state.glob("postgres-*"))
        yield from state.glob("*.log")
    if settings.EMBEDDED_BROKER:
        yield state / "valkey"
    yield Path(settings.VAR_DIR) / "log"
    store = journal.store()
    if isinstance(store, SegmentStore):
        yield store.folder
    for place in (settings.MEDIA_ROOT, settings.SEALED_ROOT, settings.EMAIL_FILE_PATH, settings.BACKUP_DIR):
        if place:
            yield Path(place)


def _in_broker(forms: dict[str, bytes]) -> Iterator[str]:
    """Forms that stand in the keys and values of Valkey or Redis now."""
    pattern = re.compile(b"|".join(re.escape(form) for form in forms.values()))
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5) as broker:
        for key in broker.scan_iter(count=1000):
            if pattern.search(key) or any(pattern.search(value) for value in values_of(broker, key)):
                yield "key or value"
                return


def values_of(broker: redis.Redis, key: bytes) -> Iterator[Any]:
    """Everything that is kept under one key, whatever its type."""
    kind = broker.type(key)
    if kind == b"string":
        yield broker.get(key) or b""
    elif kind == b"list":
        yield from broker.lrange(key, 0, -1)
    elif kind == b"hash":
        for name, value in broker.hscan_iter(key):
            yield from (name, value)
    elif kind == b"set":
        yield from broker.sscan_iter(key)
    elif kind == b"zset":
        yield from (member for member, _score in broker.zscan_iter(key))
