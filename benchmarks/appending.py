"""One client that appends consents for some seconds: `python -m benchmarks.appending WAY CLIENT SECONDS`.

Says that it is ready, begins at a line of its input, and prints how many it wrote. "ours" hashes, seals and keeps the
state; "plain" stores rows of the same size as they are.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from benchmarks.bench_consents import WORDING  # noqa: E402
from consents.events import Event  # noqa: E402
from consents.recording import record  # noqa: E402

_PLAIN = """
WITH entry AS (
    INSERT INTO consents_entry (uuid, ts, kind, purpose, text_sha256, actor_ref, commitment, leaf)
    VALUES (gen_random_uuid(), now(), 'given', 'newsletter', %s, 'self', %s, %s) RETURNING id
), waiting AS (INSERT INTO consents_unsealed (entry_id) SELECT id FROM entry),
record AS (
    INSERT INTO consents_record (entry_id, customer_id, purpose_id, kind, channel, endpoint, endpoint_index, source,
        occurred_at, late, confirmed, proof, used_at)
    SELECT id, %s, %s, 'given', 'email', %s, %s, 'web_form', now(), false, true, %s, now() FROM entry
)
INSERT INTO consents_state AS t (customer_id, purpose_id, channel, endpoint, endpoint_index, mark, state, since, late,
    confirmed, source, entry_id, granted, open, fresh_until)
SELECT %s, %s, 'email', %s, %s, %s, 'given', now(), false, true, 'web_form', id, true, true, now() FROM entry
ON CONFLICT (customer_id, purpose_id, channel, endpoint_index) DO UPDATE SET state = excluded.state,
    since = excluded.since, entry_id = excluded.entry_id
"""


def main(way: str, client: int, lasting: float) -> int:
    """How many entries were written."""
    people = _people(client)
    write = _ours(people) if way == "ours" else _plain(people)
    write(0)
    print("ready", flush=True)
    sys.stdin.readline()
    done, end = 0, time.time() + lasting
    while time.time() < end:
        done += 1
        write(done)
    return done


def _people(client: int) -> Sequence[tuple[int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, number FROM customers_customer WHERE id %% 4 = %s ORDER BY id DESC LIMIT 5000",
            [client],
        )
        return cursor.fetchall()


def _ours(people: Sequence[tuple[int, str]]) -> Callable[[int], Any]:
    def write(n: int) -> None:
        pk, number = people[n % len(people)]
        record(
            Event(
                "given",
                pk,
                number,
                "newsletter",
                "email",
                f"append{pk}@laden.example",
                source="web_form",
                wording=WORDING,
                actor="self",
                confirmed=True,
            )  # fmt: skip
        )

    return write


def _plain(people: Sequence[tuple[int, str]]) -> Callable[[int], Any]:
    hash_, sealed, proof = os.urandom(32), os.urandom(52), os.urandom(330)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM consents_purpose WHERE key = 'newsletter'")
        (purpose,) = cursor.fetchone()

    def write(n: int) -> None:
        pk, _number = people[n % len(people)]
        index = pk.to_bytes(32, "big")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                _PLAIN,
                [WORDING.sha256, hash_, hash_, pk, purpose, sealed, index, proof, pk, purpose, sealed, index, hash_],
            )

    return write


if __name__ == "__main__":
    print(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
