"""The task list of the privacy role, what fills it, and the settings of the shop's own procedure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from django.utils import timezone

from privacy import cockpit, notices
from privacy.models import (
    Breach,
    Erasure,
    ErasureStep,
    Hold,
    Notice,
    Package,
    Policy,
    Request,
    RetentionBatch,
    RetentionRun,
)
from staff.models import Role, User
from tests.privacy.making import days_ago, take
from tests.privacy.noting import at, disclose, make_customer, make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def waiting(officer) -> dict[str, tuple[int, str]]:
    return {item.key: (item.count, item.severity) for item in cockpit.items_for(officer) if item.severity != "info"}


def test_nothing_waits_in_a_fresh_shop(officer, officer_client):
    assert waiting(officer) == {}
    assert cockpit.waiting_count(officer) == 0
    assert officer_client.get(reverse("privacy:cockpit")).status_code == 200


def test_everything_that_waits_is_shown_the_most_urgent_first(officer, officer_client):
    now = timezone.now()
    customer, other = make_customer(), make_customer()
    RetentionRun.objects.create(as_of=date(2026, 11, 1), state="guarded", started_at=now - timedelta(days=3))
    run = RetentionRun.objects.create(as_of=date(2026, 11, 2), state="incomplete", started_at=now - timedelta(days=2))
    RetentionBatch.objects.create(run=run, category="INV", model="orders.Document", ids=["1", "2"], state="failed")
    RetentionBatch.objects.create(run=run, category="INV", model="orders.Document", ids=["3"], state="done")
    hold = {"kind": "claim", "customer": customer, "reason": "Streit", "owner": officer}
    Hold.objects.create(**hold, review_on=timezone.localdate() - timedelta(days=1))
    Hold.objects.create(**hold, review_on=timezone.localdate() + timedelta(days=3))
    Erasure.objects.create(customer=customer, as_of=date(2026, 11, 1), state="waiting")
    erasure = Erasure.objects.create(customer=other, as_of=date(2026, 11, 1), state="running")
    ErasureStep.objects.create(erasure=erasure, key="mail", state="failed")
    for name in ("Nordpost", "Postfix AG"):
        disclose(make_recipient(name), customer, "2026-10-01")
    notices.queue_notices("rectification", customer.pk, None)
    Notice.archive.filter(pk=notices.open_notices()[0].pk).update(state="bounced")
    Breach.objects.create(title="Laptop", aware_at=at("2026-10-24T10:00"), facts="weg")
    Breach.objects.create(title="Brief", aware_at=at("2026-10-24T10:00"), facts="zurück", decision="not", reasons="zu")
    assert waiting(officer) == {
        "breaches": (1, "stop"),
        "holds_overdue": (1, "stop"),
        "run_guarded": (1, "stop"),
        "run_missing": (1, "stop"),
        "rows_past": (2, "stop"),
        "run_failed": (1, "stop"),
        "erasure_failed": (1, "stop"),
        "notices_back": (1, "stop"),
        "notices": (1, "warn"),
        "erasure_waiting": (1, "warn"),
        "holds_soon": (1, "warn"),
    }
    severities = [item.severity for item in officer_client.get(reverse("privacy:cockpit")).context["items"]]
    assert severities == sorted(severities, key=cockpit.SEVERITIES.index)
    assert cockpit.waiting_count(officer) == 11
    dashboard = officer_client.get(reverse("portal:dashboard"))
    assert ("Privacy tasks", "11") in [(one.label, one.value) for one in dashboard.context["cards"].figures]


def test_a_breach_whose_hours_are_over_is_not_said_to_be_due(officer, officer_client):
    """72 hours after becoming aware (Art. 33(1)): before that the instant, after it that it has passed."""
    breach = Breach.objects.create(title="Fehlversand", aware_at=timezone.now() - timedelta(hours=71), facts="Mail")
    (item,) = [one for one in cockpit.items_for(officer) if one.key == "breaches"]
    assert item.text.startswith("due ")
    Breach.objects.filter(pk=breach.pk).update(aware_at=timezone.now() - timedelta(hours=73))
    (item,) = [one for one in cockpit.items_for(officer) if one.key == "breaches"]
    assert item.text.startswith("overdue since ")
    assert "whose clock runs" not in officer_client.get(reverse("privacy:cockpit")).text


def test_requests_in_time_and_answered_ones_that_can_be_closed_are_worth_a_look(officer, officer_client):
    for days, state in ((0, "received"), (40, "received"), (1, "answered"), (2, "refused"), (3, "closed")):
        case = take(officer, name="Alma", received_at=days_ago(days))
        closed_at = timezone.now() if state == "closed" else None
        Request.objects.filter(pk=case.pk).update(state=state, closed_at=closed_at)
    stopped = take(officer, name="Bea", received_at=days_ago(26))
    Request.objects.filter(pk=stopped.pk).update(clock_stopped=True)
    items = {item.key: item for item in officer_client.get(reverse("privacy:cockpit")).context["items"]}
    assert (items["requests_in_time"].count, items["requests_in_time"].severity) == (2, "info")
    assert (items["requests_closable"].count, items["requests_closable"].severity) == (2, "info")
    assert items["requests_late"].count == 1 and "requests_soon" not in items
    shown = officer_client.get(items["requests_closable"].url).context["rows"]
    assert sorted(row.request.state for row in shown) == ["answered", "refused"]


def test_a_batch_that_failed_is_no_news_once_a_later_run_has_chosen_anew(officer):
    """The figures are of rows that are past their last day now, not of a night that is made up for."""

    def run(days: int, *batches: tuple[str, str], only: str = "", state: str = "done") -> None:
        made = RetentionRun.objects.create(
            as_of=date(2026, 11, 1), state=state, only=only, started_at=timezone.now() - timedelta(days=days)
        )
        for category, became in batches:
            RetentionBatch.objects.create(
                run=made, category=category, model="orders.Document", ids=["1", "2"], state=became
            )

    def left() -> tuple[int, int]:
        found = waiting(officer)
        return found.get("rows_past", (0,))[0], found.get("run_failed", (0,))[0]

    run(9, ("INV", "failed"), ("CART", "failed"), state="incomplete")
    assert left() == (4, 2)
    run(8, ("INV", "failed"), ("CART", "done"), state="incomplete")
    assert left() == (2, 1)
    # One rule alone says nothing about the others …
    run(7, ("CART", "done"), only="CART")
    assert left() == (2, 1)
    # … and takes back what it failed to do before.
    run(6, ("INV", "done"), only="INV")
    assert left() == (0, 0)
    run(5, ("INV", "failed"), only="INV", state="incomplete")
    assert left() == (2, 1)
    run(0, ("INV", "done"))
    assert left() == (0, 0)


@pytest.mark.parametrize("role", list(Role.NAMES))
def test_each_line_leads_to_a_page_that_its_reader_may_open(role, signed_in):
    """Who sees that something waits can look at it."""
    user = User.objects.create_user("somebody@obhut.example", name="Wer", language="en", roles=[role])
    client = signed_in(user)
    for task in cockpit._tasks.values():
        if user.may(task.permission) and user.may("privacy.view"):
            assert client.get(cockpit._address(task.url)).status_code == 200, task.key


def test_a_line_leads_to_those_that_wait_and_no_others(officer, officer_client):
    cases = {name: take(officer, name=name, received_at=days_ago(days)) for name, days in (("Alma", 0), ("Bea", 26))}
    refused = take(officer, name="Cleo", received_at=days_ago(1))
    Request.objects.filter(pk=refused.pk).update(refusal_proposed_by=officer)
    for number, state in enumerate(("waiting", "done", "open_stores", "cancelled")):
        Erasure.objects.create(customer=make_customer(), as_of=date(2026, 11, 1 + number), state=state)
    customer = make_customer()
    for name in ("Nordpost", "Postfix AG"):
        disclose(make_recipient(name), customer, "2026-10-01")
    notices.queue_notices("rectification", customer.pk, None)
    Notice.archive.filter(pk=notices.open_notices()[0].pk).update(state="bounced")
    links = {item.key: item.url for item in cockpit.items_for(officer)}

    def rows(key: str) -> list[object]:
        shown = officer_client.get(links[key]).context
        return [getattr(row, "request", row) for row in shown["rows"]] if "rows" in shown else list(shown["page"].rows)

    assert rows("requests_soon") == [cases["Bea"]]
    assert rows("refusals") == [refused]
    assert [row.state for row in rows("erasure_waiting")] == ["waiting"]
    assert [row.state for row in rows("erasure_failed")] == ["open_stores"]
    assert [row.state for row in rows("notices_back")] == ["bounced"]


def test_other_modules_add_their_tasks_and_who_may_not_see_them_does_not(officer, agent):
    with cockpit.registered_temporarily():
        cockpit.register_task("tea", "Tea to make", lambda: cockpit.Finding(2, "cold"), "privacy:nowhere", "warn")
        cockpit.register_task("own", "Own", lambda: 1, "privacy:holds?show=released", "stop", permission="staff.manage")
        item = next(item for item in cockpit.items_for(officer) if item.key == "tea")
        assert (item.count, item.text, item.url) == (2, "cold", "")
        assert "own" not in waiting(officer)
        assert waiting(agent) == {}
        with pytest.raises(ImproperlyConfigured):
            cockpit.register_task("tea", "Other tea", lambda: 1, "privacy:cockpit")
        with pytest.raises(ImproperlyConfigured):
            cockpit.register_task("cake", "Cake", lambda: 1, "privacy:cockpit", "catastrophe")
    assert "tea" not in waiting(officer)


def test_the_cockpit_is_for_those_who_see_privacy(officer_client, agent_client, outsider_client):
    assert officer_client.get(reverse("privacy:cockpit")).status_code == 200
    assert agent_client.get(reverse("privacy:cockpit")).status_code == 403
    assert outsider_client.get(reverse("privacy:cockpit")).status_code == 403


def settings(client, **changed):
    fields = client.get(reverse("privacy:policy")).context["form"]
    said = {name: fields[name].value() for name in fields.fields}
    return {name: value for name, value in {**said, **changed}.items() if value not in (None, False)}


def test_the_shop_says_how_it_proceeds(officer_client, agent_client, outsider_client):
    page = reverse("privacy:policy")
    said = settings(officer_client, erasure_needs_second="on", undo_hours="48", purge_share="0.1")
    assert officer_client.post(page, said).status_code == 302
    now = Policy.current()
    assert (now.erasure_needs_second, now.undo_hours, str(now.purge_share)) == (True, 48, "0.100")
    for wrong in ({"undo_hours": "-1"}, {"undo_hours": "9999"}, {"purge_share": "1.5"}, {"warn_days": "x"}):
        assert officer_client.post(page, settings(officer_client, **wrong)).status_code == 422
    for client in (agent_client, outsider_client):
        assert client.get(page).status_code == 403
        assert client.post(page, said).status_code == 403
    assert Policy.current().undo_hours == 48


def test_a_page_about_one_customer_lights_up_the_customers(officer_client):
    number = make_customer().number
    for name in ("privacy:customer", "privacy:erase", "consents:customer", "portal:customer_detail"):
        page = officer_client.get(reverse(name, args=[number])).content.decode()
        (current,) = re.findall(r'<a class="item" href="([^"]+)" aria-current="page">', page)
        assert current == reverse("portal:customer_list"), name
    page = officer_client.get(reverse("privacy:cockpit")).content.decode()
    assert f'href="{reverse("privacy:cockpit")}" aria-current="page"' in page


def keys_of(officer) -> dict[str, tuple[int, str]]:
    return {item.key: (item.count, item.url) for item in cockpit.items_for(officer)}


@pytest.mark.parametrize("state", ["scheduled", "running"])
def test_an_erasure_that_no_worker_brings_to_its_end_waits_in_the_cockpit(state, officer, officer_client):
    """A worker that dies in the same step each time, or none at all: nothing is silently skipped."""
    ago = timezone.now() - timedelta(hours=1)
    begun = {"started_at": ago} if state == "running" else {}
    Erasure.objects.create(customer=make_customer(), as_of=date(2026, 11, 1), state=state, run_after=ago, **begun)
    # One that has its hour still to come, one that a worker has, and one that is done.
    later = timezone.now() + timedelta(hours=1)
    Erasure.objects.create(customer=make_customer(), as_of=date(2026, 11, 1), state="scheduled", run_after=later)
    Erasure.objects.create(
        customer=make_customer(), as_of=date(2026, 11, 1), state="running", run_after=ago, started_at=ago,
        lease=uuid4(), lease_until=later,
    )  # fmt: skip
    Erasure.objects.create(as_of=date(2026, 11, 1), state="done", run_after=ago, started_at=ago)
    count, url = keys_of(officer)["erasure_late"]
    assert count == 1
    page = officer_client.get(url).content.decode()
    assert page.count("/privacy/erasures/") - page.count("/privacy/erasures/find/") >= 1
    assert len(re.findall(r'href="/privacy/erasures/[0-9]+/"', page)) == 1


def test_a_copy_that_failed_or_that_nobody_builds_waits_in_the_cockpit(officer):
    ago = timezone.now() - timedelta(hours=1)
    for state, at_ in (("failed", timezone.now()), ("building", ago), ("building", timezone.now()), ("expired", ago)):
        Package.objects.create(customer=make_customer(), kind="access", state=state, asked_at=at_)
    assert keys_of(officer)["packages"] == (2, reverse("privacy:packages"))
