"""What every answer of the house carries."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.middleware import no_store, request_log
from config.serializing import JsonSerializer


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "DEBUG"])
def test_trace_and_invented_methods_are_refused(client: Client, method: str) -> None:
    assert client.generic(method, "/healthz").status_code == 405


@pytest.mark.django_db
def test_the_health_page_answers_and_is_never_cached(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.django_db
def test_the_content_policy_allows_nothing_inline_and_no_frames(client: Client) -> None:
    policy = client.get("/healthz")["Content-Security-Policy"]
    assert "unsafe" not in policy
    for rule in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"):
        assert rule in policy


def _answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", headers={"Cache-Control": "public, max-age=60"})


def test_a_view_may_decide_on_caching_itself(rf: RequestFactory) -> None:
    assert no_store(_answer)(rf.get("/"))["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize(("given", "kept"), [("abc-12345678", True), ("a\r\nb", False), ("x" * 65, False)])
def test_a_sane_request_number_is_kept(rf: RequestFactory, given: str, kept: bool) -> None:
    answer = request_log(_answer)(rf.get("/", headers={"X-Request-ID": given}))
    assert (answer["X-Request-ID"] == given) is kept


@pytest.mark.parametrize("value", [0, 7, "seven", None, True, [1.5, 2.5], {"a": [None]}])
def test_the_cache_speaks_json(value: object) -> None:
    serializer = JsonSerializer()
    stored = serializer.dumps(value)
    assert serializer.loads(stored if isinstance(stored, bytes) else str(stored).encode()) == value
