"""The written form of vault keys: one a line, `kind:id:base64[:write]`."""

import base64
import binascii
import os
import secrets
import tempfile
from pathlib import Path
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured
from django.views.decorators.debug import sensitive_variables

KINDS = ("seal", "index", "list")
KEY_BYTES = 32
LAST_ID = 65535


class Entry(NamedTuple):
    """One parsed line; lives only until the ring is built."""

    kind: str
    id: int
    secret: bytes
    writes: bool

    def __repr__(self) -> str:
        return f"<key {self.kind}:{self.id}>"


@sensitive_variables()
def parse(text: str, source: str) -> list[Entry]:
    """The entries of a key text. Raises ImproperlyConfigured, naming the line and never its content."""
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        for word in line.split("#")[0].replace(",", " ").split():
            entry, fault = _entry(word)
            if entry is None:
                raise ImproperlyConfigured(f"{source}, line {number}: {fault}.")
            entries.append(entry)
    if fault := _fault(entries):
        raise ImproperlyConfigured(f"{source}: {fault}.")
    return [e._replace(writes=e.writes or sum(o.kind == e.kind for o in entries) == 1) for e in entries]


@sensitive_variables()
def _entry(word: str) -> tuple[Entry | None, str]:
    kind, _, rest = word.partition(":")
    key_id, _, rest = rest.partition(":")
    encoded, _, mark = rest.partition(":")
    if kind not in KINDS:
        return None, "a key line begins with seal, index or list"
    if not (key_id.isascii() and key_id.isdigit() and 1 <= int(key_id[:9]) <= LAST_ID):
        return None, f"the id of the {kind} key must be a number from 1 to {LAST_ID}"
    if mark not in ("", "write"):
        return None, f"after the key {kind}:{int(key_id)} only the word write may follow"
    try:
        secret = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None, f"the key {kind}:{int(key_id)} is not whole base64; was it cut off"
    if len(secret) != KEY_BYTES:
        return None, f"the key {kind}:{int(key_id)} has {len(secret)} bytes instead of {KEY_BYTES}"
    return Entry(kind, int(key_id), secret, mark == "write"), ""


def _fault(entries: list[Entry]) -> str:
    """What is wrong with the keys taken together, or nothing."""
    seen: dict[tuple[str, int], bytes] = {}
    for entry in entries:
        if (entry.kind, entry.id) in seen:
            return f"the key {entry.kind}:{entry.id} is there twice"
        if entry.secret in seen.values():
            return f"the key {entry.kind}:{entry.id} repeats another key; every key must be its own"
        if len(set(entry.secret)) == 1:
            return f"the key {entry.kind}:{entry.id} is no random key"
        seen[entry.kind, entry.id] = entry.secret
    for kind in KINDS:
        of_kind = [e for e in entries if e.kind == kind]
        if not of_kind:
            return f"there is no {kind} key"
        writing = sum(e.writes for e in of_kind)
        if writing > 1 or (writing == 0 and len(of_kind) > 1):
            return f"exactly one {kind} key must carry the word write, {writing} do"
    return ""


@sensitive_variables()
def new_line(kind: str, key_id: int, *, writes: bool = True) -> str:
    """A fresh random key as a line."""
    encoded = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    return f"{kind}:{key_id}:{encoded}{':write' if writes else ''}"


def read(path: str | Path) -> str:
    """The text of a key file. Raises ImproperlyConfigured."""
    try:
        return Path(path).read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"The vault key file {path} is not a text file.") from None
    except OSError as error:
        raise ImproperlyConfigured(f"The vault key file {path} cannot be read: {error.strerror}.") from None


@sensitive_variables()
def ensure(path: Path) -> Path:
    """Make a key file for development, mode 0600, unless there is one; safe when processes race."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".vault-")  # mkstemp gives mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write("# Keys of this development machine. Delete them and its sealed data is lost.\n")
            file.write("\n".join(new_line(kind, 1) for kind in KINDS) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # whole or not at all; whoever comes second finds the first one's keys
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
    return path
