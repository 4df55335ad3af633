"""The tables of customers come with the indexes the search and the undo stand on."""

import pytest
from django.db import connection


@pytest.mark.django_db
def test_search_text_and_words_have_their_indexes_with_the_fast_list_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, coalesce(array_to_string(c.reloptions, ','), '') FROM pg_class c "
            "JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'gin' AND c.relname LIKE 'customers_search%'"
        )
        found = dict(cursor.fetchall())
    assert set(found) == {"customers_search_text", "customers_search_words", "customers_search_word"}
    assert "fastupdate=off" not in found.values()
