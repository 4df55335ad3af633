"""The two doors for the shop's developer: pages report visits, the shop's server says who has signed in."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from datamap.guard import public_page
from tracking import limiting
from tracking.linking import Forged, link, read_token
from tracking.reading import MAX_BYTES, Unreadable, read_json, read_report
from tracking.taking import take


@csrf_exempt
@require_http_methods(["POST", "OPTIONS"])
@public_page("The shop's pages report visits here; nothing is kept without the consent given on the device.")
def visits(request: HttpRequest) -> HttpResponse:
    """A batch of visits of one device; 204 whether or not anything was kept."""
    if not settings.TRACKING_ORIGINS:
        raise Http404
    origin = request.headers.get("Origin", "")
    if origin not in settings.TRACKING_ORIGINS:
        return _refused("Reports are taken from the pages of the shop alone.", 403)
    answer = HttpResponse(status=204) if request.method == "OPTIONS" else _report(request)
    answer["Access-Control-Allow-Origin"] = origin
    answer["Access-Control-Allow-Methods"] = "POST"
    answer["Access-Control-Allow-Headers"] = "Content-Type"
    answer["Access-Control-Max-Age"] = "86400"
    answer["Vary"] = "Origin"
    return answer


def _report(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    if limiting.is_too_often("caller", get_adapter().get_client_ip(request), limiting.PER_CALLER, now):
        return _too_often()
    try:
        report = read_report(_body(request), now)
        if limiting.is_too_often("device", report.device, limiting.PER_DEVICE, now):
            return _too_often()
        take(report, now)
    except Unreadable as error:
        return _refused(str(error), error.status)
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
@public_page("The shop's server says who has signed in; it proves itself with a signature.")
def links(request: HttpRequest) -> HttpResponse:
    """Ties a device to a customer where both have consented; 204 whether or not that was so."""
    if not settings.TRACKING_LINK_SECRETS:
        raise Http404
    now = timezone.now()
    try:
        said = read_json(_body(request))
        if not isinstance(said, dict) or set(said) != {"token"} or not isinstance(said["token"], str):
            raise Unreadable("An object with a token is needed.")
        link(read_token(said["token"], settings.TRACKING_LINK_SECRETS, now))
    except Unreadable as error:
        return _refused(str(error), error.status)
    except Forged as error:
        return _refused(str(error), 403)
    return HttpResponse(status=204)


def _body(request: HttpRequest) -> bytes:
    """The body, where its sender says that it is small enough; nothing is read otherwise."""
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > MAX_BYTES:
        raise Unreadable(f"A report has at most {MAX_BYTES} bytes.", 413)
    return request.body


def _refused(sentence: str, status: int) -> HttpResponse:
    return JsonResponse({"error": sentence}, status=status)


def _too_often() -> HttpResponse:
    answer = _refused("Too many reports; try again in a minute.", 429)
    answer["Retry-After"] = str(limiting.SECONDS)
    return answer
