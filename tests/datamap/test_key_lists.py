"""Lists of keys arrive in the database as they were sent."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("bigint", [1, -2, 9_007_199_254_740_993]),
        ("bigint", [-(2**63), 2**63 - 1]),
        ("smallint", [1, 2, 3]),
        ("numeric", [2**63, 7]),
        ("bigint", [4711, None]),
        ("boolean", [True, False]),
        ("uuid", [UUID(int=0), UUID("4711a000-0000-4000-8000-000000004711")]),
        ("text", ["17", "0", "0042"]),
        ("text", ["17", ""]),
        ("text", ["null", 'a "b", {c}', "\\"]),
        ("text", ["1,2", "3"]),
        ("uuid", []),
    ],
)
def test_a_list_arrives_as_it_was_sent(kind: str, sent: list[object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [sent])
        assert cursor.fetchone()[0] == sent


def test_a_key_beyond_every_table_is_nobody() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM customers_customer WHERE id = ANY(%s)", [[1, 2**70]])
        assert cursor.fetchall() == []
