"""Writes the people of one chunk as sets: new ones by COPY, known ones by one update per table, history with both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from customers import indexing, numbering
from customers.cleaning import Person
from customers.copying import copy, new_ids, run
from customers.historying import write_history
from customers.known import kind_of
from customers.models import Address, ContactPoint, Customer
from customers.planning import Changes, implied_kind, tags_of
from customers.rows import OptInRow, Source
from customers.sealing import EVIDENCE, EVIDENCE_INDEX, NOTE, NOTE_INDEX, Indexes, Sealer
from customers.summary import claim_activity, recount_activity
from customers.summary import lock as lock_summaries

REASON = "import"
_CUSTOMER = [
    "id",
    "number",
    "kind",
    "status",
    "salutation",
    "title",
    "first_name",
    "last_name",
    "company",
    "vat_id",
    "language",
    "birthday_day",
    "birthday_month",
    "registered_at",
    "sort_name",
    "version",
    "origin_id",
    "created_at",
]
_ADDRESS = [
    "customer_id",
    "kind",
    "recipient",
    "street",
    "street_index",
    "postcode",
    "city",
    "country",
    "is_default",
    "origin_id",
    "created_at",
]
_POINT = [
    "customer_id",
    "kind",
    "value",
    "whole_index",
    "part_index",
    "match_index",
    "label",
    "is_primary",
    "origin_id",
    "created_at",
]


class Writer:
    """Writes one chunk inside the caller's transaction."""

    def __init__(self, source: Source, sealer: Sealer) -> None:
        self.source = source
        self.sealer = sealer
        self.now = timezone.now()
        self.addresses: list[tuple[Any, ...]] = []
        self.points: list[tuple[Any, ...]] = []
        self.external: list[tuple[Any, ...]] = []
        self.tags: list[tuple[int, str]] = []
        self.notes: list[tuple[Any, ...]] = []
        self.claims: list[tuple[Any, ...]] = []
        self.activity: dict[int, datetime] = {}

    def create(self, persons: Sequence[Person], numbers: Sequence[str]) -> list[int]:
        """New customers with everything that came with them; answers their ids in the same order."""
        if not persons:
            return []
        ids = new_ids("customers_customer", len(persons))
        customers, entries, summaries = [], [], []
        for id_, number, person in zip(ids, numbers, persons, strict=True):
            values = person.values
            kind = implied_kind(values)
            places = [(a.get("postcode", ""), a.get("city", "")) for a in person.addresses.values()]
            names = values.get("first_name", ""), values.get("last_name", ""), values.get("company", "")
            text, sound, postcode, sort_name = indexing.entry_for(number, kind, *names, places)
            customers.append(self._customer(id_, number, kind, person, sort_name))
            entries.append((id_, text, sound, postcode))
            registered = values.get("registered_at")
            summaries.append((id_, person.last_activity or registered or self.now, 0, 0, 0, True))
            if person.last_activity and person.last_activity != registered:
                self.activity[id_] = person.last_activity
            self._children(id_, person)
        copy("customers_customer", _CUSTOMER, customers)
        copy("customers_searchentry", ["customer_id", "text", "phonetic", "postcode"], entries)
        copy(
            "customers_summary",
            ["customer_id", "last_activity", "orders", "revenue", "open_complaints", "reachable"],
            summaries,
        )
        indexing.add_words(entry[1] for entry in entries)
        self._history(Customer, ids, "+")
        return ids

    def update(self, changed: Sequence[Changes]) -> None:
        """Known customers: only what differs is written, and each changed row once into history."""
        for changes in changed:
            self._add_to(changes)
        values = [changes for changes in changed if changes.values]
        _update_customers(values)
        if dated := [changes.customer_id for changes in values if "registered_at" in changes.values]:
            recount_activity(dated)
        # Whatever of the customer changed, an open form of it is out of date.
        run("UPDATE customers_customer SET version = version + 1 WHERE id = ANY(%s)", _ids(changed))
        self._history(Customer, _ids(values), "~")
        self._update_points([(*point,) for changes in changed for point in changes.points])
        self._update_addresses([address for changes in changed for address in changes.addresses])

    def finish(self, changed: Sequence[Changes], persons: Sequence[Person]) -> None:
        """Write the rows that hang on customers, gathered by `create` and `update`."""
        self._insert(Address, _ADDRESS, self.addresses)
        self._insert(ContactPoint, _POINT, self.points)
        copy("customers_externalid", ["customer_id", "platform", "value", "origin_id"], self.external)
        copy("customers_note", ["customer_id", "text", "text_index", "origin_id", "created_at"], self.notes)
        self._write_tags(tags_of(changed, persons))
        self._write_claims()
        if self.activity:
            claim_activity(self.source.origin_id, self.activity)
        named = {"first_name", "last_name", "company", "kind"}
        indexing.refresh(c.customer_id for c in changed if named & c.values.keys() or c.addresses or c.new_addresses)

    def _customer(self, id_: int, number: str, kind: str, person: Person, sort_name: str) -> tuple[Any, ...]:
        get = person.values.get
        return (
            id_,
            number,
            kind,
            person.status,
            get("salutation", ""),
            get("title", ""),
            get("first_name", ""),
            get("last_name", ""),
            get("company", ""),
            get("vat_id", ""),
            get("language", "de"),
            get("birthday_day"),
            get("birthday_month"),
            get("registered_at"),
            sort_name,
            1,
            self.source.origin_id,
            self.now,
        )

    def _children(self, id_: int, person: Person) -> None:
        if person.email:
            self._point(id_, "email", person.email, self.sealer.email_indexes(person.email_key))
        if person.phone:
            self._point(id_, "phone", person.phone, self.sealer.phone_indexes(person.phone_key))
        for place, (key, address) in enumerate(person.addresses.items()):
            self._address(id_, kind_of(key), address, is_default=not place)
        if person.external_id:
            self.external.append((id_, self.source.platform, person.external_id, self.source.origin_id))
        self.tags += [(id_, tag) for tag in person.tags]
        self._texts(id_, person.notes, person.opt_ins.values())

    def _add_to(self, changes: Changes) -> None:
        id_ = changes.customer_id
        for kind, value, key in changes.new_points:
            self._point(id_, kind, value, self._indexes(kind, key))
        for kind, address in changes.new_addresses:
            self._address(id_, kind, address, is_default=False)
        if changes.external_id:
            self.external.append((id_, self.source.platform, changes.external_id, self.source.origin_id))
        self.tags += [(id_, tag) for tag in changes.tags]
        self._texts(id_, changes.notes, changes.opt_ins)
        if changes.last_activity:
            self.activity[id_] = max(changes.last_activity, self.activity.get(id_, changes.last_activity))

    def _indexes(self, kind: str, key: str | None) -> Indexes:
        return self.sealer.email_indexes(key) if kind == "email" else self.sealer.phone_indexes(key)

    def _point(self, id_: int, kind: str, value: str, indexes: Indexes) -> None:
        sealed = self.sealer.value(value.encode())
        self.points.append((id_, kind, sealed, *indexes, "", True, self.source.origin_id, self.now))

    def _address(self, id_: int, kind: str, address: dict[str, str], *, is_default: bool) -> None:
        get, street = address.get, address.get("street", "")
        self.addresses.append(
            (
                id_,
                kind,
                get("recipient", ""),
                self.sealer.street(street.encode()),
                self.sealer.street_index(street),
                get("postcode", ""),
                get("city", ""),
                get("country", ""),
                is_default,
                self.source.origin_id,
                self.now,
            )
        )

    def _texts(self, id_: int, notes: Iterable[str], opt_ins: Iterable[OptInRow]) -> None:
        origin_id = self.source.origin_id
        for note in notes:
            self.notes.append((id_, NOTE.seal(note), NOTE_INDEX.blind(note), origin_id, self.now))
        for opt_in in opt_ins:
            evidence = dict(opt_in.evidence)
            sealed, index = EVIDENCE.seal(evidence), EVIDENCE_INDEX.blind(evidence)
            self.claims.append((id_, opt_in.channel, opt_in.state, sealed, index, origin_id, self.now))

    def _insert(self, model: Any, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        table = model._meta.db_table
        ids = new_ids(table, len(rows))
        copy(table, ["id", *columns], ((id_, *row) for id_, row in zip(ids, rows, strict=True)))
        self._history(model, ids, "+")

    def _history(self, model: Any, ids: Sequence[int], kind: str) -> None:
        source = self.source
        write_history(model, ids, kind, user_id=source.user_id, batch=source.batch, reason=REASON, at=self.now)

    def _update_points(self, points: list[tuple[int, str, str, str | None]]) -> None:
        if not points:
            return
        rows = [(id_, self.sealer.value(v.encode()), *self._indexes(kind, key)) for id_, kind, v, key in points]
        run(
            # Whoever was proven to read the old address is not proven to read the new one.
            "UPDATE customers_contactpoint p SET value = n.value, whole_index = n.whole, part_index = n.part, "
            "match_index = n.match, verified_at = NULL "
            "FROM unnest(%s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[], %s::bytea[]) "
            "AS n (id, value, whole, part, match) WHERE p.id = n.id",
            *map(list, zip(*rows, strict=True)),
        )
        self._history(ContactPoint, [point[0] for point in points], "~")

    def _update_addresses(self, addresses: list[tuple[int, dict[str, str]]]) -> None:
        if not addresses:
            return
        seal, index = self.sealer.street, self.sealer.street_index
        rows = [
            (
                id_,
                *(address.get(name) for name in ("recipient", "postcode", "city", "country")),
                seal(address["street"].encode()) if "street" in address else None,
                index(address["street"]) if "street" in address else None,
            )
            for id_, address in addresses
        ]
        run(
            "UPDATE customers_address a SET recipient = coalesce(n.recipient, a.recipient), "
            "postcode = coalesce(n.postcode, a.postcode), city = coalesce(n.city, a.city), "
            "country = coalesce(n.country, a.country), street = coalesce(n.street, a.street), "
            "street_index = CASE WHEN n.street IS NULL THEN a.street_index ELSE n.index END "
            "FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[], %s::bytea[]) "
            "AS n (id, recipient, postcode, city, country, street, index) WHERE a.id = n.id",
            *map(list, zip(*rows, strict=True)),
        )
        self._history(Address, [id_ for id_, _address in addresses], "~")

    def _write_tags(self, names: set[str]) -> None:
        if not self.tags:
            return
        run("INSERT INTO customers_tag (name) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", sorted(names))
        ids, tags = zip(*self.tags, strict=True)
        run(
            "INSERT INTO customers_customertag (customer_id, tag_id, origin_id, set_at) "
            "SELECT n.id, t.id, %s, %s FROM unnest(%s::bigint[], %s::text[]) AS n (id, name) "
            "JOIN customers_tag t ON t.name = n.name ON CONFLICT DO NOTHING",
            self.source.origin_id,
            self.now,
            list(ids),
            list(tags),
        )

    def _write_claims(self) -> None:
        if not self.claims:
            return
        run(
            "INSERT INTO customers_optinclaim "
            "(customer_id, channel, state, evidence, evidence_index, origin_id, claimed_at) "
            "SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::bytea[], %s::bigint[], "
            "%s::timestamptz[]) ON CONFLICT (customer_id, channel, origin_id) DO UPDATE "
            "SET state = excluded.state, evidence = excluded.evidence, evidence_index = excluded.evidence_index",
            *map(list, zip(*self.claims, strict=True)),
        )


def numbers_for(persons: Sequence[Person], own: dict[int, str]) -> list[str]:
    """The numbers of new customers: those a file may keep (`own`, by position), for the rest the next free ones."""
    free = iter(numbering.next_numbers(len(persons) - len(own), besides=own.values()))
    return [own[place] if place in own else next(free) for place in range(len(persons))]


def _update_customers(changed: list[Changes]) -> None:
    """One statement for each column that changes anywhere in the chunk; few columns change in one file."""
    by_column: dict[str, list[tuple[int, Any]]] = {}
    for changes in changed:
        for name, value in changes.values.items():
            by_column.setdefault(name, []).append((changes.customer_id, value))
    kinds = {"birthday_day": "smallint", "birthday_month": "smallint", "registered_at": "timestamptz"}
    for name, pairs in by_column.items():
        ids, values = zip(*pairs, strict=True)
        if name == "status":
            lock_summaries(ids)  # where the change is written as well, in whatever order the customers are
        run(
            f"UPDATE customers_customer c SET {name} = n.value "  # noqa: S608
            f"FROM unnest(%s::bigint[], %s::{kinds.get(name, 'text')}[]) AS n (id, value) "
            f"WHERE c.id = n.id AND c.{name} IS DISTINCT FROM n.value",
            list(ids),
            list(values),
        )


def _ids(changed: Iterable[Changes]) -> list[int]:
    return [changes.customer_id for changes in changed]
