"""A restore revives no consent: what was withdrawn or objected to after the backup is ended again (scenario P19)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from consents.models import Record
from consents.sealing import seal_pending
from consents.withdrawing import withdraw
from privacy import objecting
from staff.models import User
from tests.consents.making import say
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
