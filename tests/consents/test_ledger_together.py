"""Many at once: every entry in exactly one seal, one consent in one state, and a role that may only add."""

from __future__ import annotations

import threading
from collections import Counter
from importlib import import_module

import psycopg
import pytest
from django.conf import settings
from django.db import connection, connections

from consents.models import Entry, Position, Record, Seal, State
from consents.rebuilding import compare_states
from consents.sealing import seal_pending
from consents.verifying import verify
from consents.withdrawing import withdraw
from tests.consents.making import say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS, EACH = 8, 400
STANDS = import_module("consents.migrations.0002_what_stands")


def at_once(*stories) -> list[BaseException]:
    """Run them in threads that begin together; what they raised."""
    start, raised = threading.Barrier(len(stories)), []

    def run(story) -> None:
        try:
            start.wait()
            story()
        except BaseException as error:  # noqa: BLE001  (told to the test)
            raised.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(story,)) for story in stories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_eight_writers_and_two_sealers_leave_every_entry_in_one_seal():
    people = [make_person(str(7000 + n)) for n in range(WRITERS)]
    writing = [True]

    def writer(person):
        def write() -> None:
            for turn in range(EACH):
                say(person, "withdrawn" if turn % 2 else "given")

        return write

    def sealer() -> None:
        while writing[0]:
            seal_pending()

    sealers = [threading.Thread(target=lambda: (sealer(), connections.close_all())) for _n in range(2)]
    for thread in sealers:
        thread.start()
    raised = at_once(*(writer(person) for person in people))
    writing[0] = False
    for thread in sealers:
        thread.join()
    assert raised == []
    seal_pending()
    assert Entry.objects.count() == Position.objects.count() == WRITERS * EACH
    numbers = list(Position.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, WRITERS * EACH + 1))
    seals = list(Seal.objects.order_by("number").values_list("first", "last"))
    assert [first for first, _last in seals] == [1, *(last + 1 for _first, last in seals[:-1])]
    found = verify()
    assert found.ok, found.why
    assert compare_states().ok


def test_two_withdrawals_at_once_are_one():
    person = make_person("7100")
    say(person)
    told = Counter()

    def leave() -> None:
        told[withdraw(person, "newsletter", "email", source="rfc8058")] += 1

    assert at_once(leave, leave, leave) == []
    assert told == {1: 1, 0: 2}
    assert Record.objects.filter(kind="withdrawn").count() == 1
    assert State.objects.get().state == "withdrawn"


@pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="only the embedded server is known to have both roles")
def test_the_role_of_the_app_may_only_add():
    say(make_person("7200"))
    seal_pending()
    tables = [f"consents_{name}" for name in STANDS.STANDING]
    with connection.cursor() as cursor:
        # As in an installation: the role gets its rights as tables are made, and the migration takes some away.
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO obhut_app")
        cursor.execute(STANDS.PRIVILEGES.format(tables=",".join(tables)))
    own = connection.settings_dict
    with psycopg.connect(host=own["HOST"], dbname=own["NAME"], user="obhut_app", autocommit=True) as app:
        assert app.execute("SELECT count(*) FROM consents_entry").fetchone() == (1,)
        for statement in (
            "UPDATE consents_entry SET kind = 'given'",
            "DELETE FROM consents_entry",
            "TRUNCATE consents_entry",
            "INSERT INTO consents_seal SELECT * FROM consents_seal ON CONFLICT (number) DO UPDATE SET last = 9",
            "DELETE FROM consents_seal",
            "UPDATE consents_position SET number = 9",
            "DELETE FROM consents_erasureproof",
            "ALTER TABLE consents_entry DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute(statement)
