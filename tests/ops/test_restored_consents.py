"""A restore revives no consent: what was withdrawn or objected to after the backup is ended again (scenario P19)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from consents.models import Record
from consents.opting_in import Outcome, confirm
from consents.sealing import seal_pending
from consents.withdrawing import withdraw
from customers.models import Suppression
from customers.suppression import suppress
from datamap import journal
from privacy import objecting
from staff.models import User
from tests.consents.making import say
from tests.consents.signing_up import ask, person, publish, token_of
from tests.ops.restoring import back_up, found, run, said
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db(transaction=True)


def test_p19_what_was_withdrawn_after_the_backup_stays_withdrawn(tmp_path: Path, target: str, manager: User) -> None:
    anna, bert, carla = (make_person(str(4711 + n)) for n in range(3))
    for customer in (anna, bert, carla):
        say(customer, confirmed=True, at=timezone.now() - timedelta(days=300))
    seal_pending()
    path = Path(back_up(tmp_path)["path"])
    withdraw(anna, "newsletter", "email", source="rfc8058")
    objecting.object_now(bert, channel="mail", by=manager)
    when: datetime = Record.objects.get(kind="withdrawn", customer=anna).occurred_at

    sealed = tmp_path / "restored-files"
    said(run(target, sealed, "restore", str(path), "--json"))
    outcome = said(run(target, sealed, "reapply_erasures", "--json"))
    assert outcome["released"] and outcome["failed"] == 0
    states = found(
        target,
        "SELECT c.number || ' ' || s.state || ' ' || s.open FROM consents_state s "
        "JOIN customers_customer c ON c.id = s.customer_id ORDER BY 1",
    )
    assert states == ["4711 withdrawn false", "4712 given false", "4713 given true"]
    since = (
        "SELECT since FROM consents_state s JOIN customers_customer c ON c.id = s.customer_id WHERE c.number = '4711'"
    )
    assert found(target, since) == [when]
    # Again, and nothing is recorded twice.
    said(run(target, sealed, "reapply_erasures", "--json"))
    assert found(target, "SELECT count(*) FROM consents_record WHERE kind = 'withdrawn'") == [1]


def test_an_entry_of_the_list_that_a_new_confirmed_yes_has_ended_stays_ended(tmp_path: Path, target: str) -> None:
    publish()
    before, after = "vorher@laden.example", "nachher@laden.example"
    for number, address in enumerate((before, after)):
        customer = person(f"K-{number}", address)
        endpoint = {"endpoint": address, "confirmed": True, "at": timezone.now() - timedelta(days=300)}
        say(customer, **endpoint)
    # One is on the list in the backup, the other comes on it afterwards, and a third stays there.
    suppress("email", before, reason="unsubscribed")
    path = Path(back_up(tmp_path)["path"])
    withdraw(customer, "newsletter", "email", source="rfc8058")
    suppress("email", "drittens@laden.example", reason="complaint")
    for address in (before, after):
        assert confirm(token_of(ask(address))) is Outcome.CONFIRMED
    ends = dict(Suppression.objects.values_list("endpoint", "ended_at"))
    assert sorted(end is None for end in ends.values()) == [False, False, True]
    lines = [dict(entry.payload) for entry in journal.entries() if entry.kind == "suppression_ended"]
    assert [set(payload) for payload in lines] == [{"endpoint", "scope", "at"}] * 2
    # Who is put on the list once more, is on it.
    suppress("email", after, reason="unsubscribed")

    sealed = tmp_path / "restored-files"
    said(run(target, sealed, "restore", str(path), "--json"))
    outcome = said(run(target, sealed, "reapply_erasures", "--json"))
    assert outcome["released"] and outcome["failed"] == 0
    rows = "SELECT encode(endpoint, 'hex') || ' ' || coalesce(ended_at::text, '') FROM customers_suppression"
    with connection.cursor() as cursor:
        cursor.execute(rows)
        expected = sorted(row[0] for row in cursor.fetchall())
    assert sorted(found(target, rows)) == expected
    assert len(expected) == 4
    # Again, and nothing ends that came afterwards.
    said(run(target, sealed, "reapply_erasures", "--json"))
    assert sorted(found(target, rows)) == expected
