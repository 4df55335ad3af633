"""The limit of an import of customers: one hand-written loop, COPY into staging, one set-based upsert.

It does the work of `customers.intake` for the columns of the benchmark's file (the same reading of values,
sealing, blind indexes, matching by id and by e-mail, history, search entry and summary) and nothing else: no
second platform, no several rows of one customer, no tombstones, suppression, claims, tags, notes, held rows
or trial.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from customers import indexing, reading
from customers.historying import columns_of
from customers.models import Address, ContactPoint, Customer
from customers.normalizing import email_key
from customers.sealing import Sealer

_STAGE = """
CREATE TEMP TABLE stage (external_id text, salutation text, first_name text, last_name text, day int2, month int2,
    registered timestamptz, email bytea, ew bytea, ep bytea, em bytea, phone bytea, pw bytea, pp bytea, pm bytea,
    street bytea, street_index bytea, postcode text, city text, country text, sort_name text, text text, phonetic text,
    id bigint, made boolean) ON COMMIT DROP
"""
_TYPES = ["text"] * 4 + ["int2"] * 2 + ["timestamptz"] + ["bytea"] * 10 + ["text"] * 6


def write_chunk(connection: Any, rows: Iterable[list[str]], batch: UUID, origin_id: int, platform: str) -> None:
    """Write one chunk in one transaction."""
    staged = _read(rows)
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        columns = (
            "external_id, salutation, first_name, last_name, day, month, registered, email, ew, ep, em, phone, "
            "pw, pp, pm, "
            "street, street_index, postcode, city, country, sort_name, text, phonetic"
        )
        with cursor.copy(f"COPY stage ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_TYPES)
            for row in staged:
                copy.write_row(row)
        cursor.execute("ANALYZE stage")
        cursor.execute("SELECT pg_advisory_xact_lock(1)")
        _match(cursor, platform)
        _number(cursor)
        _upsert(cursor, batch, origin_id, platform)
        indexing.add_words(row[21] for row in staged)


def _read(rows: Iterable[list[str]]) -> list[tuple[Any, ...]]:
    sealer, staged = Sealer(), []
    for (
        external_id,
        salutation,
        first,
        last,
        email,
        phone,
        street,
        postcode,
        city,
        country,
        birthday,
        since,
    ) in rows:
        clean = [reading.clean_text(text)[0] for text in (external_id, first, last, street, city)]
        external_id, first, last, street, city = map(reading.same_letters, clean)
        key = email_key(email) if reading.is_email(email) else None
        number = reading.read_phone(phone)
        day, month = reading.read_birthday(birthday) or (None, None)
        code = reading.read_country(country) or ""
        postcode = reading.pad_postcode(postcode, code)
        entry = indexing.entry_for("", "person", first, last, "", [(postcode, city)])
        staged.append(
            (
                external_id,
                reading.read_salutation(salutation) or "",
                first,
                last,
                day,
                month,
                datetime.fromisoformat(since),
                sealer.value(email.encode()),
                *sealer.email_indexes(key),
                sealer.value((number or phone).encode()),
                *sealer.phone_indexes(number[1:] if number else None),
                sealer.street(street.encode()),
                sealer.street_index(street),
                postcode,
                city,
                code,
                entry.sort_name,
                entry.text,
                entry.phonetic,
            )
        )
    return staged


def _match(cursor: Any, platform: str) -> None:
    cursor.execute(
        "UPDATE stage s SET id = e.customer_id FROM customers_externalid e WHERE e.platform = %s AND e.value "
        "= s.external_id",
        [platform],
    )
    cursor.execute(
        "UPDATE stage s SET id = m.id FROM (SELECT s.ew, min(c.id) AS id FROM stage s JOIN customers_contactpoint p "
        "ON p.whole_index = s.ew AND p.kind = 'email' JOIN customers_customer c ON c.id = p.customer_id "
        "AND c.status = 'account' WHERE s.id IS NULL AND NOT EXISTS (SELECT 1 FROM customers_externalid e "
        "WHERE e.customer_id = c.id AND e.platform = %s) GROUP BY s.ew HAVING count(DISTINCT c.id) = 1) m "
        "WHERE s.id IS NULL AND s.ew = m.ew",
        [platform],
    )
    cursor.execute(
        "UPDATE stage SET made = true, id = nextval(pg_get_serial_sequence('customers_customer', 'id')) "
        "WHERE id IS NULL"
    )


def _number(cursor: Any) -> None:
    cursor.execute(
        "INSERT INTO customers_numberrange (key, prefix, next_value) VALUES ('customer', '', 10001) ON "
        "CONFLICT DO NOTHING"
    )
    cursor.execute(
        "UPDATE customers_numberrange SET next_value = next_value + (SELECT count(*) FROM stage WHERE made) "
        "WHERE key = 'customer' RETURNING next_value - (SELECT count(*) FROM stage WHERE made)"
    )
    first = cursor.fetchone()[0]
    cursor.execute("ALTER TABLE stage ADD number text")
    cursor.execute(
        "UPDATE stage s SET number = %s + n.place - 1 FROM (SELECT id, row_number() OVER (ORDER BY id) AS "
        "place FROM stage "
        "WHERE made) n WHERE n.id = s.id",
        [first],
    )


def _history(model: Any, source: str, kind: str) -> str:
    columns = columns_of(model)
    table = model.history.model._meta.db_table
    chosen = ", ".join(f"{source}.{name}" for name in columns)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}, history_date, history_type, history_change_reason, batch) "
        f"SELECT {chosen}, now(), '{kind}', 'import', %(batch)s FROM {source}"
    )


def _upsert(cursor: Any, batch: UUID, origin_id: int, platform: str) -> None:
    given = {"batch": batch, "origin": origin_id, "platform": platform}
    cursor.execute(
        f"""
        WITH changed AS (
            UPDATE customers_customer c SET salutation = s.salutation, first_name = s.first_name, last_name =
                s.last_name,
                birthday_day = s.day, birthday_month = s.month, registered_at = s.registered, sort_name = s.sort_name,
                version = version + 1
            FROM stage s WHERE c.id = s.id AND s.made IS NULL
                AND (c.salutation, c.first_name, c.last_name, c.birthday_day, c.birthday_month, c.registered_at)
                IS DISTINCT FROM (s.salutation, s.first_name, s.last_name, s.day, s.month, s.registered) RETURNING c.*
        ), made AS (
            INSERT INTO customers_customer (id, number, kind, status, salutation, title, first_name, last_name, company,
                vat_id, language, birthday_day, birthday_month, registered_at, sort_name, version, origin_id,
                created_at)
            SELECT id, number, 'person', 'account', salutation, '', first_name, last_name, '', '', 'de', day, month,
                registered, sort_name, 1, %(origin)s, now() FROM stage WHERE made RETURNING *
        ), old AS ({_history(Customer, "changed", "~")}) {_history(Customer, "made", "+")}
        """,
        given,
    )
    cursor.execute(
        f"""
        WITH changed AS (
            UPDATE customers_address a SET street = s.street, street_index = s.street_index, postcode = s.postcode,
                city = s.city, country = s.country
            FROM stage s WHERE a.customer_id = s.id AND a.kind = 'billing' AND s.made IS NULL
                AND (a.street_index, a.postcode, a.city, a.country)
                IS DISTINCT FROM (s.street_index, s.postcode, s.city, s.country) RETURNING a.*
        ), made AS (
            INSERT INTO customers_address (customer_id, kind, recipient, street, street_index, postcode, city, country,
                is_default, origin_id, created_at)
            SELECT id, 'billing', '', street, street_index, postcode, city, country, true, %(origin)s, now()
            FROM stage WHERE made RETURNING *
        ), old AS ({_history(Address, "changed", "~")}) {_history(Address, "made", "+")}
        """,
        given,
    )
    cursor.execute(
        f"""
        WITH points AS (
            SELECT id, made, 'email' AS kind, email AS value, ew AS w, ep AS p, em AS m FROM stage
            UNION ALL SELECT id, made, 'phone', phone, pw, pp, pm FROM stage
        ), changed AS (
            UPDATE customers_contactpoint c SET value = s.value, whole_index = s.w, part_index = s.p, match_index = s.m
            FROM points s WHERE c.customer_id = s.id AND c.kind = s.kind AND s.made IS NULL
                AND c.whole_index IS DISTINCT FROM s.w RETURNING c.*
        ), made AS (
            INSERT INTO customers_contactpoint (customer_id, kind, value, whole_index, part_index, match_index, label,
                is_primary, origin_id, created_at)
            SELECT id, kind, value, w, p, m, '', true, %(origin)s, now() FROM points WHERE made RETURNING *
        ), old AS ({_history(ContactPoint, "changed", "~")}) {_history(ContactPoint, "made", "+")}
        """,
        given,
    )
    cursor.execute(
        "INSERT INTO customers_externalid (customer_id, platform, value, origin_id) SELECT id, %(platform)s, "
        "external_id, "
        "%(origin)s FROM stage WHERE made",
        given,
    )
    cursor.execute(
        "INSERT INTO customers_searchentry AS e (customer_id, text, phonetic, postcode) SELECT s.id, s.text || ' ' || "
        "c.number, s.phonetic, s.postcode FROM stage s JOIN customers_customer c ON c.id = s.id ON CONFLICT "
        "(customer_id) "
        "DO UPDATE SET text = excluded.text, phonetic = excluded.phonetic, postcode = excluded.postcode "
        "WHERE (e.text, e.phonetic, e.postcode) IS DISTINCT FROM (excluded.text, excluded.phonetic, excluded.postcode)"
    )
    cursor.execute(
        "INSERT INTO customers_summary (customer_id, last_activity, orders, revenue, open_complaints, reachable) "
        "SELECT id, registered, 0, 0, 0, true FROM stage WHERE made"
    )
