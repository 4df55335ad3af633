"""What somebody is told whose page is about a customer who was erased, before or meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from psycopg.errors import ForeignKeyViolation

from customers.access import Erased
from customers.models import Customer

GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_erased(get_response: GetResponse) -> GetResponse:
    """Answer with 410 where the customer of a page has been erased; the transaction of the page is rolled back."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        gone = isinstance(error, (Erased, Customer.DoesNotExist)) or _points_nowhere(error)
        return render(request, "410.html", status=410) if gone else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def _points_nowhere(error: Exception) -> bool:
    """Whether a row was to be stored for a customer whose row went while the page was at work."""
    cause = error.__cause__ if isinstance(error, IntegrityError) else None
    return isinstance(cause, ForeignKeyViolation) and Customer._meta.db_table in (cause.diag.message_detail or "")
