"""What holds for every request: a number for the log, allowed methods, nothing kept by caches."""

import codecs
import re
import secrets
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.urls import Resolver404
from django.views.defaults import page_not_found

from config.logs import current_request
from datamap import quarantine

GetResponse = Callable[[HttpRequest], HttpResponse]
METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")
CHARSETS = ("utf-8", "ascii", "iso8859-1", "cp1252")
REQUEST_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")


def request_log(get_response: GetResponse) -> GetResponse:
    """Give each request a number that its log lines and its answer carry; a proxy's own number is kept."""

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        number = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        request.request_id = number  # type: ignore[attr-defined]
        token = current_request.set(request)
        try:
            response = get_response(request)
        finally:
            current_request.reset(token)
        response["X-Request-ID"] = number
        return response

    return middleware


def refuse_methods(get_response: GetResponse) -> GetResponse:
    """Answer TRACE and invented methods with 405 before any view sees them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        return get_response(request)

    return middleware


def read_as_text(get_response: GetResponse) -> GetResponse:
    """Read a form as UTF-8, as every page of ours sends it, where its header names a charset that no form has: Python
    takes the names of much else for one (rot13, zlib, idna), and fails at it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.encoding and codecs.lookup(request.encoding).name not in CHARSETS:
            request.encoding = "utf-8"
        return get_response(request)

    return middleware


def own_not_found(get_response: GetResponse) -> GetResponse:
    """For development: a page that is not there is the house's own as in production; faults keep their traceback."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 404 and getattr(request, "resolver_match", None) is None:
            return page_not_found(request, Resolver404())  # no address fits: Django answers with a list of them
        return response

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return page_not_found(request, exception) if isinstance(exception, Http404) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def no_store(get_response: GetResponse) -> GetResponse:
    """Keep pages out of every cache unless a view says otherwise; static files never come this far."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def refuse_in_quarantine(get_response: GetResponse) -> GetResponse:
    """Answer every page with 503 while the database does not know what the journal knows; /healthz says so itself."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz" or not quarantine.current().active:
            return get_response(request)
        response = HttpResponse(render_to_string("quarantine.html"), status=503)
        response["Retry-After"] = "300"
        return response

    return middleware
