"""What every page asks in the same words: answered alike with and without plans kept by the server."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datamap.preparing import ask

pytestmark = pytest.mark.django_db
QUESTION = "SELECT n FROM generate_series(1, 9) AS n WHERE n > %s ORDER BY n /* the words of this test */"


def _kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT n FROM generate_series%%'", []
        )
        return cursor.fetchone()[0]


def test_the_values_travel_beside_the_statement():
    assert ask("SELECT %s::text, %s::int + 1", ["a'; DROP TABLE x --", 1]) == [("a'; DROP TABLE x --", 2)]
    assert ask("SELECT 1 WHERE false") == []


def test_a_question_counts_as_a_query_like_any_other():
    with CaptureQueriesContext(connection) as captured:
        ask(QUESTION, [7])
    assert len(captured) == 1


def test_the_server_keeps_the_plan_where_the_connection_prepares():
    connection.ensure_connection()
    before = connection.connection.prepare_threshold
    connection.connection.prepare_threshold = 2
    try:
        assert [ask(QUESTION, [n]) for n in (8, 7, 6, 5)][-1] == [(6,), (7,), (8,), (9,)]
        assert _kept() == 1
    finally:
        connection.connection.prepare_threshold = before


def test_nothing_is_kept_where_it_does_not():
    connection.ensure_connection()
    assert connection.connection.prepare_threshold is None
    for n in range(9):
        ask(QUESTION, [n])
    assert _kept() == 0
