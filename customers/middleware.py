"""What somebody is told whose page is about a customer who was erased, before or meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import page_not_found
from psycopg.errors import ForeignKeyViolation

from customers.access import Erased, met_erased
from customers.models import Customer

GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_erased(get_response: GetResponse) -> GetResponse:
    """Answer with 410 where the customer of a page has been erased, with 404 where the customer went without being
    erased (an import was taken back) or never was; the transaction of the page is rolled back."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Erased):
            return render(request, "410.html", status=410)
        if isinstance(error, Customer.DoesNotExist) or _points_nowhere(error):
            gone = met_erased(request)
            return render(request, "410.html", status=410) if gone else page_not_found(request, Http404())
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def _points_nowhere(error: Exception) -> bool:
    """Whether a row was to be stored for a customer whose row went while the page was at work."""
    cause = error.__cause__ if isinstance(error, IntegrityError) else None
    return isinstance(cause, ForeignKeyViolation) and Customer._meta.db_table in (cause.diag.message_detail or "")
