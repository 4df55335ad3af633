"""Visits are kept for 13 months, to the day; a month that is over goes as one statement and stands in the log."""

from __future__ import annotations

from datetime import date, timedelta
from importlib import import_module
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import Customer
from privacy.models import DeletionLog, Hold
from privacy.purging import plan_run, work
from staff.models import User
from tests.privacy.making import at, make_person
from tests.tracking.making import linked, make_visit, report, standing_months
from tracking.expiring import expire_visits
from tracking.models import Device, DeviceConsent, Visit

pytestmark = pytest.mark.django_db

MIGRATION = import_module("tracking.migrations.0001_devices_and_visits")


def purge(as_of: str) -> dict[str, int]:
    """What the run of a night logs of visits and devices."""
    run = plan_run(date.fromisoformat(as_of), only="TRACK")
    work(run.pk)
    return {entry.model: entry.count for entry in DeletionLog.objects.filter(run=run)}


def a_device(customer: Customer | None = None, last: str = "2026-11-01") -> Device:
    since = {"customer": customer, "linked_at": at("2025-01-01")} if customer else {}
    return Device.objects.create(
        key=f"{Device.objects.count():034}".encode(), first_seen=at("2024-01-01"), last_seen=at(last), **since
    )


# M13 from the day of the visit, in the zone of the law (C1, C2): the 31st clips to the last day of February.
@pytest.mark.parametrize(
    ("seen", "kept_on", "gone_on"),
    [
        ("2025-09-15", "2026-10-15", "2026-10-16"),
        ("2026-01-31", "2027-02-28", "2027-03-01"),
        ("2025-10-31", "2026-11-30", "2026-12-01"),
    ],
)
def test_a_visit_is_kept_for_thirteen_months_to_the_day(alma: Customer, seen: str, kept_on: str, gone_on: str) -> None:
    device = a_device(last="2027-06-01")
    first, last = at(seen, 0), at(seen, 23) + timedelta(minutes=59)
    make_visit(device, first)
    make_visit(device, last)
    assert purge(kept_on) == {}
    assert Visit.objects.count() == 2
    assert purge(gone_on) == {"tracking.visits": 2}
    assert (Visit.objects.count(), Device.objects.count()) == (0, 1)


def test_a_month_that_is_over_is_dropped_in_one_statement_and_counted(alma: Customer) -> None:
    device = a_device()
    for day in range(1, 31):
        make_visit(device, at(f"2025-09-{day:02}"))
    make_visit(device, at("2025-10-01"))
    with CaptureQueriesContext(connection) as asked:
        assert expire_visits(date(2025, 9, 30)) == 30
    dropping = [query["sql"] for query in asked if "tracking_drop_month" in query["sql"]]
    assert len(dropping) == 1
    assert "2025-09" not in standing_months() and "2025-10" in standing_months()
    assert Visit.objects.count() == 1


def test_the_run_of_the_night_logs_what_a_dropped_month_held(alma: Customer) -> None:
    device = a_device()
    for day in (1, 15, 30):
        make_visit(device, at(f"2025-06-{day:02}"))
    assert purge("2026-11-24") == {"tracking.visits": 3}
    entry = DeletionLog.objects.get(model="tracking.visits")
    assert (entry.rule_key, entry.action, entry.count) == ("TRACK", "delete", 3)
    assert "2025-06" not in standing_months()
    assert purge("2026-11-24") == {}


def test_whoever_has_a_hold_keeps_their_visits_and_the_others_do_not(alma: Customer, manager: User) -> None:
    held, other = a_device(alma), a_device(make_person("4712"))
    review = timezone.localdate() + timedelta(days=90)
    Hold.objects.create(customer=alma, kind="claim", reason="Streit", review_on=review, set_by=manager)
    for device in (held, other):
        make_visit(device, at("2025-06-10"))
        make_visit(device, at("2025-05-10"))
    assert purge("2026-11-24") == {"tracking.visits": 2}
    assert set(Visit.objects.values_list("device", flat=True)) == {held.pk}
    Hold.objects.update(released_at=timezone.now())
    assert purge("2026-11-24") == {"tracking.visits": 2}
    assert not {"2025-05", "2025-06"} & set(standing_months())


def test_a_device_ends_thirteen_months_after_its_last_visit_and_its_consent_with_it(alma: Customer) -> None:
    linked(alma, "/a")
    device = Device.objects.get()
    Device.objects.update(last_seen=at("2025-10-24"))
    assert purge("2026-11-24") == {}
    assert purge("2026-11-25")["tracking.Device"] == 1
    assert not Device.objects.filter(pk=device.pk).exists() and not Visit.objects.exists()
    assert DeviceConsent.objects.filter(ended_at__isnull=False).count() == 1
    report("/b")  # after 13 months of silence the cookie's old yes is none any more
    assert not Device.objects.exists()


def test_the_proof_of_a_consent_on_a_device_ends_three_years_after_its_year(alma: Customer) -> None:
    report("/a")
    report(consent=False)
    DeviceConsent.objects.update(given_at=at("2025-01-10"), ended_at=at("2025-11-24"))
    for as_of, left in (("2028-12-31", 1), ("2029-01-01", 0)):
        work(plan_run(date.fromisoformat(as_of), only="CONSENT").pk)
        assert DeviceConsent.objects.count() == left, as_of


def test_what_is_in_use_is_never_over(wording: Any) -> None:
    report("/a")
    assert expire_visits(timezone.localdate() - timedelta(days=396)) == 0
    assert Visit.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not settings.EMBEDDED_DATABASE, reason="only the embedded server is known to have both roles")
def test_the_role_of_the_app_makes_and_drops_months_and_no_other_table() -> None:
    with connection.cursor() as cursor:
        # As in an installation: the role gets its rights as tables are made, and the migration adds two functions.
        cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON tracking_visit TO obhut_app")
        cursor.execute(MIGRATION.PRIVILEGES)
    own = connection.settings_dict
    with psycopg.connect(host=own["HOST"], dbname=own["NAME"], user="obhut_app", autocommit=True) as app:
        assert app.execute("SELECT tracking_make_month('2031-05-17')").fetchone() == (True,)
        assert app.execute("SELECT tracking_make_month('2031-05-01')").fetchone() == (False,)
        app.execute(
            "INSERT INTO tracking_visit (device_id, occurred_at, path, referrer, campaign) "
            "VALUES (1, '2031-05-31 23:59:59+02', '/', '', '')"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("DROP TABLE tracking_visit_203105")
        assert app.execute("SELECT tracking_drop_month('2031-05-01')").fetchone() == (1,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            app.execute("SELECT tracking_drop_month('2031-05-01')")
        with pytest.raises(psycopg.errors.Error):
            app.execute("SELECT tracking_drop_month(NULL)")
