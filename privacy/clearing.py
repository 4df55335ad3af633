"""Carries out fates as sets: rows deleted, anonymized or blocked, with their children, history, files and references.

Everything here runs inside the caller's transaction and asks for ids or persons; a batch is done whole or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, models
from django.db.models import Model
from django.utils import timezone

from privacy.classifying import HELD, Found, People
from privacy.compiling import Strand, Table, children, pointing_at, tables
from privacy.verdicts import ANONYMIZE, BLOCK, DELETE, KEEP
from vault.fields import SealedField


@dataclass
class Done:
    """What was done: (model label, action) -> rows; and what history lost by model label."""

    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    history: Counter[str] = field(default_factory=Counter)

    def note(self, label: str, action: str, count: int) -> None:
        """Count rows."""
        if count:
            self.rows[label, action] += count


def begin_erasing() -> None:
    """Let this transaction end what otherwise stands for ever: issued documents (AO § 146(4))."""
    run("SET LOCAL obhut.erasing = 'on'")


def clear(people: People, found: Iterable[Found], whole: Container[str] = ()) -> Done:
    """Carry out the fates of all rows about these persons, the person's own rows last; of tables named in `whole`
    every row goes (`classifying.gone_whole`)."""
    done = Done()
    by_table: dict[str, list[Found]] = {}
    for one in found:
        by_table.setdefault(one.table.label, []).append(one)
    for table in tables().values():
        if table.label in whole:
            _delete_whole(table, people, done)
        elif table.parent is None:
            _clear_table(table, by_table.get(table.label, []), people, done)
    _clear_by_number(people, done)
    return done


def _clear_table(table: Table, found: list[Found], people: People, done: Done) -> None:
    ids: dict[int, list[Any]] = {}
    for one in found:
        if one.owned:
            ids.setdefault(one.fate, []).extend(one.ids)
        else:
            _leave_other(table, one, people, done)
    for one in found:
        if one.owned and one.fate in (BLOCK, KEEP, HELD):
            _clear_strands(table, one)
    block(table, ids.get(BLOCK, []), people, done)
    keep(table, ids.get(KEEP, []), people, done)
    for one in found:
        if one.owned and one.fate == ANONYMIZE:
            anonymize(table, one.ids, done, _matched(table, one))
    delete(table, ids.get(DELETE, []), done)
    done.note(table.label, "keep", len(ids.get(HELD, [])))
    _clear_history(table, people, ids.get(HELD, []), done)


# --- one fate after the other -------------------------------------------------------------------------------


def delete(table: Table, ids: list[Any], done: Done) -> None:
    """Delete rows with their children, history and files, and cut what still points at them."""
    if not ids:
        return
    for child in children(table):
        delete(child, _ids_of(child, ids), done)
    queue_files(table, ids)
    forget_history(table, ids, done)
    _cut_references(table, ids)
    count = run(f"DELETE FROM {table.name} WHERE {table.key} = ANY(%s)", [ids])  # noqa: S608
    done.note(table.label, "delete", count)


def _delete_whole(table: Table, people: People, done: Done) -> None:
    """Delete every row of these persons by the column that names them; nothing hangs on any."""
    owner = f'"{table.model._meta.get_field(table.owner).column}"'
    statement = f"DELETE FROM {table.name} WHERE {owner} = ANY(%s)"  # noqa: S608
    if table.history is None:
        done.note(table.label, "delete", run(statement, [people.ids]))
        return
    ids = column_of(f"{statement} RETURNING {table.key}", [people.ids])
    done.note(table.label, "delete", len(ids))
    forget_history(table, ids, done)
    _clear_history(table, people, [], done)


def anonymize(table: Table, ids: list[Any], done: Done, strands: Iterable[Strand] | None = None) -> None:
    """Set what the declaration says of these strands and cut the link to the person the row is about; where the row
    as a whole is over (`strands` None), the links to all.

    A row whose link cannot be cut, or of which nothing would change, is deleted.
    """
    if not ids:
        return
    if not table.can_be_anonymized:
        delete(table, ids, done)
        return
    told = table.told_by if strands is None else strands
    values = {name: value for strand in told for name, value in strand.anonymized().items()}
    whose = [table.owner] if strands is not None else [table.owner, *table.people()]
    owner = {name: None for name in (*whose, table.declaration.subject_ref) if name}
    if _has_field(table, "blocked_at"):
        owner["blocked_at"] = None
    for child in children(table):
        _anonymize_children(child, ids, done)
    queue_files(table, ids)
    forget_history(table, ids, done)
    count = _set(table, ids, {**values, **owner})
    _cut_ways(table, ids)
    done.note(table.label, "anonymize", count)


def block(table: Table, ids: list[Any], people: People, done: Done) -> None:
    """Cut rows from their person and keep them under the opaque mark; children and files stay with them."""
    if not ids:
        return
    if not table.blockable:
        raise CannotBlock(table.label)
    forget_history(table, ids, done)
    _cut(table, ids)
    count = _mark(table, ids, people, blocked=True)
    done.note(table.label, "block", count)


def _cut(table: Table, ids: list[Any]) -> None:
    """Empty what would lead from a blocked row, or from its children, to a row that stays without a name."""
    if not ids:
        return
    if table.declaration.cut:
        _set(table, ids, dict.fromkeys(table.declaration.cut))
    for child in children(table):
        _cut(child, _ids_of(child, ids))


def keep(table: Table, ids: list[Any], people: People, done: Done) -> None:
    """Cut rows from their person; they hold no name and stay under the opaque mark."""
    if not ids:
        return
    forget_history(table, ids, done)
    done.note(table.label, "keep", _mark(table, ids, people, blocked=False))


class CannotBlock(Exception):
    """A rule says "block", and the model has no mark to be blocked by: the declaration must be mended."""


def _mark(table: Table, ids: list[Any], people: People, *, blocked: bool) -> int:
    owner = f'"{table.model._meta.get_field(table.owner).column}"'
    sets = [f"{owner} = NULL"]
    if table.declaration.subject_ref:
        sets.append(f'"{table.model._meta.get_field(table.declaration.subject_ref).column}" = e.ref')
    if blocked:
        sets.append("blocked_at = %(now)s")
    return run(
        f"UPDATE {table.name} r SET {', '.join(sets)} FROM unnest(%(people)s::bigint[], %(refs)s::uuid[]) e (id, ref) "  # noqa: S608
        f"WHERE r.{table.key} = ANY(%(ids)s) AND r.{owner} = e.id",
        {"now": timezone.now(), "people": people.ids, "refs": people.refs, "ids": ids},
    )


def _leave_other(table: Table, found: Found, people: People, done: Done) -> None:
    """The row is about somebody else first: only what it says about these persons goes, and the link to them."""
    strands = [strand for strand in table.strands if strand.group.subject_paths]
    for strand, fate in zip(strands, found.fates, strict=True):
        if not fate or fate == HELD:
            continue
        path = strand.group.subject_paths[0]
        values: dict[str, Any] = {path: None} if "__" not in path else {}
        # A row that goes on about somebody else is not blocked: what can be emptied is; a paper stays as issued.
        if fate in (DELETE, ANONYMIZE) or (fate == BLOCK and strand.anonymized()):
            values |= cleared(table, strand)
        _set(table, found.ids, values)
        _clear_history_strand(table, strand, path, people)
        done.note(table.label, "anonymize", found.count)


def _matched(table: Table, found: Found) -> list[Strand]:
    """The strands that are about these persons: what a row says of a gift's recipient is not theirs to take."""
    strands = [strand for strand in table.strands if strand.group.subject_paths]
    return [strand for strand, fate in zip(strands, found.fates, strict=True) if fate]


def _clear_strands(table: Table, found: Found) -> None:
    """The row stays, but not all of it: fields that nothing keeps are emptied (C5)."""
    strands = [strand for strand in table.strands if strand.group.subject_paths]
    values: dict[str, Any] = {}
    for strand, fate in zip(strands, found.fates, strict=True):
        if fate in (DELETE, ANONYMIZE):
            values |= cleared(table, strand)
    if values:
        _set(table, found.ids, values)


def cleared(table: Table, strand: Strand) -> dict[str, Any]:
    """What the fields of a strand are set to where the row stays: as declared, else to nothing."""
    values = strand.anonymized()
    if values:
        return values
    emptied: dict[str, Any] = {}
    own = {f.name for f in table.model._meta.concrete_fields}
    for name in strand.fields:
        if name not in own:
            continue
        column = table.model._meta.get_field(name)
        if column.generated or column.primary_key or column.is_relation:
            continue
        emptied[name] = None if column.null else _nothing(column)
    return emptied


def _nothing(column: Any) -> Any:
    if column.has_default():
        return column.get_default()
    return "" if isinstance(column, models.CharField | models.TextField) else 0


def _set(table: Table, ids: list[Any], values: dict[str, Any], *, of: str = "") -> int:
    """UPDATE with values as the fields store them; the blind indexes of emptied fields go with them. `of` is the column
    that the ids are of, where it is not the key."""
    if not ids:
        return 0
    sets, params = [], []
    for name, value in values.items():
        column = table.model._meta.get_field(name)
        if hasattr(value, "resolve_expression"):
            text, more = _expression(table.model, value)
            sets.append(f'"{column.column}" = {text}')
            params += more
            continue
        sets.append(f'"{column.column}" = %s')
        params.append(_stored(column, value))
        if isinstance(column, SealedField):
            sets += [f'"{index.column}" = NULL' for index in column.dependants]
    if not sets:
        return len(ids)
    return run(f"UPDATE {table.name} SET {', '.join(sets)} WHERE {of or table.key} = ANY(%s)", [*params, ids])  # noqa: S608


def _stored(column: Any, value: Any) -> Any:
    return column.get_db_prep_value(value, connection)


def _expression(model: type[Model], value: Any) -> tuple[str, list[Any]]:
    """An ORM expression over the row's own columns as SQL."""
    query = model._base_manager.all().query
    compiler = query.get_compiler(connection=connection)
    text, params = compiler.compile(value.resolve_expression(query, allow_joins=False))
    return text.replace(f'"{model._meta.db_table}".', ""), list(params)


# --- what hangs on a row ------------------------------------------------------------------------------------


def _ids_of(child: Table, parents: list[Any]) -> list[Any]:
    return column_of(f"SELECT {child.key} FROM {child.name} WHERE {child.parent_column} = ANY(%s)", [parents])  # noqa: S608


def _anonymize_children(child: Table, parents: list[Any], done: Done) -> None:
    values = {name: value for strand in child.strands for name, value in strand.anonymized().items()}
    if values and not child.declaration.files and child.history is None:
        done.note(child.label, "anonymize", _set(child, parents, values, of=child.parent_column))
        return
    ids = _ids_of(child, parents)
    if not values:
        delete(child, ids, done)
        return
    queue_files(child, ids)
    forget_history(child, ids, done)
    done.note(child.label, "anonymize", _set(child, ids, values))


def queue_files(table: Table, ids: list[Any]) -> None:
    """Note the files of rows that go; they are removed once this transaction stands."""
    for name in table.declaration.files:
        column = table.model._meta.get_field(name).column
        run(
            "INSERT INTO privacy_fileremoval (field, name, queued_at, attempts) "  # noqa: S608
            f'SELECT %s, "{column}", now(), 0 FROM {table.name} WHERE {table.key} = ANY(%s) AND "{column}" <> \'\'',
            [f"{table.model._meta.label_lower}.{name}", ids],
        )


def forget_history(table: Table, ids: list[Any], done: Done) -> None:
    """Delete the history of these rows (HISTORY ends with its row)."""
    if table.history is None or not ids:
        return
    key = table.history._meta.get_field(table.model._meta.pk.name).column
    count = run(f'DELETE FROM "{table.history._meta.db_table}" WHERE "{key}" = ANY(%s)', [ids])  # noqa: S608
    if count:
        done.history[table.history._meta.label] += count


def _clear_history(table: Table, people: People, held: list[Any], done: Done) -> None:
    """History about these persons whose rows went long ago; the history of rows that a case keeps stays."""
    if table.history is None or table.owner is None or "__" in table.owner or table.owner == "pk":
        return
    meta = table.history._meta
    key, owner = meta.get_field(table.model._meta.pk.name).column, meta.get_field(table.owner).column
    rest = f' AND NOT ("{key}" = ANY(%s))' if held else ""
    params = [people.ids, *([held] if held else [])]
    count = run(f'DELETE FROM "{meta.db_table}" WHERE "{owner}" = ANY(%s){rest}', params)  # noqa: S608
    if count:
        done.history[meta.label] += count


def _clear_history_strand(table: Table, strand: Strand, path: str, people: People) -> None:
    """The same strand in the history of rows that are about somebody else first."""
    if table.history is None or "__" in path:
        return
    names = {field.name for field in table.history._meta.concrete_fields}
    values = {name: value for name, value in cleared(table, strand).items() if name in names}
    own = {path: None, **values}
    sets, params = [], []
    for name, value in own.items():
        column = table.history._meta.get_field(name)
        sets.append(f'"{column.column}" = %s')
        params.append(_stored(column, value))
    column = table.history._meta.get_field(path).column
    run(
        f'UPDATE "{table.history._meta.db_table}" SET {", ".join(sets)} WHERE "{column}" = ANY(%s)',  # noqa: S608
        [*params, people.ids],
    )


def _cut_references(table: Table, ids: list[Any]) -> None:
    """Rows that point at what goes and stay themselves: the pointer is emptied, or the row goes with it."""
    for relation in pointing_at(table):
        model, column = relation.related_model, f'"{relation.field.column}"'
        name = f'"{model._meta.db_table}"'
        if relation.field.null:
            run(f"UPDATE {name} SET {column} = NULL WHERE {column} = ANY(%s)", [ids])  # noqa: S608
        elif model._meta.label not in tables():
            run(f"DELETE FROM {name} WHERE {column} = ANY(%s)", [ids])  # noqa: S608


def _cut_ways(table: Table, ids: list[Any]) -> None:
    """Rows that still name their person lead no longer to a row that is about nobody now, nor to its children."""
    _cut_pointers(table, "= ANY(%s)", ids)
    for child in children(table):
        rows = f"IN (SELECT {child.key} FROM {child.name} WHERE {child.parent_column} = ANY(%s))"  # noqa: S608
        _cut_pointers(child, rows, ids)


def _cut_pointers(table: Table, rows: str, ids: list[Any]) -> None:
    for relation in pointing_at(table):
        other = tables().get(relation.related_model._meta.label)
        if other is not None and relation.field.name in other.declaration.cut:
            column = f'"{relation.field.column}"'
            run(f"UPDATE {other.name} SET {column} = NULL WHERE {column} {rows}", [ids])  # noqa: S608


def _clear_by_number(people: People, done: Done) -> None:
    """Rows of lower apps that know the person by number only (access log), of persons of whom not everything stays."""
    kept = people.kept_whole
    numbers = [number for number in people.numbers if number not in kept]
    for table in tables().values():
        for strand in table.strands:
            number = strand.number
            if number is None or number.of != "number":
                continue
            column = f'"{table.model._meta.get_field(number.column).column}"'
            ids = column_of(
                f"SELECT {table.key} FROM {table.name} WHERE {column} = ANY(%s)",  # noqa: S608
                [numbers],
            )
            values = cleared(table, strand)
            done.note(table.label, "anonymize", _set(table, ids, values) if ids else 0)


def _has_field(table: Table, name: str) -> bool:
    return any(field.name == name for field in table.model._meta.concrete_fields)


def run(statement: str, params: Any = None) -> int:
    """Execute one statement; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.rowcount


def column_of(statement: str, params: Any = None) -> list[Any]:
    """The first column of an answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return [row[0] for row in cursor.fetchall()]
