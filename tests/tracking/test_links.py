"""A device belongs to a person only with consent, and only when the shop's server has signed it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

import consents
from consents.events import Kind
from consents.models import Purpose
from consents.purposes import save_purpose
from customers.models import Customer, ExternalId
from customers.stopping import stop_advertising
from privacy.models import Hold
from staff.models import User
from tests.privacy.making import make_person
from tests.tracking.making import COOKIE, SECRET, agreed, link, linked, report, say, send_token, token
from tracking.cutting import sweep
from tracking.linking import sign
from tracking.models import Device, Visit
from tracking.taking import keys_of

pytestmark = pytest.mark.django_db


def owners() -> list[int | None]:
    return list(Device.objects.order_by("pk").values_list("customer", flat=True))


def paths_of(customer: Customer) -> list[str]:
    return list(Visit.objects.filter(device__customer=customer).order_by("occurred_at").values_list("path", flat=True))


def test_with_consent_the_device_is_linked_and_its_visits_are_theirs(alma: Customer) -> None:
    say(alma)
    report("/seither")
    assert link(alma).status_code == 204
    device = Device.objects.get()
    assert (device.customer, device.linked_at is None) == (alma, False)
    assert paths_of(alma) == ["/seither"]
    since = device.linked_at
    link(alma)  # on every page again: the date stays
    device.refresh_from_db()
    assert device.linked_at == since


def test_without_consent_nothing_is_linked_and_the_answer_is_the_same(alma: Customer) -> None:
    report("/a")
    answers = [link(alma), send_token(token({"number": "gibt-es-nicht"}))]
    say(alma, Kind.REFUSED)
    answers.append(link(alma))
    assert {(answer.status_code, answer.content) for answer in answers} == {(204, b"")}
    assert owners() == [None]


def test_without_consent_on_the_device_nothing_is_linked(alma: Customer) -> None:
    say(alma)
    assert link(alma).status_code == 204
    assert owners() == []
    report("/a")
    report(consent=False)
    link(alma)
    assert owners() == []


@pytest.mark.parametrize(
    "change", [{"restricted_at": timezone.now()}, {"deactivated_at": timezone.now()}], ids=["restricted", "deactivated"]
)
def test_who_is_restricted_is_neither_linked_nor_followed(alma: Customer, change: dict[str, Any]) -> None:
    linked(alma, "/vorher")
    Customer.objects.filter(pk=alma.pk).update(**change)
    assert report("/nachher").status_code == 204
    assert list(Visit.objects.values_list("path", flat=True)) == ["/vorher"]
    report("/anderswo", device="ein-anderes-geraet")
    link(alma, "ein-anderes-geraet")
    assert owners() == [alma.pk, None]


def test_where_the_shop_uses_the_purpose_no_more_on_its_pages_nobody_is_followed(alma: Customer) -> None:
    linked(alma, "/vorher")
    purpose = Purpose.objects.get(key="tracking")
    purpose.channels = ["email"]
    save_purpose(purpose)
    assert consents.may(alma, "tracking", "web").reason == "wrong_channel"
    assert report("/nachher").status_code == 204
    assert list(Visit.objects.values_list("path", flat=True)) == ["/vorher"]


def test_a_customer_is_known_by_the_id_of_the_platform(alma: Customer) -> None:
    ExternalId.objects.create(customer=alma, platform="shopify", value="77")
    report("/a")
    say(alma)
    assert send_token(token({"platform": "shopify", "id": "78"})).status_code == 204
    assert owners() == [None]
    assert send_token(token({"platform": "shopify", "id": "77"})).status_code == 204
    assert owners() == [alma.pk]


def test_two_people_at_one_device_each_have_their_own_history(alma: Customer) -> None:
    bert = make_person("4712")
    linked(alma, "/von-alma")
    say(bert)
    link(bert)
    report("/von-bert")
    paths = {
        c.number: list(Visit.objects.filter(device__customer=c).values_list("path", flat=True)) for c in (alma, bert)
    }
    assert paths == {"4711": ["/von-alma"], "4712": ["/von-bert"]}
    say(alma, Kind.WITHDRAWN)
    assert list(Visit.objects.values_list("path", flat=True)) == ["/von-bert"]
    report("/wieder-bert")
    assert Visit.objects.filter(device__customer=bert).count() == 2


def test_forged_foreign_and_old_tokens_are_refused(alma: Customer) -> None:
    report("/a")
    say(alma)
    good = token({"number": alma.number})
    body, _dot, signature = good.partition(".")
    forged = [
        "", "x", f"{body}.", f"{body}x.{signature}", f"{body}.{signature[:-2]}AA", f".{signature}", "ä.ö",
        token({"number": alma.number}, secret="ein anderer Laden"),
        token({"number": alma.number}, lasts=-1), token({"number": alma.number}, lasts=3600),
    ]  # fmt: skip
    assert {send_token(text).status_code for text in forged} == {403}
    assert owners() == [None]
    # Used twice it does once what it says.
    assert [send_token(good).status_code for _ in range(2)] == [204, 204]
    assert owners() == [alma.pk]


def test_signed_nonsense_is_told_apart_from_forgery(alma: Customer) -> None:
    for said in ({}, {"device": COOKIE, "customer": "4711", "expires": 1}, [], {"a": 1}):
        answer = send_token(sign(json.dumps(said).encode(), SECRET))
        assert answer.status_code in (403, 422)
    for customer in ({"number": 4711}, {"number": ""}, {"number": "a\x00"}, {"platform": "shopify"}, []):
        assert send_token(token(customer)).status_code == 422


def test_a_body_that_is_no_token(settings: Any, alma: Customer) -> None:
    def sent(body: str) -> int:
        return Client().post("/t/links", body, content_type="application/json").status_code

    assert [sent(""), sent("[]"), sent('{"token": 5}'), sent('{"token": "x", "a": 1}')] == [400, 422, 422, 422]
    assert sent(json.dumps({"token": "x" * 20_000})) == 413
    settings.TRACKING_LINK_SECRETS = []
    assert sent("{}") == 404


def test_visits_from_before_the_consent_are_not_linked_and_not_even_kept(alma: Customer) -> None:
    """§ 25 TDDDG: nothing is read from a device before somebody agreed on it, whatever a page sends afterwards."""
    now = timezone.now()
    given = now - timedelta(hours=1)
    seen = {"/davor": given - timedelta(seconds=1), "/dabei": given, "/danach": now}
    visits = [{"path": path, "at": at.isoformat()} for path, at in seen.items()]
    say(alma, at=now - timedelta(days=30))
    report(visits=visits, consent=agreed(given))
    link(alma)
    report(visits=visits, consent=agreed(given))  # the page sends it once more, now that the device is known
    theirs = Visit.objects.filter(device__customer=alma).values_list("path", flat=True)
    assert sorted(theirs) == ["/dabei", "/danach"]
    assert Visit.objects.count() == 2


def visits_at(**said: Any) -> list[dict[str, str]]:
    return [{"path": f"/{path}", "at": at.isoformat()} for path, at in said.items()]


def test_visits_from_before_the_persons_own_consent_never_become_theirs(alma: Customer) -> None:
    """Agreeing on a device (§ 25 TDDDG) is no consent to a profile of the person (Art. 6(1)(a) GDPR)."""
    now, hour = timezone.now(), timedelta(hours=1)
    seen = visits_at(davor=now - 3 * hour, dabei=now - 2 * hour, danach=now - hour)
    on_device = agreed(now - 9 * hour)
    report(visits=seen, consent=on_device)
    say(alma, at=now - 2 * hour)
    link(alma)
    assert paths_of(alma) == ["/dabei", "/danach"]
    # Nothing of it lies about without an owner, where the next link would find it.
    assert Visit.objects.count() == 2
    device = Device.objects.get()
    assert (device.first_seen, device.visits_from) == (now - 2 * hour, now - 2 * hour)
    # A page that reports late brings nothing back.
    report(visits=seen + visits_at(spaeter=now), consent=on_device)
    assert paths_of(alma) == ["/dabei", "/danach", "/spaeter"]


def test_a_consent_that_was_renewed_began_with_the_first_one(alma: Customer) -> None:
    now, hour = timezone.now(), timedelta(hours=1)
    say(alma, at=now - 5 * hour)
    report(visits=visits_at(davor=now - 6 * hour, dazwischen=now - 4 * hour), consent=agreed(now - 9 * hour))
    say(alma, Kind.RENEWED, at=now - 3 * hour)
    link(alma)
    assert paths_of(alma) == ["/dazwischen"]


@pytest.mark.parametrize("ended_by", ["withdrawal", "objection"])
def test_a_consent_after_an_end_covers_nothing_of_before(alma: Customer, ended_by: str) -> None:
    now, hour = timezone.now(), timedelta(hours=1)
    say(alma, at=now - 8 * hour)
    report(visits=visits_at(davor=now - 7 * hour, dazwischen=now - 4 * hour), consent=agreed(now - 9 * hour))
    if ended_by == "withdrawal":
        say(alma, Kind.WITHDRAWN, at=now - 5 * hour)
    else:
        stop_advertising([alma.pk], now - 5 * hour)
    say(alma, at=now - 3 * hour)
    report(visits=visits_at(danach=now - hour), consent=agreed(now - 9 * hour))
    link(alma)
    assert paths_of(alma) == ["/danach"]


def test_what_the_first_person_saw_and_a_page_tells_late_is_not_the_second_ones(alma: Customer) -> None:
    bert = make_person("4712")
    linked(alma, "/von-alma")
    say(bert, at=timezone.now() - timedelta(days=30))
    link(bert)
    report(visits=visits_at(verspaetet=timezone.now() - timedelta(minutes=30)))
    assert (paths_of(alma), paths_of(bert)) == (["/von-alma"], [])


def test_devices_tied_before_are_put_right_by_night_but_for_what_a_hold_keeps(alma: Customer, manager: User) -> None:
    bert = make_person("4712")
    now, hour = timezone.now(), timedelta(hours=1)
    for customer, cookie in ((alma, COOKIE), (bert, "ein-anderes-geraet")):
        report(visits=visits_at(davor=now - 3 * hour, danach=now), consent=agreed(now - 9 * hour), device=cookie)
        say(customer, at=now - hour)
        # As an older version tied them.
        Device.objects.filter(key__in=keys_of(cookie)).update(customer=customer, linked_at=now)
    review = timezone.localdate() + timedelta(days=90)
    Hold.objects.create(customer=bert, kind="claim", reason="Streit", review_on=review, set_by=manager)
    sweep()
    assert (paths_of(alma), paths_of(bert)) == (["/danach"], ["/davor", "/danach"])


@pytest.mark.parametrize("text", ["\ud800.AAAA", "YQ\ud800.YQ", "ä.ö", "a.b.c", ".", ""])
def test_what_no_shop_can_have_signed_is_forged(text: str) -> None:
    assert Client().post("/t/links", json.dumps({"token": text}), content_type="application/json").status_code == 403
