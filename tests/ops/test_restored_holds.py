"""After a restore the journal brings back what kept data longer: holds set since the backup, and rules made since.

Otherwise the first night deletes what a claim, an order of an authority or a longer period protects, and nothing brings
that back (domain.md 4.2, Art. 17(3)(b), (e)).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from customers.models import Customer, Summary
from datamap import journal
from datamap.versioning import add_version, newest, successor
from orders.models import Order
from privacy.holding import extend_review, release_hold, set_hold
from privacy.holds_again import replay_released, replay_set
from privacy.models import Hold
from staff.models import User
from tests.ops.restoring import back_up, found, run, said
from tests.privacy.noting import make_customer

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "Streit um die Kaffeemuehle von Annabell"


def soon(days: int = 30) -> date:
    return timezone.localdate() + timedelta(days=days)


def silent(number: str) -> Customer:
    """An account whose period is over, of somebody who cannot be told."""
    customer = make_customer(number=number, first_name="Annabell", last_name="Kanarienvogel")
    customer.contact_points.all().delete()
    Summary.objects.update_or_create(
        customer=customer, defaults={"last_activity": timezone.now() - timedelta(days=1500)}
    )
    return customer


def restored(path: Path, target: str, folder: Path) -> dict[str, Any]:
    said(run(target, folder, "restore", str(path), "--json"))
    outcome = said(run(target, folder, "reapply_erasures", "--json"))
    assert outcome["released"] and outcome["failed"] == 0
    return outcome


def test_holds_of_after_the_backup_keep_after_a_restore_what_they_kept(
    tmp_path: Path, target: str, manager: User
) -> None:
    held, free, ordering = silent("4001"), silent("4002"), silent("4003")
    order = Order.objects.create(customer=ordering, number="B-77", placed_at=timezone.now() - timedelta(days=1500))
    by = {"reason": SECRET, "owner": manager, "by": manager}
    longer = set_hold("authority", customer=ordering, order_number=order.number, review_on=soon(10), **by)
    over = set_hold("claim", customer=free, review_on=soon(10), **by)
    path = Path(back_up(tmp_path)["path"])

    set_hold("claim", customer=held, review_on=soon(30), **by)
    set_hold("payment", customer=ordering, order_number="B-77", review_on=soon(40), **by)
    set_hold("tax", first_year=2019, last_year=2020, categories=["INV"], review_on=soon(50), **by)
    extend_review(longer.pk, soon(200), SECRET, by=manager)
    release_hold(over.pk, SECRET, by=manager)
    told = json.dumps([entry.payload for entry in journal.entries() if entry.kind.startswith("hold_")])
    assert "B-77" not in told and "Annabell" not in told and "4001" not in told and "Streit" not in told

    folder = tmp_path / "restored-files"
    assert restored(path, target, folder)["replayed"] >= 5
    rows = found(
        target,
        "SELECT array_to_string(ARRAY[h.kind, coalesce(c.number, '-'), h.order_number, h.first_year::text, "
        "h.categories::text, h.review_on::text, (h.released_at IS NULL)::text, coalesce(u.email, '-')], ' ') "
        "FROM privacy_hold h LEFT JOIN customers_customer c ON c.id = h.customer_id "
        "LEFT JOIN staff_user u ON u.id = h.owner_id ORDER BY 1",
    )
    assert rows == [
        f"authority 4003 B-77 {{}} {soon(200)} true {manager.email}",
        f"claim 4001  {{}} {soon(30)} true {manager.email}",
        f"claim 4002  {{}} {soon(10)} false {manager.email}",
        f"payment 4003 B-77 {{}} {soon(40)} true {manager.email}",
        f"tax -  2019 {{INV}} {soon(50)} true {manager.email}",
    ]
    night = said(run(target, folder, "purge_expired", "--rule", "ACCOUNT", "--json"))["categories"]["ACCOUNT"]
    assert (night["due"], night["held"], night["deleted"]) == (3, 2, 1)
    assert found(target, "SELECT number FROM customers_customer ORDER BY 1") == ["4001", "4003"]
    # Who replays the same journal again changes nothing.
    again = said(run(target, folder, "reapply_erasures", "--json"))
    assert again["released"] and len(found(target, "SELECT 1 FROM privacy_hold")) == 5


def test_a_rule_that_was_made_longer_after_the_backup_is_the_rule_after_a_restore(tmp_path: Path, target: str) -> None:
    customer = silent("4001")
    path = Path(back_up(tmp_path)["path"])
    rule = successor(newest("ACCOUNT"))
    rule.number, rule.unit, rule.valid_from, rule.reason = 60, "m", timezone.localdate(), SECRET
    rule.transition = ""
    add_version(rule, user_id=None)

    folder = tmp_path / "restored-files"
    restored(path, target, folder)
    said_rule = said(run(target, folder, "explain_retention", "ACCOUNT", "--start", "2024-03-01", "--json"))
    assert (said_rule["rule_version"], said_rule["end"]) == (rule.version, "2029-03-01")
    assert "ACCOUNT" not in said(run(target, folder, "purge_expired", "--rule", "ACCOUNT", "--json"))["categories"]
    assert found(target, "SELECT number FROM customers_customer") == [customer.number]
    told = [entry.payload for entry in journal.entries() if entry.kind == "rule_version"]
    assert len(told) == 1 and "Streit" not in json.dumps(told)


def entries(kind: str) -> list[Any]:
    return [entry.payload for entry in journal.entries() if entry.kind == kind]


def replayed(handler: Callable[[Any], str], entry: Any) -> str:
    with transaction.atomic():
        return handler(entry)


def test_what_is_replayed_twice_or_about_nobody_changes_nothing(manager: User) -> None:
    customer = make_customer()
    hold = set_hold("claim", customer=customer, reason=SECRET, owner=manager, review_on=soon(), by=manager)
    (entry,) = entries("hold_set")
    assert replayed(replay_set, entry) == "already" and Hold.objects.get().reason == SECRET
    release_hold(hold.pk, "Verglichen", by=manager)
    assert replayed(replay_set, entry) == "already" and Hold.objects.get().released_at is not None
    (released,) = entries("hold_released")
    assert replayed(replay_released, released) == "already"
    Hold.objects.all().delete()
    assert replayed(replay_released, released) == "already"
    assert replayed(replay_set, entry | {"customer": customer.pk + 1}) == "already"
    assert replayed(replay_set, entry | {"mark": "0" * 64}) == "already", "another person may have the row number"
    assert not Hold.objects.exists()
    assert replayed(replay_set, entry) == "replayed" and replayed(replay_set, entry) == "already"
    assert replayed(replay_released, released) == "replayed" and replayed(replay_released, released) == "already"


def test_a_hold_on_an_order_that_the_backup_does_not_have_keeps_the_person(manager: User) -> None:
    """The journal knows no order number: what comes in again under it must not be without its hold."""
    customer = make_customer()
    order = Order.objects.create(customer=customer, number="B-99", placed_at=timezone.now())
    set_hold(
        "claim", customer=customer, order_number="B-99", reason=SECRET, owner=manager, review_on=soon(), by=manager
    )
    (entry,) = entries("hold_set")
    Hold.objects.all().delete()
    order.delete()
    manager.delete()
    assert replayed(replay_set, entry) == "replayed"
    again = Hold.objects.get()
    assert (again.order_number, again.owner, again.customer) == ("", None, customer)
    assert again.reviews.count() == 1


def test_in_doubt_no_hold_is_released_and_no_rule_is_changed() -> None:
    loosening = {kind for kind, replayer in journal.replayers.items() if replayer.loosens}
    assert {"hold_released", "rule_version"} <= loosening and "hold_set" not in loosening
