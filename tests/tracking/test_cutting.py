"""A withdrawal cuts the link and deletes the linked history at once, whoever withdraws, however often and how late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from consents.events import Kind, Source
from consents.models import Record, State
from consents.rebuilding import compare_states, rebuild_states
from consents.withdrawing import withdraw
from customers.models import Customer
from datamap import journal
from datamap.diagnosis import Options
from privacy import objecting
from privacy.erasing import ask_erasure, result_of, run_erasure
from privacy.models import Hold
from staff.models import User
from tests.privacy.making import make_person
from tests.tracking.making import (
    OTHER_COOKIE,
    agreed,
    link,
    linked,
    make_visit,
    publish_wording,
    report,
    say,
)
from tracking import cutting
from tracking.invariants import check_tracking
from tracking.models import Device, DeviceConsent, Visit

pytestmark = pytest.mark.django_db


def left() -> tuple[int, int]:
    return Device.objects.count(), Visit.objects.count()


@pytest.mark.parametrize("source", [Source.SELF_SERVICE, Source.DESK, Source.IMPORT, Source.PLATFORM])
def test_a_withdrawal_from_any_side_leaves_no_device_and_no_visit(alma: Customer, source: str) -> None:
    bert = make_person("4712")
    linked(alma, "/a", "/b")
    linked(bert, "/c", device=OTHER_COOKIE)
    assert withdraw(alma, "tracking", "web", source=source) == 1
    assert left() == (1, 1)
    assert Device.objects.get().customer == bert
    # The proof that the device agreed stays, names nobody, and has its last day from now on.
    assert DeviceConsent.objects.filter(ended_at__isnull=False).count() == 1
    report("/d")  # the cookie still has its old yes
    assert left() == (1, 1)
    assert withdraw(alma, "tracking", "web", source=source) == 0


def test_what_is_rolled_back_deletes_nothing(alma: Customer) -> None:
    linked(alma, "/a")
    with transaction.atomic():
        withdraw(alma, "tracking", "web", source=Source.DESK)
        assert left() == (0, 0)
        transaction.set_rollback(True)
    assert left() == (1, 1)


def test_a_withdrawal_told_late_that_a_younger_yes_has_overtaken_deletes_nothing(alma: Customer) -> None:
    linked(alma, "/a")
    say(alma, Kind.WITHDRAWN, at=timezone.now() - timedelta(days=30), late=True, source=Source.IMPORT)
    assert left() == (1, 1)
    say(alma, Kind.EXPIRED, source=Source.SYSTEM)
    assert left() == (0, 0)


def test_withdrawing_something_else_leaves_the_visits(alma: Customer) -> None:
    linked(alma, "/a")
    withdraw(alma, "newsletter", "email", source=Source.DESK)
    assert left() == (1, 1)


def test_an_objection_to_advertising_ends_the_profile_and_only_a_younger_yes_begins_one(
    alma: Customer, agent: User
) -> None:
    linked(alma, "/a")
    objecting.object_now(alma, channel="phone", by=agent)
    assert left() == (0, 0)
    report("/b", consent=agreed(timezone.now()))
    link(alma)
    assert Device.objects.get().customer is None
    say(alma, Kind.RENEWED)
    link(alma)
    assert Device.objects.get().customer == alma


def test_an_erasure_takes_devices_and_visits_and_says_so(alma: Customer) -> None:
    device = linked(alma, "/a", "/b")
    make_visit(device, timezone.now() - timedelta(days=300))
    erasure = run_erasure(ask_erasure(alma).pk)
    assert left() == (0, 0)
    items = {(item["model"], item["action"]): item["count"] for item in result_of(erasure)["items"]}
    assert items["tracking.Device", "delete"] == 1
    assert erasure.state == "done"
    assert list(DeviceConsent.objects.filter(ended_at__isnull=True)) == []
    report("/c")
    assert left() == (0, 0)


def test_where_a_hold_stands_the_rows_wait_and_nothing_is_added(alma: Customer, manager: User) -> None:
    linked(alma, "/a")
    today = timezone.localdate()
    hold = Hold.objects.create(
        customer=alma, kind="claim", reason="Streit", review_on=today + timedelta(days=90), set_by=manager
    )
    withdraw(alma, "tracking", "web", source=Source.DESK)
    report("/b")
    assert left() == (1, 1)
    assert check_tracking(Options()).ok
    assert cutting.sweep() == 0
    Hold.objects.filter(pk=hold.pk).update(released_at=timezone.now())
    assert not check_tracking(Options()).ok
    assert cutting.sweep() == 1
    assert left() == (0, 0)


def test_the_night_ends_what_has_no_consent_whatever_way_it_went(alma: Customer) -> None:
    linked(alma, "/a")
    State.objects.update(granted=False, state="withdrawn")  # as states look that were built anew
    report("/b", device=OTHER_COOKIE)
    DeviceConsent.objects.exclude(key=Device.objects.get(customer=alma).key).update(ended_at=timezone.now())
    assert cutting.sweep() == 2
    assert left() == (0, 0)


@pytest.mark.parametrize("is_known", [True, False], ids=["a state that was wrong", "a yes that nobody ever said"])
def test_what_is_rebuilt_to_a_no_is_cut_at_once(alma: Customer, is_known: bool) -> None:
    linked(alma, "/a")
    bert = make_person("4712")
    linked(bert, "/b", device=OTHER_COOKIE)
    if is_known:
        # The ledger knows the withdrawal; the state does not, and a device was tied under it.
        say(alma, Kind.WITHDRAWN)
        State.objects.filter(customer=alma).update(granted=True, state=Kind.GIVEN)
        report("/vorher", consent=agreed(timezone.now()))
        link(alma)
        report("/a", consent=agreed(timezone.now()))
    else:
        Record.objects.filter(customer=alma).update(customer=None)
    assert left() == (2, 2)
    rebuild_states()
    assert list(Device.objects.values_list("customer", flat=True)) == [bert.pk]
    assert list(Visit.objects.values_list("path", flat=True)) == ["/b"]
    assert check_tracking(Options()).ok and compare_states().ok


def test_a_restore_revives_no_visit_that_was_ended_on_a_device(wording: Any) -> None:
    report("/a")
    key = bytes(Device.objects.get().key)
    with transaction.atomic():
        report(consent=False)
    (entry,) = [one for one in journal.entries() if one.kind == "tracking_withdrawal"]
    replay = journal.replayers["tracking_withdrawal"].replay
    assert entry.payload["device"] == key.hex()
    # The backup knows nothing of it.
    DeviceConsent.objects.update(ended_at=None)
    now = timezone.now() - timedelta(minutes=1)
    make_visit(Device.objects.create(key=key, first_seen=now, last_seen=now), now)
    assert replay([entry.payload]) == 1
    assert left() == (0, 0)
    assert replay([entry.payload]) == 0


def test_a_replayed_withdrawal_cuts_the_link(alma: Customer) -> None:
    linked(alma, "/a")
    at = timezone.now() + timedelta(seconds=1)
    payload = {"customer": alma.pk, "purpose": "tracking", "channel": "web", "endpoint": "", "at": at.isoformat(),
               "source": "desk"}  # fmt: skip
    assert journal.replayers["consent_withdrawal"].replay([payload]) == 1
    assert left() == (0, 0)


def beside(*stories: Any) -> None:
    """Run them at the same moment, each with a connection of its own."""
    barrier = Barrier(len(stories))

    def run(story: Any) -> None:
        try:
            barrier.wait()
            story()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(stories)) as pool:
        for done in [pool.submit(run, story) for story in stories]:
            done.result()


@pytest.mark.django_db(transaction=True)
def test_two_withdrawals_beside_reports_and_links_leave_nothing() -> None:
    alma = make_person("4711")
    publish_wording()
    old = agreed()
    for _ in range(5):
        DeviceConsent.objects.all().delete()
        say(alma)
        report("/a", consent=old)
        link(alma)
        assert Device.objects.filter(customer=alma).exists()
        beside(
            lambda: withdraw(alma, "tracking", "web", source=Source.DESK),
            lambda: withdraw(alma, "tracking", "web", source=Source.SELF_SERVICE),
            lambda: report("/b", "/c", consent=old),
            lambda: report("/d", consent=old, kind="phone"),
            lambda: link(alma),
        )
        assert left() == (0, 0)
        assert check_tracking(Options(deep=True)).ok
