"""Puts a package together, piece by piece: named files, tables, explanations, the copy for people, the manifest."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from customers.models import Customer
from datamap.catalogue import cited
from datamap.controlling import legal_zone
from datamap.declarations import registry
from datamap.packages import ACCESS, Card, Nested, Part, Row, cards, parts
from datamap.subjects import Subject
from privacy.packages.collecting import Read, Reader
from privacy.packages.compiling import Section, Wanted, sections
from privacy.packages.describing import described, processing
from privacy.packages.fetching import Ahead
from privacy.packages.html import Page, title_of
from privacy.packages.manifest import manifest
from privacy.packages.nesting import KEPT_FOR_CARDS, Children, objects_of
from privacy.packages.ordering import Assembly, Order
from privacy.packages.pdf import Paper, Setter
from privacy.packages.schemas import PROCESSING_SCHEMA, data_package, item_schemas, schema_of
from privacy.packages.screening import Screen
from privacy.packages.showing import IN_HTML, IN_PDF, shown
from privacy.packages.writing import Archive, Encoder, Table, pretty

JSON, CSV = "application/json", "text/csv; charset=utf-8; header=present"
BINARY = "application/octet-stream"
LONG = 1_000
# By kind, file, language and models: the same for everybody.
_SCHEMAS: dict[tuple[Any, ...], bytes] = {}
_SAFE_TYPE = re.compile(r"[a-z0-9]{1,5}")


class Assembler:
    """One package under way."""

    def __init__(self, order: Order, screen: Screen) -> None:
        self.order = order
        self.screen = screen
        self.result = Assembly()
        self._archive = Archive()
        self._sections = {section.label: section for section in sections(order.kind)}
        self._tables: list[tuple[str, Section, int]] = []
        self._cards = [card for card in cards() if order.kind in card.kinds]
        self._kept: dict[str, list[Row]] = {label: [] for card in self._cards for label in card.models}
        self._files: list[tuple[Section, str, Any, str, str]] = []

    def pieces(self) -> Generator[bytes, None, None]:
        """The ZIP. Runs in the language of the person; raises what reading, typesetting or the disk raises."""
        with ExitStack() as self._stack:
            self._reader = Reader(self.order.subject, self.screen, self._stack.enter_context(Ahead()))
            self._setter = Setter()
            self._stack.callback(self._setter.close)
            self._stack.callback(self._archive.abandon)
            self._description = described(self.order.subject, self.order.kind)
            self._zone = legal_zone(self._description.controller)
            self._encoder = Encoder(self._zone)
            self._page, self._paper = Page(self._zone), Paper(self._zone)
            self._stack.callback(self._page.close)
            yield from self._data()
            yield from self._explanations()
            yield from self._attachments()
            with self._archive.file("index.html", "text/html; charset=utf-8") as (file, _entry):
                for piece in self._page.read(self._description, self.order.kind, self._name()):
                    file.write(piece)
                    yield from self._archive.drain()
            called = _("your-data")
            self._archive.add(f"{called}.pdf", "application/pdf", self._setter.finish())
            self.result.files = len(self._archive.entries) + 1
            self.result.redacted, self.result.pending = self.screen.redacted, self.screen.pending
            self._archive.add(
                "manifest.json",
                JSON,
                pretty(manifest(self.order, self._description, self._archive.entries, self.result)),
            )
            yield from self._archive.close()

    def _name(self) -> str:
        for row in self._kept.get("customers.Customer", []):
            said = " ".join(filter(None, (row.get("first_name"), row.get("last_name"))))
            return " · ".join(filter(None, (said, row.get("company"), row.get("number"))))
        customer = Customer.objects.filter(pk=self.order.subject.customer_id or 0).first()
        return customer.number if customer else _("Data kept under a block")

    # --- Data --------------------------------------------------------------------------------------------------

    def _data(self) -> Iterator[bytes]:
        named = [part for part in parts() if part.model in self._sections]
        taken = {label for part in named for label in part.labels}
        files: dict[str, list[Part]] = {}
        for part in named:
            if self.order.kind in part.kinds:
                files.setdefault(part.path or part.csv, []).append(part)
        for label in self._sections:
            if label not in taken:
                path = f"data/{label}"
                files[f"{path}.json"] = [Part(f"{path}.json", label, csv=f"{path}.csv")]
        longest = self._longest(part for found in files.values() for part in found)
        if longest is not None:
            found = files.pop(longest.path or longest.csv)
            files[longest.path or longest.csv] = [*(part for part in found if part is not longest), longest]
        held = [part for found in files.values() for part in self._filled(found)]
        self._reader.plan(
            wanted
            for part in held
            for wanted in (*(inner for _nested, inner in self._inside(part)), self._itself(part))
        )
        for path, found in files.items():
            yield from self._named_file(path, found, longest)
        if longest is None:
            self._typeset()
        yield from self._write_cards()

    def _longest(self, found: Iterable[Part]) -> Part | None:
        """The part that is written last: the PDF shows its first rows only and is set while the rest of them goes by.

        None where none is long. How many there are has to be known before: it is where all of a row has one owner.
        """
        counts = self._description.counts
        whole = [part for part in found if counts.get(part.model, 0) > LONG and not self._sections[part.model].owners]
        return max(whole, key=lambda part: counts[part.model], default=None)

    def _typeset(self) -> None:
        self._setter.begin(self._paper.text(self._description, self.order.kind, self._name()))

    def _filled(self, found: list[Part]) -> list[Part]:
        """Those of which there are rows."""
        return [part for part in found if self._description.counts.get(part.model)]

    def _itself(self, part: Part) -> Wanted:
        """How its rows are read."""
        return Wanted(self._sections[part.model], part.newest)

    def _inside(self, part: Part) -> list[tuple[Nested, Wanted]]:
        """What lives inside the rows of a part, and how it is read: before them."""
        found = [nested for nested in part.nested if nested.model in self._sections]
        return [(one, Wanted(self._sections[one.model], part.newest, one.link, one.inherits)) for one in found]

    def _named_file(self, path: str, found: list[Part], longest: Part | None) -> Iterator[bytes]:
        """One file with all its parts, then the tables that go with it; nothing where there are no rows."""
        held = self._filled(found)
        self.result.without += [part.model for part in found if part not in held]
        if not held:
            return
        tables: list[tuple[str, Section, Table]] = []
        if held[0].path:
            schema = f"schemas/{path.rpartition('/')[2].removesuffix('.json')}.schema.json"
            self._schema(schema, path, held)
            with self._archive.file(path, JSON, schema=schema, rows=0, **self._lawful(held)) as (file, entry):
                first = True
                file.write(b"" if held[0].single else b"[\n")
                for part in held:
                    for objects in self._objects(part, tables, part is longest):
                        data = ",\n".join(objects).encode(errors="replace")
                        file.write(b"" if first or held[0].single else b",\n")
                        file.write(data)
                        first = False
                        entry.rows = (entry.rows or 0) + len(objects)
                        del objects, data  # not to be held while the next ones are made
                        yield from self._archive.drain()
                file.write(b"\n" if held[0].single else b"\n]\n")
        else:
            for part in held:
                for _objects in self._objects(part, tables, part is longest):
                    yield from self._archive.drain()
        for table_path, section, table in tables:
            with self._archive.file(table_path, CSV, rows=table.rows, **self._lawful(held)) as (file, _entry):
                for piece in table.read():
                    file.write(piece)
                    yield from self._archive.drain()
            self._tables.append((table_path, section, table.rows))

    def _objects(self, part: Part, tables: list[tuple[str, Section, Table]], is_last: bool) -> Iterator[list[str]]:
        """The rows of a part as its file shows them, chunk by chunk; tables and the copies for people grow beside."""
        section = self._sections[part.model]
        table = self._table(part.csv, section, tables)
        page = shown(section, part.csv or part.path, self._description.counts[part.model])
        children = [self._children(nested, wanted, tables) for nested, wanted in self._inside(part)]
        keep = self._kept.get(part.model)
        done = 0
        self._page.begin(page)
        for chunk in self._reader.chunks(self._itself(part)):
            self._note_files(section, chunk)
            if table is not None:
                table.add(chunk.by_column)
            if keep is not None and len(keep) < KEPT_FOR_CARDS:
                keep += [dict(row) for row in chunk.rows]
            objects = objects_of(part, chunk, self._encoder)
            first = max(0, min(IN_HTML - done, chunk.size))
            inner = [(child, child.hang(chunk, objects, first)) for child in children]
            for place, row in enumerate(chunk.rows[:first] if first else ()):
                self._page.row(page, row, [(child.page, rows[place]) for child, rows in inner])
                if done + place < IN_PDF:
                    self._paper.row(page, row)
            done += chunk.size
            if is_last and done - chunk.size < IN_PDF <= done:
                self._typeset()
            self.result.rows += chunk.size
            self.order.progress(self.result.rows)
            yield objects
            del chunk, objects
        page.total = done
        self._page.end(page)

    def _children(self, nested: Nested, wanted: Wanted, tables: list[tuple[str, Section, Table]]) -> Children:
        table = self._table(nested.csv, wanted.section, tables)
        keep = self._kept.get(nested.model)
        return Children(nested, wanted, self._reader, table, keep, self._encoder, self.result)

    def _table(self, path: str, section: Section, tables: list[tuple[str, Section, Table]]) -> Table | None:
        if not path:
            return None
        free = [column.name for column in section.columns if column.is_text]
        table = Table(section.names, free, self._zone)
        self._stack.callback(table.close)
        tables.append((path, section, table))
        return table

    def _write_cards(self) -> Iterator[bytes]:
        for card in self._cards:
            text = card.write(self._kept) if any(self._kept.get(label) for label in card.models) else ""
            if text:
                self._archive.add(card.path, card.media_type, text.encode(errors="replace"), **self._lawful_card(card))
                yield from self._archive.drain()

    # --- What goes with them -----------------------------------------------------------------------------------

    def _schema(self, path: str, title: str, found: list[Part]) -> None:
        mark = self.order.kind, title, get_language(), tuple(part.model for part in found)
        if mark not in _SCHEMAS:
            items = [item_schemas(part, self._sections) for part in found]
            _SCHEMAS[mark] = pretty(schema_of(title, items, single=found[0].single))
        self._archive.add(path, "application/schema+json", _SCHEMAS[mark])

    def _explanations(self) -> Iterator[bytes]:
        if self.order.kind == ACCESS:
            self._archive.add("meta/processing.json", JSON, pretty(processing(self._description)),
                              schema="schemas/processing.schema.json")  # fmt: skip
            self._archive.add("schemas/processing.schema.json", "application/schema+json", pretty(PROCESSING_SCHEMA))
        if self._tables:
            title = title_of(self.order.kind)
            self._archive.add("datapackage.json", JSON, pretty(data_package(self._tables, title)))
        yield from self._archive.drain()

    def _note_files(self, section: Section, chunk: Read) -> None:
        """Remember the files that go with rows; they are written when the tables are."""
        for name in section.declaration.files if not section.history else ():
            storage = getattr(section.model._meta.get_field(name), "storage", None)
            if name not in section.names or storage is None:
                continue
            rows, chunk.columns = chunk.rows, None
            for row in rows:
                stored = row.get(name)
                if not stored:
                    continue
                path = f"attachments/{section.label}/{row['id']}{_ending(row)}"
                if self.order.released_files(section.label, str(row["id"]), name):
                    self._files.append((section, name, storage, stored, path))
                    row[name] = path
                else:
                    row[name] = None

    def _attachments(self) -> Iterator[bytes]:
        for section, _name, storage, stored, path in self._files:
            try:
                source = storage.open(stored)
            except FileNotFoundError:
                continue
            with (
                source,
                self._archive.file(path, BINARY, **self._lawful_of([section])) as (file, _e),
            ):
                while data := source.read(64 * 1024):
                    file.write(data)
                    yield from self._archive.drain()
        if self.order.kind == ACCESS:
            sought = self._sought()
            for store in registry.stores():
                for name, content in store.export(sought) if store.export else ():
                    self._archive.add(f"attachments/{store.key}/{name}", BINARY, content)
                    yield from self._archive.drain()

    def _sought(self) -> Subject:
        """The person as stores outside the tables are asked about them."""
        person, known = self.order.subject, self.screen.known
        ref = person.refs[0] if person.refs else UUID(int=0)
        return Subject(
            ref, person.customer_id, person.number, tuple(sorted(known.own_emails)), tuple(sorted(known.phones))
        )

    def _lawful(self, found: list[Part]) -> dict[str, list[str]]:
        labels = [label for part in found for label in part.labels]
        return self._lawful_of([self._sections[label] for label in labels if label in self._sections])

    def _lawful_card(self, card: Card) -> dict[str, list[str]]:
        return self._lawful_of([self._sections[label] for label in card.models if label in self._sections])

    def _lawful_of(self, found: list[Section]) -> dict[str, list[str]]:
        groups = [group for section in found for group in section.groups]
        bases = [cited(basis.citation) for group in groups for basis in group.bases]
        sources = [str(group.source) for group in groups if group.source]
        return {"basis": list(dict.fromkeys(bases)), "source": list(dict.fromkeys(sources))}


def _ending(row: Row) -> str:
    """The ending of a file's own name where it is a plain one; the name itself may say whose the file is."""
    ending = str(row.get("name") or row.get("file_name") or "").rpartition(".")[2].lower()
    return f".{ending}" if _SAFE_TYPE.fullmatch(ending) else ""
