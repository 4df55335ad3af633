"""The copy of who speaks for a company (Art. 15 GDPR): their own row, its former versions and their own requests.

Nothing of the company's own data, which are not theirs; made, sealed, handed out and ended as any other package. Of
whom staff removed the former versions are left.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Any

from django.db.models import Max, Model
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from customers.models import ContactPerson, Suppression
from customers.periods import CATEGORIES, began
from customers.suppression import hashes_of
from datamap.catalogue import Explanation, cited, explain, rule_for
from datamap.controlling import controller, legal_zone
from datamap.declarations import as_paths
from datamap.packages import ACCESS, Person, Row
from datamap.workdays import add_months, local_date
from privacy.models import Request, Restriction
from privacy.packages.compiling import Column, Section, sections
from privacy.packages.describing import (
    HISTORY,
    Description,
    Held,
    Line,
    label_of,
    lines_about,
    processing,
    told_of_person,
)
from privacy.packages.html import Page
from privacy.packages.manifest import manifest
from privacy.packages.ordering import Assembly, Order
from privacy.packages.pdf import Paper, Setter
from privacy.packages.schemas import PROCESSING_SCHEMA, row_schema, schema_of
from privacy.packages.screening import Cell, Screen
from privacy.packages.showing import shown
from privacy.packages.writing import Archive, pretty
from privacy.recipients import names_by_kind
from privacy.speaking import is_removed, name_of, own_endpoints

JSON = "application/json"
# What a column says of others: who of the staff changed a row, and by which file it came.
_OTHERS = ("staff", "origin", "person")
# Of a request: what the person said and was answered, and when.
_ASKED = frozenset(
    ("ref", "kind", "state", "channel", "language", "text", "received_at", "answered_at", "closed_at", "decision")
)


def last_day_of(person: ContactPerson) -> Explanation:
    """Until when the row is kept: it goes with the company's file."""
    company, who = person.customer, controller()
    return explain(
        CATEGORIES[company.status], began(company), as_of=local_date(timezone.now(), legal_zone(who)),
        supervised=who.supervised_financial, zone=legal_zone(who),
    )  # fmt: skip


def last_day_of_history(person: ContactPerson) -> date | None:
    """When the last former version goes: with the company's file, and after the longest time for history before."""
    at = _history_of(person).aggregate(last=Max("history_date"))["last"]
    end, today = last_day_of(person).deletable_from, local_date(timezone.now(), legal_zone())
    cap = rule_for(HISTORY, today).cap_months
    if at is None or not cap:
        return end
    capped = add_months(local_date(at, legal_zone()), cap) + timedelta(days=1)
    return min(end, capped) if end is not None else capped


class SpeakersCopy:
    """One such copy under way."""

    def __init__(self, order: Order, screen: Screen, person: ContactPerson) -> None:
        self.order = order
        self.screen = screen
        self.person = person
        self.result = Assembly()
        self._known: Mapping[str, Section] = {section.label: section for section in sections(ACCESS)}

    def pieces(self) -> Generator[bytes, None, None]:
        """The ZIP. Runs in the language of the person; raises what typesetting or the disk raises."""
        with ExitStack() as stack:
            setter, archive = Setter(), Archive()
            stack.callback(setter.close)
            stack.callback(archive.abandon)
            description = self._description()
            zone = legal_zone(description.controller)
            page, paper = Page(zone), Paper(zone)
            stack.callback(page.close)
            for section, rows in self._held():
                path = f"data/{section.label}.json"
                schema = f"schemas/{section.label}.schema.json"
                at = shown(section, path, len(rows))
                page.begin(at)
                for row in rows:
                    page.row(at, row)
                    paper.row(at, row)
                page.end(at)
                archive.add(path, JSON, pretty(rows), rows=len(rows), schema=schema)
                archive.add(schema, JSON, pretty(schema_of(at.title, [row_schema(section)])))
                self.result.rows += len(rows)
            setter.begin(paper.text(description, ACCESS, name_of(self.person)))
            schema = "schemas/processing.schema.json"
            archive.add("meta/processing.json", JSON, pretty(processing(description)), schema=schema)
            archive.add(schema, JSON, pretty(PROCESSING_SCHEMA))
            with archive.file("index.html", "text/html; charset=utf-8") as (file, _entry):
                for piece in page.read(description, ACCESS, name_of(self.person)):
                    file.write(piece)
                    yield from archive.drain()
            called = _("your-data")
            archive.add(f"{called}.pdf", "application/pdf", setter.finish())
            self.result.files = len(archive.entries) + 1
            self.result.redacted, self.result.pending = self.screen.redacted, self.screen.pending
            archive.add("manifest.json", JSON, pretty(manifest(self.order, description, archive.entries, self.result)))
            yield from archive.close()

    def _held(self) -> Iterable[tuple[Section, list[Row]]]:
        """The person's rows by table; a table that holds nothing of them is left out."""
        if not is_removed(self.person):
            yield _rows(self._known[ContactPerson._meta.label], [self.person])
        if former := _history_of(self.person).order_by("history_date", "history_id"):
            yield _rows(self._known[former.model._meta.label], former)
        for model, found in self._files():
            section, rows = _rows(self._known[model._meta.label], found)
            self._screen(section, rows, [one.pk for one in found])
            yield section, rows

    def _screen(self, section: Section, rows: list[Row], keys: list[int]) -> None:
        """Blacken what names others in free words."""
        prose = [column.name for column in section.columns if column.how == "prose" and column.name in rows[0]]
        places = [(place, name) for place, row in enumerate(rows) for name in prose if row[name]]
        cells = [Cell(section.label, str(keys[place]), name, "", rows[place][name]) for place, name in places]
        for number, text in self.screen.screened(cells).items():
            place, name = places[number]
            rows[place][name] = text

    def _description(self) -> Description:
        # Whoever received the company's file received its contact persons.
        recipients = told_of_person(Person(self.person.customer_id))
        lines = [*self._of_row(), *self._of_history(), *self._of_files()]
        return Description(lines, {}, recipients, [], controller(), has_figures=False)

    def _of_row(self) -> Iterable[Line]:
        """Why and until when their row is kept."""
        if is_removed(self.person):
            return
        company, end, section = self.person.customer, last_day_of(self.person), self._known[ContactPerson._meta.label]
        line = Line(
            end.rule_key,
            capfirst(str(ContactPerson._meta.verbose_name)),
            False,
            counts={str(ContactPerson._meta.verbose_name): 1},
            fields=_fields(section),
            until=end.deletable_from,
            first_until=end.deletable_from,
            period=_("as long as the file of %s") % (company.company or company.number),
            statute=cited(end.statute),
            why=end.why,
        )
        for group in section.groups:
            line.add(group, names_by_kind(), source=str(group.source))
        yield line

    def _of_history(self) -> Iterable[Line]:
        """The same of its former versions."""
        former = _history_of(self.person)
        if not (count := former.count()):
            return
        section = self._known[former.model._meta.label]
        (line,) = lines_about(Person(None), [Held(section, section.groups[0], HISTORY, False, count, None, None)])
        line.fields = _fields(section)
        line.until = last_day_of_history(self.person)
        yield line

    def _of_files(self) -> list[Line]:
        """The same of what they asked for, and what was restricted."""
        held, zone = [], legal_zone()
        for model, found in self._files():
            section = self._known[model._meta.label]
            group = section.groups[0]
            (start,) = as_paths(str(group.start))
            ends = [_read(one, start) for one in found]
            days = sorted(local_date(at, zone) for at in ends if at is not None)
            last, first = (days[-1], days[0]) if days else (None, None)
            held.append(Held(section, group, str(group.category), False, len(found), last, first))
        return lines_about(Person(None), held)

    def _files(self) -> Iterable[tuple[type[Model], list[Any]]]:
        """What they asked for with all that hangs on it, what was restricted, and what stops advertising to what is
        theirs alone; a table without rows is left out."""
        asked = list(Request.archive.filter(contact_person=self.person.pk).order_by("pk"))
        hanging = [
            (section.model, section.model.objects.filter(request__in=asked).select_related("request").order_by("pk"))
            for section in self._known.values()
            if section.declaration.parent == "request" and not section.declaration.files
        ]
        restricted = Restriction.archive.filter(contact_person=self.person.pk).order_by("pk")
        marks = [mark for channel, value in own_endpoints(self.person) for mark in hashes_of(channel, value)]
        stopped = Suppression.objects.filter(endpoint__in=marks).order_by("pk")
        for model, rows in ((Request, asked), *hanging, (Restriction, restricted), (Suppression, stopped)):
            if found := list(rows):
                yield model, found


def _history_of(person: ContactPerson) -> Any:
    history: Any = ContactPerson.history
    return history.filter(id=person.pk)


def _fields(section: Section) -> list[str]:
    return [label_of(column) for column in section.columns if column.how not in _OTHERS and column.group >= 0]


def _read(row: Any, path: str) -> Any:
    """What stands at the end of a path of declarations."""
    return reduce(getattr, path.split("__"), row)


def _rows(section: Section, found: Iterable[Any]) -> tuple[Section, list[Row]]:
    columns = [column for column in section.columns if column.how not in _OTHERS]
    if section.label == Request._meta.label:
        columns = [column for column in columns if column.name in _ASKED]
    return section, [{column.name: _plain(_value(row, column)) for column in columns} for row in found]


def _value(row: Any, column: Column) -> Any:
    return getattr(row, column.field.attname if column.how == "plain" else column.name)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(legal_zone()).isoformat(timespec="seconds")
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return value if isinstance(value, bool | int | list) or value is None else str(value)
