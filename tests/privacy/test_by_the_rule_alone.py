"""Whatever ends by night, in the run or beside it, ends by the rule of the catalogue: with the margin of the controller
(C4: later, never earlier), and nothing that a matter keeps (domain.md 4.2)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from customers.claims import drop_expired_claims
from customers.models import OptInClaim, Origin
from datamap.controlling import legal_zone
from datamap.models import Controller
from datamap.versioning import add_version, newest, successor
from datamap.workdays import day_begins, local_date
from intake.models import Batch
from intake.tasks import expire_files
from privacy.models import Hold
from privacy.purging import plan_run, rehearse, work
from tests.privacy.making import at, make_person
from tests.tracking.making import make_visit
from tracking.models import Device, Visit

pytestmark = pytest.mark.django_db


@pytest.fixture
def today() -> date:
    """The legal day of the test."""
    return local_date(timezone.now(), legal_zone())


def _days(key: str, number: int) -> None:
    """The privacy role gives a rule this many days, in force long since."""
    rule = successor(newest(key))
    rule.number, rule.unit, rule.valid_from, rule.reason = number, "d", date(2020, 1, 1), "as the shop needs it"
    add_version(rule, user_id=None)


def _brought(on: date, **kw: object) -> Batch:
    """An import whose file was brought in the first minute of a day."""
    came: datetime = day_begins(on, legal_zone())
    batch = Batch(kind="customers", created_at=came, header=["Nr"], state=kw.pop("state", Batch.State.DONE))
    batch.file.save("x", ContentFile(b"Nr\n1\n"), save=False)
    batch.save()
    return batch


def _has_file(batch: Batch) -> bool:
    batch.refresh_from_db()
    return bool(batch.file)


@pytest.mark.parametrize(("period", "margin"), [(30, 0), (10, 0), (60, 0), (30, 15)])
def test_a_file_of_an_import_goes_on_its_day_and_not_before(today: date, period: int, margin: int) -> None:
    """IMPORT: the day of the import is not counted, the last day is kept whole (C3)."""
    if period != 30:
        _days("IMPORT", period)
    Controller(execution_margin_days=margin).save()
    kept = _brought(today - timedelta(days=period + margin))
    over = _brought(today - timedelta(days=period + margin + 1))
    expire_files()
    assert (_has_file(kept), _has_file(over)) == (True, False)
    assert (kept.header, over.header) == (["Nr"], [])


def test_the_run_leaves_the_file_of_an_import_that_is_at_work(today: date) -> None:
    """As the sweep of the files does: who reads it would stop half way."""
    busy = _brought(today - timedelta(days=40), state=Batch.State.RUNNING)
    assert "IMPORT" not in rehearse(today, only="IMPORT").as_dict()["categories"]
    run = plan_run(today, only="IMPORT")
    work(run.pk)
    assert _has_file(busy)
    Batch.objects.update(state=Batch.State.DONE)
    work(plan_run(today, only="IMPORT").pk)
    assert not _has_file(busy)


def test_visits_wait_for_the_margin_too() -> None:
    """TRACK: thirteen months after 15 September 2025 are over on 16 October 2026."""
    Controller(execution_margin_days=15).save()
    device = Device.objects.create(key=b"1" * 34, first_seen=at("2024-01-01"), last_seen=at("2027-01-01"))
    make_visit(device, at("2025-09-15"))
    work(plan_run(date(2026, 10, 30), only="TRACK").pk)
    assert Visit.objects.count() == 1
    work(plan_run(date(2026, 10, 31), only="TRACK").pk)
    assert Visit.objects.count() == 0


@pytest.mark.parametrize("kind", ["claim", "authority"])
def test_opt_ins_of_somebody_with_a_matter_stay_for_whoever_ends_them(kind: str) -> None:
    """What somebody is said to have allowed may be the very thing that is disputed."""
    origin = Origin.objects.create(kind="file")
    disputed, *others = (make_person(number) for number in ("4711", "4712", "4713"))
    for person in (disputed, *others):
        OptInClaim.objects.create(
            origin=origin, customer=person, channel="email", state="yes", claimed_at=at("2025-08-31")
        )
    Hold.objects.create(kind=kind, customer=disputed, reason="Streit", review_on="2027-01-01")
    assert drop_expired_claims(date(2026, 2, 28)) == 0
    assert drop_expired_claims(date(2026, 3, 1)) == 2
    assert OptInClaim.objects.get().customer == disputed
    Hold.objects.update(released_at=timezone.now())
    assert drop_expired_claims(date(2026, 3, 1)) == 1


def test_opt_ins_wait_for_the_margin_too() -> None:
    Controller(execution_margin_days=15).save()
    OptInClaim.objects.create(
        origin=Origin.objects.create(kind="file"),
        customer=make_person(),
        channel="email",
        state="yes",
        claimed_at=at("2025-08-31"),
    )
    assert drop_expired_claims(date(2026, 3, 15)) == 0
    assert drop_expired_claims(date(2026, 3, 16)) == 1
