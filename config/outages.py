"""What a browser gets while the database or the broker is away or a disk is full: 503, "try again", nothing else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

import redis
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as plain_error

from datamap.outages import is_full, is_outage

logger = logging.getLogger(__name__)

RETRY_SECONDS = "30"


def answer_outages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer with 503 where a view has lost the database or the broker, or found no room; its transaction is undone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return _unavailable(exception) if _passes(exception) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def server_error(request: HttpRequest) -> HttpResponse:
    """The page of faults that no view caught; what lies around the views meets outages too (sessions, rate limits)."""
    fault = sys.exc_info()[1]
    return _unavailable(fault) if fault is not None and _passes(fault) else plain_error(request)


def _passes(fault: BaseException) -> bool:
    """A lost broker counts as well: where attempts cannot be counted nobody signs in (fail closed)."""
    return is_outage(fault) or is_full(fault) or isinstance(fault, redis.ConnectionError | redis.TimeoutError)


def _unavailable(fault: BaseException) -> HttpResponse:
    logger.error("A page could not be served: %s", type(fault).__name__)
    return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": RETRY_SECONDS})
