"""Brings sealed values under the writing seal key, and blind indexes under the writing index key."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from vault.columns import all_stores, count_by_key, index_columns, quoted, seal_uses, sealed_columns
from vault.fields import BlindIndexField, SealedField
from vault.keyring import Key, SealError, keyring
from vault.models import KeyRecord, Rotation

BATCH = 1000
PASSES = 3  # a process that still writes with the old key may add values behind the cursor
NAMED = 100  # unreadable values named in a report
LOCK = 7_061_884_231  # advisory lock: one rotation at a time

Progress = Callable[[int], None]


class Refused(Exception):
    """A guard wants a person; the message says why."""


@dataclass
class Outcome:
    """What a run did."""

    to: Key
    from_ids: list[int]
    done: int = 0
    left: int = 0
    unreadable: list[str] = field(default_factory=list)

    def note(self, sealed: SealedField, pk: Any) -> None:
        """Remember the first values that did not open, by their place."""
        place = f"{sealed.model._meta.label} {pk} {sealed.name}"
        if len(self.unreadable) < NAMED and place not in self.unreadable:
            self.unreadable.append(place)


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            raise Refused("Another rotation is running.")
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def rotate_seals(progress: Progress = lambda count: None) -> Outcome:
    """Re-seal every value that names an older key, batch by batch, each in its own transaction.

    May be killed at any point and started again; both keys are readable meanwhile. A value that
    does not open is left as it is and named in the outcome. Raises Refused.
    """
    ring = keyring()
    to = ring.writing("seal")
    outcome = Outcome(to, sorted(set(seal_uses()) - {to.id}))
    with _alone():
        for model, fields in sealed_columns().items():
            for _pass in range(PASSES):
                left = _others(model, fields, to)
                outcome.done += _pass_over(model, fields, to, left, outcome, progress) if left else 0
                if not left:
                    break
        for store in all_stores():
            for count in store.reseal():
                outcome.done += count
                progress(count)
    outcome.left = sum(count for key_id, count in seal_uses().items() if key_id != to.id)
    return outcome


def _others(model: type[models.Model], fields: list[SealedField], to: Key) -> int:
    return sum(count for key_id, count in count_by_key(model, fields).items() if key_id != to.id)


def _pass_over(
    model: type[models.Model],
    fields: list[SealedField],
    to: Key,
    left: int,
    outcome: Outcome,
    progress: Progress,
) -> int:
    state = _begin("seal", to, model, outcome.from_ids)
    state.left = left
    done = 0
    names = [str(f.column) for f in fields]
    head = to.id.to_bytes(2, "big")
    resealers = [_resealer(f, head, outcome) for f in fields]
    where = " OR ".join(f"substring({c} FROM 2 FOR 2) <> %s" for c in quoted(connection, *names))
    while True:
        with transaction.atomic():
            rows = _next_rows(model, names, state.last_pk, where, [head] * len(names))
            if not rows:
                _end(state)
                return done
            count, changed = 0, []
            for pk, *cells in rows:
                fresh = [reseal(cell, pk) for reseal, cell in zip(resealers, cells, strict=True)]
                count += sum(new is not old for new, old in zip(fresh, cells, strict=True))
                changed.append((pk, *fresh))
            _write_rows(model, names, changed)
            _advance(state, rows[-1][0], count)
        done += count
        progress(count)


def _resealer(sealed: SealedField, head: bytes, outcome: Outcome) -> Callable[[Any, Any], Any]:
    """Brings one cell under the writing key; what is there already, or does not open, stays as it is."""
    opened, seal = keyring().opener(sealed.label), keyring().sealer(sealed.label)

    def reseal(cell: Any, pk: Any) -> Any:
        if cell is None or cell[1:3] == head:
            return cell
        try:
            return seal(opened(cell))
        except SealError:
            outcome.note(sealed, pk)
            return cell

    return reseal


def rotate_indexes(progress: Progress = lambda count: None) -> Outcome:
    """Recompute every blind index from its sealed source under the writing index key.

    Also what to run after a normalizer has changed. Resumable like `rotate_seals`; a finished run
    starts anew. Raises Refused.
    """
    to, *others = keyring().of_kind("index")
    outcome = Outcome(to, sorted(key.id for key in others))
    with _alone():
        for model, fields in index_columns().items():
            outcome.done += _recompute(model, fields, to, outcome, progress)
    return outcome


def _recompute(
    model: type[models.Model], fields: list[BlindIndexField], to: Key, outcome: Outcome, progress: Progress
) -> int:
    state = _begin("index", to, model, outcome.from_ids)
    sources: list[Any] = [model._meta.get_field(f.source) for f in fields]
    names = [str(f.column) for f in fields]
    done = 0
    while True:
        with transaction.atomic():
            rows = _next_rows(model, names + [str(s.column) for s in sources], state.last_pk, "TRUE", [])
            if not rows:
                _end(state)
                return done
            count, changed = 0, []
            for pk, *cells in rows:
                old, sealed = cells[: len(fields)], cells[len(fields) :]
                fresh = [_reblinded(*three, pk, outcome) for three in zip(fields, sources, sealed, strict=True)]
                differing = sum(new != was for new, was in zip(fresh, old, strict=True))
                if differing:
                    count += differing
                    changed.append((pk, *fresh))
            _write_rows(model, names, changed)
            _advance(state, rows[-1][0], count)
        done += count
        progress(count)


def _reblinded(index: BlindIndexField, source: SealedField, sealed: Any, pk: Any, outcome: Outcome) -> Any:
    try:
        return index.blind(source.open(sealed))
    except SealError:
        outcome.note(source, pk)
        outcome.left += 1
        return None  # a value nobody can read is found by nobody


def _begin(kind: str, to: Key, model: type[models.Model], from_ids: list[int]) -> Rotation:
    """The state of an unfinished run in this table, or a new one from the first row."""
    state, _ = Rotation.objects.get_or_create(kind=kind, to_id=to.id, model_label=model._meta.label)
    if state.finished_at:
        state.last_pk, state.done, state.started_at, state.finished_at = "", 0, timezone.now(), None
    state.from_ids = ",".join(map(str, from_ids))
    state.save()
    return state


def _advance(state: Rotation, last_pk: Any, count: int) -> None:
    state.last_pk = str(last_pk)
    state.done += count
    state.left = max(state.left - count, 0)
    state.save(update_fields=["last_pk", "done", "left"])


def _end(state: Rotation) -> None:
    state.finished_at = timezone.now()
    state.left = 0
    state.save(update_fields=["finished_at", "left"])


def _pk_type(model: type[models.Model]) -> str:
    return str(model._meta.pk.rel_db_type(connection))


def _next_rows(
    model: type[models.Model], columns: list[str], last_pk: str, where: str, params: list[Any]
) -> list[tuple[Any, ...]]:
    """The next batch by primary key, locked so that no newer value is overwritten."""
    pk, table, *names = quoted(connection, model._meta.pk.column, model._meta.db_table, *columns)
    after = f"{pk} > %s::{_pk_type(model)} AND" if last_pk else ""
    sql = (
        f"SELECT {pk}, {', '.join(names)} FROM {table} "  # noqa: S608
        f"WHERE {after} ({where}) ORDER BY {pk} LIMIT {BATCH} FOR UPDATE"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, ([last_pk] if last_pk else []) + params)
        return cursor.fetchall()


def _write_rows(model: type[models.Model], columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    pk, table, *names = quoted(connection, model._meta.pk.column, model._meta.db_table, *columns)
    arrays = ", ".join([f"%s::{_pk_type(model)}[]", *["%s::bytea[]"] * len(names)])
    sql = (
        f"UPDATE {table} SET {', '.join(f'{n} = fresh.{n}' for n in names)} "  # noqa: S608
        f"FROM unnest({arrays}) AS fresh(row_key, {', '.join(names)}) WHERE {table}.{pk} = fresh.row_key"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(column) for column in zip(*rows, strict=True)])


def retire(kind: str, key_id: int, uses: int, *, dry_run: bool = False) -> None:
    """Mark a key as no longer needed. Raises Refused while anything names it, or it writes."""
    if any(key.id == key_id and key.writes for key in keyring().of_kind(kind)):
        raise Refused(f"The key {kind}:{key_id} still writes; let another one write first.")
    if uses:
        raise Refused(f"{uses} values still name the key {kind}:{key_id}; run vault_rotate first.")
    if dry_run:
        return
    KeyRecord.objects.filter(kind=kind, key_id=key_id, retired_at=None).update(retired_at=Now())
