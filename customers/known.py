"""What the database knows about the people of one chunk; a dry run adds what its earlier chunks would have made."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from customers.models import Address
from customers.normalizing import fold

COLUMNS = (
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
)
PLACE = ("recipient", "postcode", "city", "country")
MAIN = "main"
"""Kind of an address that is the one a list shows of a customer, of whatever kind that is stored."""


@dataclass(slots=True)
class Hit:
    """An account that has the e-mail address of a row."""

    id: int
    other_id: bool  # it is known under an id of the row's platform


def address_key(kind: str, street: str, postcode: str, city: str) -> str:
    """The name of an address among those of one person: its kind; of further ones there may be many, told apart by
    where they are. `kind_of` leads back."""
    return " ".join((kind, street, postcode, fold(city))) if kind == Address.Kind.OTHER else kind


def kind_of(key: str) -> str:
    """The kind of an address by its key; whoever has none yet gets the main one as a billing address."""
    return Address.Kind.BILLING if key == MAIN else key.partition(" ")[0]


def plain(value: Any) -> Any:
    """A value as it is compared and as JSON holds it."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def account_emails(state: dict[str, Any]) -> list[str]:
    """The blind indexes of the addresses by which an account in this state is found."""
    if state["values"]["status"] != "account":
        return []
    return [index for _id, kind, _primary, index, _seal in state["points"] if kind == "email" and index]


class Known:
    """Asks the database with sets; every answer covers the whole chunk."""

    def __init__(self, platform: str) -> None:
        self.platform = platform

    def by_external_id(self, values: Collection[str]) -> dict[str, int]:
        """External id -> customer."""
        return dict(
            _rows(
                "SELECT value, customer_id FROM customers_externalid WHERE platform = %s AND value = ANY(%s)",
                [self.platform, list(values)],
            )
        )

    def by_email(self, indexes: Collection[bytes]) -> dict[bytes, list[Hit]]:
        """Blind index -> the accounts with that address."""
        found: dict[bytes, list[Hit]] = defaultdict(list)
        rows = _rows(
            """
            SELECT DISTINCT p.whole_index, c.id, EXISTS (
                SELECT 1 FROM customers_externalid e WHERE e.customer_id = c.id AND e.platform = %s)
            FROM customers_contactpoint p JOIN customers_customer c ON c.id = p.customer_id
            WHERE p.whole_index = ANY(%s) AND p.kind = 'email' AND c.status = 'account'
            """,
            [self.platform, list(indexes)],
        )
        for index, id_, other_id in rows:
            found[bytes(index)].append(Hit(id_, other_id))
        return found

    def by_number(self, numbers: Collection[str]) -> dict[str, int]:
        """Customer number -> customer."""
        return dict(_rows("SELECT number, id FROM customers_customer WHERE number = ANY(%s)", [list(numbers)]))

    def numbers(self, numbers: Collection[str]) -> set[str]:
        """Which of these customer numbers are taken."""
        rows = _rows("SELECT number FROM customers_customer WHERE number = ANY(%s)", [list(numbers)])
        return {number for (number,) in rows}

    def held(self, fingerprints: Collection[bytes]) -> dict[bytes, str]:
        """Fingerprint -> decision ("" while it waits) of rows held before."""
        rows = _rows(
            "SELECT fingerprint, decision FROM customers_heldintake WHERE fingerprint = ANY(%s)",
            [list(fingerprints)],
        )
        return {bytes(fingerprint): decision for fingerprint, decision in rows}

    def states(self, ids: Collection[int], *, lock: bool) -> dict[int, dict[str, Any]]:
        """The present state of customers, as JSON holds it; locked in order of their ids for whoever will write."""
        found: dict[int, dict[str, Any]] = {}
        query = (
            f"SELECT id, number, restricted_at IS NOT NULL, {', '.join(COLUMNS)} "  # noqa: S608
            f"FROM customers_customer WHERE id = ANY(%s) ORDER BY id {'FOR NO KEY UPDATE' if lock else ''}"
        )
        for id_, number, restricted, *values in _rows(query, [list(ids)]):
            found[id_] = {
                "number": number,
                "restricted": restricted,
                "values": dict(zip(COLUMNS, map(plain, values), strict=True)),
                "points": [],
                "addresses": {},
                "external": [],
                "tags": [],
                "notes": [],
                "claims": {},
                "activity": "",
            }
        if found:
            self._add_children(found)
        return found

    def _add_children(self, found: dict[int, dict[str, Any]]) -> None:
        ids = list(found)
        for id_, point, kind, primary, index, value in _rows(
            "SELECT customer_id, id, kind, is_primary, whole_index, CASE WHEN whole_index IS NULL THEN value END "
            "FROM customers_contactpoint WHERE customer_id = ANY(%s) ORDER BY is_primary DESC, id",
            [ids],
        ):
            seal = bytes(value).hex() if value is not None else ""
            found[id_]["points"].append([point, kind, primary, _hex(index), seal])
        for id_, address, kind, street, *place in _rows(
            "SELECT customer_id, id, kind, street_index, recipient, postcode, city, country "
            "FROM customers_address WHERE customer_id = ANY(%s) ORDER BY is_default DESC, id",
            [ids],
        ):
            values = dict(zip(PLACE, place, strict=True)) | {"street": _hex(street), "id": address}
            key = address_key(kind, _hex(street), *place[1:3])
            found[id_]["addresses"].setdefault(key, values)
            found[id_].setdefault("main", key)
        for id_, at in _rows(
            "SELECT c.customer_id, max(c.at) FROM customers_activityclaim c JOIN customers_origin o "
            "ON o.id = c.origin_id AND o.platform = %s WHERE c.customer_id = ANY(%s) GROUP BY c.customer_id",
            [self.platform, ids],
        ):
            found[id_]["activity"] = plain(at)
        for id_, platform, value in _rows(
            "SELECT customer_id, platform, value FROM customers_externalid WHERE customer_id = ANY(%s)", [ids]
        ):
            found[id_]["external"].append([platform, value])
        for id_, tag in _rows(
            "SELECT ct.customer_id, t.name FROM customers_customertag ct JOIN customers_tag t ON t.id = ct.tag_id "
            "WHERE ct.customer_id = ANY(%s)",
            [ids],
        ):
            found[id_]["tags"].append(tag)
        for id_, index in _rows(
            "SELECT customer_id, text_index FROM customers_note WHERE customer_id = ANY(%s)", [ids]
        ):
            found[id_]["notes"].append(_hex(index))
        for id_, channel, state, evidence in _rows(
            "SELECT DISTINCT ON (customer_id, channel) customer_id, channel, state, evidence_index "
            "FROM customers_optinclaim WHERE customer_id = ANY(%s) "
            "ORDER BY customer_id, channel, claimed_at DESC, id DESC",
            [ids],
        ):
            found[id_]["claims"][channel] = [state, _hex(evidence)]


class Tried(Known):
    """For a dry run: keys and states that earlier chunks of the same file would have left, in a temporary table.

    The table lives with the connection, so memory stays bounded however long the file is; another batch empties it.
    """

    def __init__(self, platform: str, batch: UUID) -> None:
        super().__init__(platform)
        _run(
            "CREATE TEMP TABLE IF NOT EXISTS customers_tried (batch uuid, key text, target bigint, state jsonb, "
            "PRIMARY KEY (key, target))"
        )
        _run("DELETE FROM customers_tried WHERE batch <> %s", [batch])
        self.batch = batch
        self.next_id = -1 - _rows("SELECT count(*) FROM customers_tried WHERE state IS NOT NULL", [])[0][0]

    def by_external_id(self, values: Collection[str]) -> dict[str, int]:
        tried = {key[2:]: target for key, target in self._targets("x:", values)}
        return super().by_external_id(values) | tried

    def by_email(self, indexes: Collection[bytes]) -> dict[bytes, list[Hit]]:
        found = super().by_email(indexes)
        for key, target in self._targets("e:", [index.hex() for index in indexes]):
            hits = found.setdefault(bytes.fromhex(key[2:]), [])
            if all(hit.id != target for hit in hits):
                hits.append(Hit(target, other_id=False))
        states = self._states({hit.id for hits in found.values() for hit in hits})
        for index, hits in found.items():
            # An earlier chunk may have given an account another address than the one it is noted or stored with.
            hits[:] = [hit for hit in hits if hit.id not in states or index.hex() in account_emails(states[hit.id])]
            for hit in hits:
                if state := states.get(hit.id):
                    hit.other_id = any(platform == self.platform for platform, _ in state["external"])
        return found

    def by_number(self, numbers: Collection[str]) -> dict[str, int]:
        return super().by_number(numbers) | {key[2:]: target for key, target in self._targets("n:", numbers)}

    def numbers(self, numbers: Collection[str]) -> set[str]:
        return super().numbers(numbers) | {key[2:] for key, _ in self._targets("n:", numbers)}

    def held(self, fingerprints: Collection[bytes]) -> dict[bytes, str]:
        tried = {bytes.fromhex(key[2:]): "" for key, _ in self._targets("h:", [f.hex() for f in fingerprints])}
        return tried | super().held(fingerprints)

    def suppressed(self, marks: Collection[bytes]) -> set[bytes]:
        """Endpoints that an earlier chunk would have put on the list."""
        return {bytes.fromhex(key[2:]) for key, _ in self._targets("s:", [mark.hex() for mark in marks])}

    def states(self, ids: Collection[int], *, lock: bool) -> dict[int, dict[str, Any]]:
        return super().states([id_ for id_ in ids if id_ > 0], lock=False) | self._states(ids)

    def remember(self, keys: Iterable[tuple[str, int]], states: Iterable[tuple[int, dict[str, Any]]]) -> None:
        """Note what this chunk would have left."""
        noted: list[tuple[str, int, str | None]] = [(key, target, None) for key, target in keys]
        noted += [("", target, json.dumps(state)) for target, state in states]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO customers_tried (batch, key, target, state) "
                "SELECT %s, * FROM unnest(%s::text[], %s::bigint[], %s::jsonb[]) "
                "ON CONFLICT (key, target) DO UPDATE SET state = excluded.state",
                [self.batch, *(map(list, zip(*noted, strict=True)) if noted else ([], [], []))],
            )

    def _targets(self, prefix: str, values: Iterable[str]) -> list[tuple[Any, ...]]:
        keys = [f"{prefix}{value}" for value in values]
        return _rows("SELECT key, target FROM customers_tried WHERE key = ANY(%s)", [keys])

    def _states(self, ids: Collection[int]) -> dict[int, dict[str, Any]]:
        rows = _rows("SELECT target, state FROM customers_tried WHERE key = '' AND target = ANY(%s)", [list(ids)])
        return {target: json.loads(state) if isinstance(state, str) else state for target, state in rows}


def _rows(query: str, params: list[Any]) -> list[tuple[Any, ...]]:
    """The answer of one query; an empty set of keys is not asked about."""
    if params and params[-1] == []:
        return []
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return cursor.fetchall()


def _run(query: str, params: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, params)


def _hex(value: Any) -> str:
    return bytes(value).hex() if value is not None else ""
