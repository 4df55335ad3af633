"""Takes an uploaded file in: looked at, sealed, and made a batch that waits for its columns to be confirmed."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from intake.mapping import OPTIONS, MappingError, fingerprint, suggestion, targets_of
from intake.models import Batch, SavedMapping
from intake.planning import plan_import
from intake.profiles import detect, plain_profile, profile_for
from intake.profiles.declaring import (
    CUSTOMERS,
    LINE_TARGETS,
    LINES,
    OFFERED_OF_ORDERS,
    ORDERS,
    Columns,
    Profile,
    is_secret,
)
from intake.reading import open_table
from intake.storage import opener_of
from intake.tables import Broken, Opener, Table, UnreadableFile
from intake.tasks import work_on_batch
from intake.wording import OptionWords, label_of, option_words

SAMPLES = 3
LONGEST_SAMPLE = 60
SHORT = 12
"""So many columns are shown in one table; of a wider file those without a meaning are folded away."""
State = Batch.State


@dataclass(frozen=True)
class Column:
    """One column of the file on the mapping page."""

    name: str
    samples: list[str]
    refused: bool
    known_as: list[str]
    field: str
    target: str


def take_in(kind: str, file: UploadedFile, lines_file: UploadedFile | None, user_id: int | None) -> Batch:
    """Store an uploaded file sealed. Raises UnreadableFile or UnknownProfile before anything is stored."""
    table = open_table(_opener(file))
    lines = open_table(_opener(lines_file)) if lines_file else None
    found = detect(table.header, kind)
    batch = Batch(
        kind=kind,
        profile=(found or plain_profile(kind)).key,
        user_id=user_id,
        header=table.header,
        lines_header=lines.header if lines else [],
        file_name=(file.name or "")[:255],
        lines_name=(lines_file.name or "")[:255] if lines_file else "",
    )
    try:
        batch.file.save("file", file, save=False)
        if lines_file:
            batch.lines_file.save("lines", lines_file, save=False)
        batch.save()
    except BaseException:
        # Nobody would ever find a file that no batch names.
        for stored in (batch.file, batch.lines_file):
            if stored:
                stored.delete(save=False)
        raise
    return batch


def _opener(file: UploadedFile) -> Opener:
    """An upload is read from its start each time and closed by the request alone."""

    def open_again() -> Any:
        file.open()
        file.seek(0)
        return _Unclosed(file)

    return open_again


class _Unclosed:
    """A file whose close() is somebody else's business."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.closed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file.file, name)

    def __enter__(self) -> _Unclosed:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def close(self) -> None:
        pass


def stored_table(batch: Batch, *, lines: bool = False) -> Table:
    """The table in the stored file of a batch."""
    file = batch.lines_file if lines else batch.file
    if not file:
        raise UnreadableFile("")
    return open_table(opener_of(file))


def columns_of(batch: Batch, profile: Profile, given: dict[str, Any] | None = None) -> list[Column]:
    """The columns of the file with samples and what each would be read as."""
    table = stored_table(batch)
    kept = given if given is not None else _kept(batch, profile)
    if kept is None:
        kept = suggestion(profile.kind, table.header) if profile.key == "plain" else {}
    chosen = {name: target for target, name in kept.items() if isinstance(name, str) and target not in OPTIONS}
    own = Columns(table.header, profile.fields)
    known: dict[str, list[str]] = {}
    for target, name in own.mapping.items():
        known.setdefault(name, []).append(label_of(target))
    return _columns(table, "column", chosen, known)


def line_columns_of(batch: Batch, profile: Profile, given: dict[str, Any] | None = None) -> list[Column]:
    """The same for the second file."""
    table = stored_table(batch, lines=True)
    kept = given if given is not None else _kept(batch, profile)
    lines = kept.get("lines") if kept is not None else suggestion(LINES, table.header)
    return _columns(table, "line", {name: target for target, name in (lines or {}).items()}, {})


def told_and_rest(columns: list[Column]) -> tuple[list[Column], list[Column]]:
    """The columns that mean something, and those that are left out; a short table stays in one piece."""
    told = [column for column in columns if column.target or column.known_as or column.refused]
    if not told or len(columns) <= SHORT:
        return columns, []
    return told, [column for column in columns if column not in told]


def _columns(table: Table, prefix: str, chosen: dict[str, str], known: dict[str, list[str]]) -> list[Column]:
    rows = [cells for _place, cells in itertools.islice(table.records(), SAMPLES) if not isinstance(cells, Broken)]
    return [
        Column(
            name,
            [] if is_secret(name) else [row[place][:LONGEST_SAMPLE] for row in rows if row[place]],
            is_secret(name),
            known.get(name, []),
            f"{prefix}-{place}",
            chosen.get(name, ""),
        )
        for place, name in enumerate(table.header)
        if name
    ]


def _kept(batch: Batch, profile: Profile) -> dict[str, Any] | None:
    """What was chosen for this batch before, or the last time for a file with the same columns."""
    if batch.mapping:
        return batch.mapping
    mark = fingerprint(batch.kind, profile.key, batch.header, batch.lines_header)
    saved = SavedMapping.objects.filter(fingerprint=mark).first()
    return saved.mapping if saved else None


def options_of(batch: Batch, profile: Profile, given: dict[str, Any] | None = None) -> list[tuple[OptionWords, str]]:
    """What may be said about the file beside its columns, and what is chosen."""
    kept = (given if given is not None else _kept(batch, profile)) or {}
    names = ["numbers"] if profile.key == "plain" and profile.kind == CUSTOMERS else []
    names += ["decimals"] if profile.kind == ORDERS else []
    names += ["discount_as"] if batch.lines_file else []
    return [(option_words(name), str(kept.get(name, ""))) for name in names]


def choices_for(profile: Profile) -> list[tuple[str, str]]:
    """The targets a column may be given to, those of which something comes."""
    offered = OFFERED_OF_ORDERS if profile.kind == ORDERS else targets_of(profile)
    return [(target, label_of(target)) for target in offered]


def line_choices() -> list[tuple[str, str]]:
    """The targets a column of the second file may be given to."""
    return [(target, label_of(target)) for target in LINE_TARGETS]


def posted_mapping(batch: Batch, data: Any) -> dict[str, Any]:
    """The mapping a person chose on the page. Raises MappingError where two columns claim one target."""
    mapping: dict[str, Any] = _posted(batch.header, "column", data)
    if batch.lines_file:
        mapping["lines"] = _posted(batch.lines_header, "line", data)
    return mapping | {name: data[name] for name in OPTIONS if data.get(name)}


def _posted(header: list[str], prefix: str, data: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, name in enumerate(header):
        target = data.get(f"{prefix}-{place}", "")
        if not target:
            continue
        if target in found:
            raise MappingError(
                _both(label_of(target), found[target], name),
            )
        found[target] = name
    return found


def _both(target: str, one: str, other: str) -> str:
    return _("“%(target)s” is given to two columns: %(one)s and %(other)s.") % {
        "target": target, "one": one[:60], "other": other[:60],
    }  # fmt: skip


def ask_for_check(batch: Batch, profile_key: str, mapping: dict[str, Any], version: int, user_id: int | None) -> bool:
    """Have the file checked with these columns; False where somebody was quicker.

    Raises UnknownProfile, MappingError or UnreadableFile where the columns cannot be read so.
    """
    profile = profile_for(profile_key, batch.kind)
    lines = opener_of(batch.lines_file) if batch.lines_file else None
    plan_import(batch.kind, opener_of(batch.file), lines, profile_key, mapping)
    with transaction.atomic():
        mark = fingerprint(batch.kind, profile.key, batch.header, batch.lines_header)
        SavedMapping.keep(mark, batch.kind, mapping, user_id)
        changed = Batch.objects.filter(
            pk=batch.pk, version=version, origin__isnull=True, state__in=(State.UPLOADED, State.CHECKED, State.FAILED)
        ).update(
            profile=profile.key, mapping=mapping, state=State.CHECKING, failure="", position=0, attempts=0,
            version=F("version") + 1,
        )  # fmt: skip
        if changed:
            transaction.on_commit(lambda: wake(batch.pk))
    return bool(changed)


def start(batch_id: uuid.UUID, version: int) -> bool:
    """Have a checked or stopped batch run; False where it already does or was changed."""
    with transaction.atomic():
        changed = Batch.objects.filter(
            pk=batch_id, version=version, state__in=(State.CHECKED, State.FAILED)
        ).exclude(file="").update(
            state=State.QUEUED, failure="", attempts=0, lease=None, lease_until=None, version=F("version") + 1
        )  # fmt: skip
        if changed:
            transaction.on_commit(lambda: wake(batch_id))
    return bool(changed)


def wake(batch_id: uuid.UUID) -> None:
    """Wake a worker; without a broker the sweep finds the batch within a minute."""
    try:
        work_on_batch.delay(str(batch_id))
    except OperationalError:
        return
