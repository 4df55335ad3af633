"""What every page asks in the same words: answered alike with and without plans kept by the server."""

import pytest
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Upper
from django.test.utils import CaptureQueriesContext

from customers.models import ContactPoint, Customer, Note
from datamap.models import AccessLog
from datamap.preparing import SOME_KEY, Standing, ask, planned_once
from staff.models import User

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


def test_a_worker_keeps_a_plan_from_the_first_time_where_it_is_told_to(settings):
    settings.MAY_PREPARE = True
    with planned_once():
        assert ask(QUESTION, [7]) == [(8,), (9,)]
        assert _kept() == 1
        assert ask(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s", ["SELECT n%"]
        ) == [(1, 0)]
    assert connection.connection.prepare_threshold is None


def test_nothing_is_kept_on_a_connection_that_is_lent(settings):
    settings.MAY_PREPARE = False
    with planned_once():
        assert ask(QUESTION, [7]) == [(8,), (9,)]
        assert _kept() == 0


def test_a_standing_question_gives_the_rows_of_its_queryset():
    rows = [AccessLog.objects.create(customer_number=number, page=page) for number, page in ("1a", "2b", "1c")]
    standing = Standing(lambda number: AccessLog.objects.filter(customer_number=number).order_by("-pk"), "\x01")
    assert standing("1") == [rows[2], rows[0]]
    assert [(row.page, row.at) for row in standing("2")] == [("b", rows[1].at)]
    assert standing("'; DROP TABLE x --") == []


def test_a_standing_question_opens_what_is_sealed_and_takes_several_keys_as_one():
    customer = Customer.objects.create(number="4711", last_name="Groß")
    words = ["a@laden.example", "b@laden.example"]
    points = [ContactPoint.objects.create(customer=customer, kind="email", value=word) for word in words]
    standing = Standing(lambda keys: ContactPoint.objects.filter(pk__any_of=keys).order_by("pk"), [SOME_KEY])
    with CaptureQueriesContext(connection) as captured:
        assert [point.value for point in standing([point.pk for point in points])] == words
    assert len(captured) == 1
    assert standing([]) == []


def test_a_standing_question_brings_along_what_is_annotated():
    for page in ("a", "b"):
        AccessLog.objects.create(customer_number="1", page=page)
    standing = Standing(
        lambda number: AccessLog.objects.filter(customer_number=number).annotate(shout=Upper("page")).order_by("pk"),
        "\x01",
    )
    assert [(row.page, row.shout) for row in standing("1")] == [("a", "A"), ("b", "B")]


def test_a_standing_question_brings_along_joined_rows_and_none_where_there_is_none():
    customer = Customer.objects.create(number="4711", last_name="Groß")
    author = User.objects.create_user("mila@laden.example", name="Mila")
    Note.objects.create(customer=customer, author=author, text="ruft mittags an")
    Note.objects.create(customer=customer, text="von selbst")
    standing = Standing(lambda pk: Note.objects.filter(customer=pk).select_related("author", "customer").order_by("pk"))
    with CaptureQueriesContext(connection) as captured:
        found = [(note.text, note.author and note.author.name, note.customer.number) for note in standing(customer.pk)]
    assert found == [("ruft mittags an", "Mila", "4711"), ("von selbst", None, "4711")]
    assert len(captured) == 1


def test_a_standing_question_takes_several_values_and_gives_figures():
    for page, user in (("a", 1), ("a", 2), ("b", 2)):
        AccessLog.objects.create(customer_number="1", page=page, user_id=user)
    standing = Standing(
        lambda number, user: (
            AccessLog.objects.filter(customer_number=number, user_id=user)
            .values_list("page")
            .annotate(Count("pk"))
            .order_by("page")
        ),
        "\x01",
        SOME_KEY,
    )
    assert standing("1", 2) == [("a", 1), ("b", 1)]
    assert standing("1", 1) == [("a", 1)]
    assert standing("2", 1) == []
