"""The overview of consents, and opt-ins of imports that are proved or dropped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

import consents
from config.celery import app
from consents import overview, proving
from consents.audience import count_audience
from consents.models import Entry, Purpose, Record
from consents.purposes import retire, save_purpose
from consents.rebuilding import compare_states
from customers.models import Address, ClaimReport, ContactPoint, Customer, OptInClaim, Origin, Suppression
from customers.postal import postal_key
from customers.suppression import suppress
from datamap.controlling import legal_zone
from datamap.workdays import day_begins
from privacy.objecting import object_now
from tests.consents.publishing import give, make_version
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db
PROOF = {
    "OPTIN_TIME": "2024-05-01 10:00:00",
    "OPTIN_IP": "192.0.2.7",
    "CONFIRM_TIME": "2024-05-01 10:05:00",
    "CONFIRM_IP": "192.0.2.7",
}


@pytest.fixture
def origin(db) -> Origin:
    return Origin.objects.create(kind="file", platform="mailchimp", label="audience.csv")


def claim_for(customer: Customer, origin: Origin, **given: Any) -> OptInClaim:
    values = {"channel": "email", "state": "yes", "evidence": PROOF} | given
    return OptInClaim.objects.create(customer=customer, origin=origin, **values)


def rate_of(purpose: str, channel: str) -> overview.Rate:
    return next(one for one in overview.rates() if (one.purpose.key, one.channel) == (purpose, channel))


def test_rates_count_who_was_asked_and_who_says_yes(manager_client):
    now = timezone.now()
    people = [make_person(f"5{n:03}") for n in range(5)]
    give(people[0])
    give(people[1], now - timedelta(days=30 * 26))  # soon stale: 24 of 36 months are over
    give(people[2], now - timedelta(days=30 * 40))  # stale
    give(people[3])
    give(people[3], kind="withdrawn")
    give(people[4], kind="requested", confirmed=False)
    found = rate_of("newsletter", "email")
    assert (found.asked, found.granted, found.allowed, found.refused, found.waiting, found.stale, found.soon) == (
        5, 3, 2, 1, 1, 1, 1,
    )  # fmt: skip
    assert found.percent == 60
    month = overview.flow()[-1]
    assert (month.given, month.ended) == (2, 1)  # the old ones were given in months of their own
    page = manager_client.get(reverse("consents:overview"))
    assert page.status_code == 200
    assert "60&nbsp;%" in page.text
    assert "<svg" in page.text


def test_who_was_only_told_at_a_sale_has_not_said_yes():
    alma, bert, carla = (make_person(str(4711 + n)) for n in range(3))
    give(alma)
    for buyer in (bert, carla):
        give(buyer, kind="noticed")
    give(carla, kind="lapsed")
    row = rate_of("newsletter", "email")
    # What may be sent is another question: to whom was told, too (§ 7(3) UWG).
    assert (row.asked, row.granted, row.percent, row.allowed) == (1, 1, 100, 2)
    newsletter = Purpose.objects.get(key="newsletter")
    newsletter.existing_customers = False
    save_purpose(newsletter)
    assert rate_of("newsletter", "email").allowed == count_audience(newsletter, "email") == 1
    retire(newsletter, retired=True)
    assert rate_of("newsletter", "email").allowed == 0


def test_on_a_channel_that_is_used_no_more_nobody_may_be_reached():
    alma = make_person("4711")
    give(alma)
    newsletter = Purpose.objects.get(key="newsletter")
    newsletter.channels = ["sms"]
    save_purpose(newsletter)
    assert consents.may(alma, "newsletter", "email").reason == "wrong_channel"
    row = rate_of("newsletter", "email")
    assert (row.granted, row.allowed) == (1, 0)


def test_by_post_whom_the_list_stops_may_not_be_reached_and_whom_nobody_asked_may(manager_client):
    """Post about one's own goods needs no yes (Art. 6(1)(f) GDPR), and goes to nobody who has objected there before."""
    suppress("post", postal_key("Am Deich 4", "20095"), reason="objection", since=timezone.now() - timedelta(days=5))
    asked, refuses, silent, listed = (make_person(str(4711 + n)) for n in range(4))
    Address.objects.create(customer=listed, street="Am Deich 4", postcode="20095", city="Hamburg")
    for one, kind in ((asked, "given"), (refuses, "refused")):
        give(one, kind=kind, purpose="post", channel="post", endpoint="", confirmed=False)
    told = {one.number for one in (asked, refuses, silent, listed) if consents.may(one, "post", "post")}
    assert told == {asked.number, silent.number}
    row = rate_of("post", "post")
    assert (row.asked, row.granted, row.refused, row.allowed) == (2, 1, 1, 2)
    assert manager_client.get(reverse("consents:overview")).status_code == 200


def test_the_months_of_the_chart_are_twelve_and_those_of_the_shop():
    months = overview.flow()
    assert len(months) == 12
    assert all(one.month.day == 1 for one in months)
    assert months[-1].month == timezone.localdate().replace(day=1)
    bars = overview.bars([overview.Month(months[0].month, 10, 5), overview.Month(months[1].month, 0, 1)])
    assert [(bar.height, bar.ended) for bar in bars] == [(60, False), (30, True), (0, False), (6, True)]


def test_the_chart_counts_what_was_said_in_the_month_in_which_it_was_said(manager_client):
    """Not ten years of opt-ins in the month of their import."""
    now, zone = timezone.now(), legal_zone()
    first = timezone.localdate(timezone=zone).replace(day=1)
    long_ago, two_months_ago = first - timedelta(days=3_650), (first - timedelta(days=35)).replace(day=15)
    anna, bert, carla, dora = (make_person(f"5{n:03}") for n in range(4))
    noon = {day: datetime(day.year, day.month, day.day, 12, tzinfo=zone) for day in (long_ago, two_months_ago)}
    give(anna, noon[long_ago], late=True, source="import")
    give(bert, noon[two_months_ago], late=True, source="import")
    give(carla, noon[two_months_ago], late=True, source="import")
    give(carla, noon[two_months_ago] + timedelta(days=1), late=True, kind="withdrawn", source="import")
    # The last instant of a month of the shop, in the next month by UTC or not.
    give(dora, day_begins(first, zone) - timedelta(seconds=1), late=True, source="paper")
    give(dora, kind="renewed")

    def counted() -> dict:
        return {month.month: (month.given, month.ended) for month in overview.flow() if month.given or month.ended}

    last = (first - timedelta(days=1)).replace(day=1)
    before = two_months_ago.replace(day=1)
    assert counted() == {before: (2, 1), last: (1, 0), first: (1, 0)}
    # Blocked records are for proof alone: of them the day of record counts, which the ledger says of nobody.
    Record.objects.filter(customer=bert).update(blocked_at=now, customer=None, subject_ref=uuid4())
    assert counted() == {before: (1, 1), last: (1, 0), first: (2, 0)}
    assert "in ihrem eigenen Monat" in manager_client.get(reverse("consents:overview")).text


def test_only_those_who_need_it_see_the_overview(agent_client, outsider_client, manager_client):
    assert agent_client.get(reverse("consents:overview")).status_code == 403
    assert outsider_client.get(reverse("consents:claims")).status_code == 403
    assert manager_client.get(reverse("consents:claims")).status_code == 200


def prove_all(client, origin: Origin) -> None:
    app.conf.task_always_eager = True
    try:
        with TestCase.captureOnCommitCallbacks(execute=True):
            assert client.post(reverse("consents:claims_prove", args=[origin.pk])).status_code == 302
    finally:
        app.conf.task_always_eager = False


@pytest.mark.parametrize("first", ["who refused", "the other"])
def test_a_no_at_an_address_counts_for_all_who_spell_it_otherwise(manager_client, origin, first):
    """Two of a family in one import, at one address: a file proves no yes where somebody has said no."""
    refused, other = make_person("1"), make_person("2")
    point = ContactPoint.objects.get(customer=other, kind="email")
    point.value = "Alma1@Laden.example"
    point.save()
    give(refused, datetime(2023, 1, 1, tzinfo=UTC), kind="refused", confirmed=False, late=True)
    for one in (refused, other) if first == "who refused" else (other, refused):
        claim_for(one, origin)
    prove_all(manager_client, origin)
    assert consents.may(refused, "newsletter", "email").reason == "refused"
    assert consents.may(other, "newsletter", "email").reason == "never_asked"
    assert OptInClaim.objects.count() == 2


def test_an_import_is_proved_as_a_set_by_its_own_columns(manager_client, manager, origin):
    good = make_person("1")
    claim_for(good, origin)
    single = make_person("2")
    claim_for(single, origin, evidence={"OPTIN_TIME": PROOF["OPTIN_TIME"], "OPTIN_IP": "192.0.2.7"})
    said_no = make_person("3")
    claim_for(said_no, origin)
    give(said_no, kind="withdrawn")
    listed = make_person("4")
    claim_for(listed, origin)
    suppress("email", "ALMA4@laden.example ", reason=Suppression.Reason.UNSUBSCRIBED)
    two = make_person("5")
    ContactPoint.objects.create(customer=two, kind="email", value="zwei@laden.example")
    claim_for(two, origin)
    against = make_person("6")
    claim_for(against, origin, state="no")
    protected = make_person("7", restricted_at=timezone.now())
    claim_for(protected, origin)
    objector = make_person("8")
    claim_for(objector, origin)
    object_now(objector, channel="phone", by=None)
    future = make_person("9")
    claim_for(future, origin, evidence=PROOF | {"OPTIN_TIME": "2099-01-01 10:00", "CONFIRM_TIME": "2099-01-01 10:00"})
    twin = make_person("10")
    point = ContactPoint.objects.get(customer=twin, kind="email")
    point.value = "alma3@laden.example"  # of somebody who has said no
    point.save()
    claim_for(twin, origin)
    prove_all(manager_client, origin)
    row = Record.objects.exclude(customer=said_no).get()
    assert (row.customer, row.kind, row.source, row.late, row.confirmed) == (good, "given", "import", True, True)
    assert row.occurred_at == datetime(2024, 5, 1, 8, 5, tzinfo=UTC)  # summer time in Berlin
    assert row.entry.actor_ref == f"staff:{manager.pk}"
    assert "192.0.2.7" in row.proof
    assert consents.may(good, "newsletter", "email").reason == "consent"
    assert OptInClaim.objects.count() == 9
    prove_all(manager_client, origin)
    assert Record.objects.exclude(customer=said_no).count() == 1
    assert compare_states().ok


def test_a_set_is_proved_page_by_page(origin, django_assert_max_num_queries):
    for n in range(25):
        claim_for(make_person(f"6{n:03}"), origin)
    assert proving.prove_import(origin.pk, "staff:1", page=10) == proving.Proved(25, 0)
    assert Entry.objects.count() == 25
    for n in range(25):
        claim_for(make_person(f"7{n:03}"), origin)
    with django_assert_max_num_queries(80):
        proving.prove_import(origin.pk, "staff:1", page=10)


def test_one_claim_is_proved_with_what_a_person_knows(manager_client, origin):
    person = make_person("1")
    version = make_version()
    claim = claim_for(person, origin, evidence={})
    url = reverse("consents:claim", args=[claim.pk])
    point = ContactPoint.objects.get(customer=person, kind="email")
    form = {"endpoint": str(point.pk), "at": "2025-03-01T10:00", "wording": f"{version.pk}.de", "note": "Ordner 4."}
    assert manager_client.get(url).status_code == 200
    assert manager_client.post(url, form | {"note": ""}).status_code == 422
    assert manager_client.post(url, form | {"at": "2099-01-01T10:00"}).status_code == 422
    assert manager_client.post(url, form | {"endpoint": "0"}).status_code == 422
    assert manager_client.post(url, form).status_code == 302
    row = Record.objects.get()
    assert (row.source, row.late, row.confirmed, row.entry.text_sha256) == ("import", True, False, version.sha256_de)
    assert "Ordner 4." in row.proof
    assert manager_client.post(url, form).status_code == 404
    assert Record.objects.count() == 1


@pytest.mark.parametrize("end", ["withdrawn", "refused"])
def test_a_proof_revives_nothing(manager_client, origin, end):
    person = make_person("1")
    give(person, kind=end)
    claim = claim_for(person, origin)
    url = reverse("consents:claim", args=[claim.pk])
    assert "Daraus kann keine Einwilligung werden" in manager_client.get(url).text
    point = ContactPoint.objects.get(customer=person, kind="email")
    form = {"endpoint": str(point.pk), "at": timezone.localtime().strftime("%Y-%m-%dT%H:%M"), "note": "Ordner 4."}
    assert manager_client.post(url, form).status_code == 422
    assert not consents.may(person, "newsletter", "email")


def test_claims_are_dropped_singly_and_as_a_set_and_the_number_is_kept(manager_client, origin):
    first, *_others = [claim_for(make_person(f"{n}"), origin) for n in range(4)]
    assert manager_client.post(reverse("consents:claim_drop", args=[first.pk])).status_code == 302
    assert OptInClaim.objects.count() == 3
    drop = reverse("consents:claims_drop", args=[origin.pk])
    assert "3 Opt-ins" in manager_client.get(drop).text
    assert OptInClaim.objects.count() == 3
    assert manager_client.post(drop).status_code == 302
    assert not OptInClaim.objects.exists()
    assert sum(ClaimReport.objects.values_list("dropped", flat=True)) == 4
    assert not Entry.objects.exists()


def test_lists_of_claims_name_no_protected_person(manager_client, origin):
    claim_for(make_person("1"), origin)
    hidden = claim_for(make_person("2", restricted_at=timezone.now()), origin)
    page = manager_client.get(reverse("consents:claim_list", args=[origin.pk]))
    assert [row[0].customer.number for row in page.context["rows"]] == ["1"]
    assert manager_client.get(reverse("consents:claim", args=[hidden.pk])).status_code == 404


def test_a_channel_without_purpose_proves_nothing(manager_client, origin):
    Purpose.objects.filter(key="phone").update(retired_at=timezone.now())
    claim = claim_for(make_person("1"), origin, channel="phone")
    page = manager_client.get(reverse("consents:claim", args=[claim.pk]))
    assert "Kein Zweck, der in Gebrauch ist" in page.text
