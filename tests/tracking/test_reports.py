"""Pages report visits: nothing without the device's own consent, little with it, and nonsense gets a clear answer."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consents.models import LegalText, LegalTextVersion
from datamap import journal
from tests.tracking.making import (
    COOKIE,
    ORIGIN,
    OTHER_COOKIE,
    agreed,
    post,
    publish_wording,
    report,
    standing_months,
)
from tracking import months
from tracking.models import Device, DeviceConsent, Visit
from tracking.reading import read_report
from tracking.taking import take

pytestmark = pytest.mark.django_db


def test_with_consent_a_visit_is_kept_and_the_device_is_a_keyed_hash(wording: Any) -> None:
    visit = {"path": "/kaffee/espresso", "referrer": "www.example.org", "campaign": "herbst-26"}
    answer = report(kind="phone", visits=[visit])
    assert (answer.status_code, answer.content) == (204, b"")
    assert not answer.cookies
    device = Device.objects.get()
    assert (device.kind, device.customer, bytes(device.key)[2:]) == ("phone", None, bytes(device.key)[2:34])
    assert COOKIE.encode() not in bytes(device.key)
    seen = Visit.objects.get(device=device)
    assert (seen.path, seen.referrer, seen.campaign) == ("/kaffee/espresso", "www.example.org", "herbst-26")
    consent = DeviceConsent.objects.get()
    assert (consent.wording, consent.language, consent.ended_at) == (wording, "de", None)
    assert consent.key == device.key


@pytest.mark.parametrize("consent", [None, False], ids=["nobody asked", "no"])
def test_without_consent_nothing_is_kept(wording: Any, consent: Any) -> None:
    answer = report("/kaffee", consent=consent)
    assert answer.status_code == 204
    assert post({"device": COOKIE, "visits": [{"path": "/kaffee"}]}).status_code == 204
    assert [model.objects.count() for model in (Device, DeviceConsent, Visit)] == [0, 0, 0]


def test_a_no_on_the_device_deletes_what_is_there_and_the_old_yes_brings_nothing_back(wording: Any) -> None:
    old = agreed()
    report("/a", "/b", consent=old)
    report("/c", device=OTHER_COOKIE)
    assert Visit.objects.count() == 3
    assert report(consent=False).status_code == 204
    assert list(Visit.objects.values_list("path", flat=True)) == ["/c"]
    # The page still has the old consent in its cookie, under its own clock and under another.
    report("/d", consent=old)
    report("/e", consent=agreed(timezone.now() - timedelta(days=3)))
    assert list(Visit.objects.values_list("path", flat=True)) == ["/c"]
    assert Device.objects.count() == 1
    report("/f", consent=agreed(timezone.now()))
    assert set(Visit.objects.values_list("path", flat=True)) == {"/c", "/f"}


def test_a_no_that_overtakes_its_report_ends_it_and_leaves_nothing_of_a_device_unknown(wording: Any) -> None:
    old = agreed()
    assert report(consent=False).status_code == 204
    assert [model.objects.count() for model in (Device, DeviceConsent, Visit)] == [0, 0, 0]
    assert not [entry for entry in journal.entries() if entry.kind == "tracking_withdrawal"]
    # The page had sent it before the no, without waiting for the answer.
    assert report("/a", consent=old).status_code == 204
    report("/b", device=OTHER_COOKIE, consent=old)
    assert list(Visit.objects.values_list("path", flat=True)) == ["/b"]
    assert not DeviceConsent.objects.filter(ended_at__isnull=True).exclude(key=Device.objects.get().key).exists()
    # It brings nothing back later either, and a new yes is one.
    cache.clear()
    report("/c", consent=old)
    assert list(Visit.objects.values_list("path", flat=True)) == ["/b"]
    report("/d", consent=agreed(timezone.now()))
    assert set(Visit.objects.values_list("path", flat=True)) == {"/b", "/d"}


def test_a_yes_of_a_clock_that_is_ahead_is_one_and_ends_like_any_other(wording: Any) -> None:
    ahead = timezone.now() + timedelta(minutes=4)
    old = agreed(ahead)
    before = {"path": "/vorher", "at": (ahead - timedelta(seconds=30)).isoformat()}
    after = {"path": "/nachher", "at": (ahead + timedelta(seconds=1)).isoformat()}
    report(visits=[before, after], consent=old)
    report(visits=[{"path": "/jetzt"}], consent=old)
    # What the device's own clock puts before the yes was before it.
    assert set(Visit.objects.values_list("path", flat=True)) == {"/nachher", "/jetzt"}
    assert DeviceConsent.objects.count() == 1
    assert report(consent=False).status_code == 204
    report("/danach", consent=old)
    assert [model.objects.count() for model in (Device, Visit)] == [0, 0]
    assert not DeviceConsent.objects.filter(ended_at__isnull=True).exists()
    # The same clock says when somebody agrees again.
    report(visits=[{"path": "/wieder"}], consent=agreed(ahead + timedelta(seconds=10)))
    assert Visit.objects.get().path == "/wieder"


def test_a_restore_revives_no_visit_of_a_clock_that_was_ahead(wording: Any) -> None:
    old = agreed(timezone.now() + timedelta(minutes=4))
    report("/a", consent=old)
    report(consent=False)
    DeviceConsent.objects.all().delete()
    report("/a", consent=old)  # as the backup has it
    assert DeviceConsent.objects.filter(ended_at__isnull=True).count() == 1
    replay = journal.replayers["tracking_withdrawal"].replay
    assert replay([entry.payload for entry in journal.entries() if entry.kind == "tracking_withdrawal"]) == 1
    assert [model.objects.count() for model in (Device, Visit)] == [0, 0]


def test_a_batch_is_one_statement(wording: Any) -> None:
    body = {"device": COOKIE, "consent": agreed(), "visits": [{"path": f"/{n}"} for n in range(50)]}
    for n, visit in enumerate(body["visits"]):
        visit["at"] = (timezone.now() - timedelta(seconds=n)).isoformat()
    with CaptureQueriesContext(connection) as asked:
        assert take(read_report(json.dumps(body).encode(), timezone.now()), timezone.now()).visits == 50
    assert len(asked) == 1


def test_what_is_sent_twice_is_kept_once(wording: Any) -> None:
    body = {"device": COOKIE, "consent": agreed(), "visits": [{"path": "/a", "at": timezone.now().isoformat()}]}
    assert [post(body).status_code for _ in range(2)] == [204, 204]
    assert (Visit.objects.count(), Device.objects.count(), DeviceConsent.objects.count()) == (1, 1, 1)


def test_a_month_that_is_missing_is_made_when_it_is_needed(wording: Any) -> None:
    this = months.month_of(timezone.localdate())
    months.drop(this)
    assert f"{this.first:%Y-%m}" not in standing_months()
    report("/a")
    assert f"{this.first:%Y-%m}" in standing_months()
    assert Visit.objects.count() == 1


def test_months_are_made_ahead_and_once() -> None:
    months.make_ahead(timezone.localdate())
    before = standing_months()
    assert months.make_ahead(timezone.localdate()) == 0
    assert before == standing_months() and len(before) >= 3


BAD: dict[str, tuple[Any, int, str]] = {
    "no body": (b"", 400, "JSON"),
    "no JSON": (b"{", 400, "JSON"),
    "not UTF-8": (b'{"device": "\xff"}', 400, "JSON"),
    "NaN": (b'{"device": NaN}', 400, "JSON"),
    "a field twice": (b'{"device": "a", "device": "b"}', 400, "JSON"),
    "deep": (b"[" * 8_000, 400, "JSON"),
    "a list": ([], 422, "object"),
    "unknown field": ({"ip": "10.0.0.1"}, 422, "fields"),
    "unknown field of a visit": ({"visits": [{"path": "/", "user": "4711"}]}, 422, "fields"),
    "no device": ({"device": None}, 422, "device"),
    "short device": ({"device": "abc"}, 422, "device"),
    "an address as device": ({"device": "alma.kanarienvogel@laden.example"}, 422, "device"),
    "NUL": ({"visits": [{"path": "/a\x00"}]}, 422, "path"),
    "kind": ({"kind": "Mozilla/5.0"}, 422, "kind"),
    "query": ({"visits": [{"path": "/suche?q=alma"}]}, 422, "query"),
    "fragment": ({"visits": [{"path": "/a#b"}]}, 422, "fragment"),
    "address in the path": ({"visits": [{"path": "/konto/alma%40laden.example"}]}, 422, "address"),
    "no path": ({"visits": [{}]}, 422, "path"),
    "long path": ({"visits": [{"path": "/" + "a" * 500}]}, 422, "path"),
    "referrer with a path": ({"visits": [{"path": "/", "referrer": "https://example.org/alma"}]}, 422, "referrer"),
    "campaign": ({"visits": [{"path": "/", "campaign": "an Alma"}]}, 422, "campaign"),
    "no zone": ({"visits": [{"path": "/", "at": "2026-11-24T10:00:00"}]}, 422, "offset"),
    "no date": ({"visits": [{"path": "/", "at": "2026-13-40T10:00:00Z"}]}, 422, "offset"),
    "a zone of no place": ({"visits": [{"path": "/", "at": "2026-11-30T10:00:00+23:59"}]}, 422, "offset"),
    "its consent": ({"consent": agreed() | {"given_at": "2026-11-30T10:00:00+23:59"}}, 422, "offset"),
    "too many": ({"visits": [{"path": "/"}] * 51}, 422, "50"),
    "no wording": ({"consent": {"language": "de", "given_at": "2026-01-01T00:00:00Z"}}, 422, "wording"),
    "consent yes": ({"consent": True}, 422, "object"),
    "unknown wording": ({"consent": agreed(wording="tracking:99")}, 422, "published"),
    "language": ({"consent": agreed() | {"language": "fr"}}, 422, "language"),
    "too large": ({"visits": [{"path": "/" + "a" * 400}] * 45}, 413, "bytes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_what_is_wrong_and_leaves_nothing(wording: Any, case: str) -> None:
    body, status, word = BAD[case]
    if isinstance(body, dict):
        body = {"device": COOKIE, "consent": agreed(), "visits": []} | body
    answer = post(body)
    assert answer.status_code == status, answer.content
    assert word in answer.json()["error"]
    assert "alma" not in answer.json()["error"]
    assert [model.objects.count() for model in (Device, DeviceConsent, Visit)] == [0, 0, 0]


@pytest.mark.parametrize(("minutes", "status"), [(4, 204), (6, 422), (-2 * 24 * 60 + 1, 204), (-2 * 24 * 60 - 1, 422)])
def test_clocks_may_be_a_little_wrong(wording: Any, minutes: int, status: int) -> None:
    at = timezone.now() + timedelta(minutes=minutes)
    consent = agreed(timezone.now() - timedelta(days=30))
    assert report(visits=[{"path": "/", "at": at.isoformat()}], consent=consent).status_code == status
    if status == 204:
        assert Visit.objects.get().occurred_at <= timezone.now()


def test_a_wording_is_named_by_whatever_key_the_shop_has_given_it(wording: Any) -> None:
    text = LegalText.objects.create(key="Banner_2026-A", kind="consent", purpose=wording.text.purpose)
    LegalTextVersion.objects.create(
        text=text, number=12, title_de="Wiedererkennen", title_en="Recognising", body_de="Ja.", body_en="Yes.",
        sha256_de="a" * 64, sha256_en="b" * 64, valid_from="2026-01-01", published_at=timezone.now(),
    )  # fmt: skip
    assert report("/kaffee", consent=agreed(wording="Banner_2026-A:12")).status_code == 204
    assert Visit.objects.count() == 1


def test_a_wording_that_is_not_published_or_of_another_purpose_is_none(wording: Any) -> None:
    publish_wording(number=2, draft=True)
    publish_wording("newsletter-text")
    for name in ("tracking:2", "newsletter-text:1"):
        assert report("/", consent=agreed(wording=name)).status_code == 422
    assert not DeviceConsent.objects.exists()


@pytest.mark.parametrize("origin", ["", "https://boese.example", "null", f"{ORIGIN}.boese.example"])
def test_only_pages_of_the_shop_may_report(wording: Any, origin: str) -> None:
    answer = post({"device": COOKIE}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer


def test_a_browser_that_asks_first_is_told_that_it_may(wording: Any) -> None:
    answer = Client().options("/t/visits", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert "Access-Control-Allow-Credentials" not in answer


def test_where_no_shop_is_named_the_door_is_closed(settings: Any, wording: Any) -> None:
    settings.TRACKING_ORIGINS = []
    assert report("/").status_code == 404
    assert Client().get("/t/visits").status_code == 405


def test_one_device_reports_sixty_times_a_minute(wording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.limiting.PER_DEVICE", 3)
    assert [report().status_code for _ in range(4)] == [204, 204, 204, 429]
    assert report(device=OTHER_COOKIE).status_code == 204
    assert report()["Retry-After"] == "60"


def test_one_caller_reports_six_hundred_times_a_minute(wording: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.limiting.PER_CALLER", 2)
    assert [report(device=f"geraet-nummer-{n:04}").status_code for n in range(3)] == [204, 204, 429]
