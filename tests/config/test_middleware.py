"""What every answer of the house carries."""

from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from config.middleware import no_store, read_as_text, request_log
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


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/gibt-es-nicht/", "/customers/4711/"])
def test_in_development_too_what_is_not_there_is_told_by_the_house(
    settings: Any, signed_in: Any, manager: Any, address: str
) -> None:
    settings.DEBUG = True
    answer = signed_in(manager).get(address, headers={"Accept-Language": "de"})
    assert answer.status_code == 404
    assert "Diese Seite gibt es nicht" in answer.content.decode()
    assert "URLconf" not in answer.content.decode()


@pytest.mark.django_db
def test_in_development_a_missing_slash_is_added_and_a_fault_shows_its_traceback(
    settings: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DEBUG = True
    client = Client(raise_request_exception=False)
    client.force_login(manager)
    assert client.get("/customers").status_code == 301

    def broken(*_args: object) -> None:
        raise RuntimeError("Mühle klemmt")

    monkeypatch.setattr("portal.views.dashboard.cards_for", broken)
    fault = client.get("/")
    assert (fault.status_code, "Traceback" in fault.content.decode()) == (500, True)


@pytest.mark.parametrize(
    "charset", ["rot13", "hex", "zlib", "idna", "undefined", "unicode_escape", "utf-16", "no-such"]
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
@pytest.mark.django_db
def test_a_form_in_a_charset_that_no_form_has_is_read_all_the_same(charset: str, kind: str) -> None:
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.cookies[settings.CSRF_COOKIE_NAME] = "b" * 32
    body = b"login=a%40laden.example" if "urlencoded" in kind else b"--b--\r\n"
    answer = browser.generic("POST", "/accounts/login/", body, f"{kind}; charset={charset}")
    assert answer.status_code == 403  # it carries no token, and that is all that is wrong with it


def test_a_form_in_a_charset_of_forms_is_read_in_it(rf: RequestFactory) -> None:
    body = '--b\r\nContent-Disposition: form-data; name="q"\r\n\r\nMüller\r\n--b--\r\n'.encode("iso-8859-1")
    kind = "multipart/form-data; boundary=b; charset=iso-8859-1"
    answer = read_as_text(lambda request: HttpResponse(request.POST["q"]))(rf.generic("POST", "/", body, kind))
    assert answer.content.decode() == "Müller"
