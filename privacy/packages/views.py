"""Packages on the desk: making both at one click, looking them through, handing them out; and the one-time link."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.response import FileResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.access import customer_for
from datamap.controlling import controller
from datamap.keyset import page_of
from privacy.access import request_for
from privacy.models import Package, Redaction, Request
from privacy.packages import reviewing
from privacy.packages.access import HANDLES, package_for
from privacy.packages.building import (
    NotProvidable,
    again,
    ask,
    link_to,
    package_for_secret,
    progress_of,
    provide,
    spend_link,
)
from privacy.packages.knowing import asker_of
from privacy.packages.tasks import build_package
from staff.access import permission_required, public_page, recent_login_required, signed_in

REFRESH_SECONDS = 4
KINDS = {"both": ("access", "portability"), "access": ("access",), "portability": ("portability",)}
TONES = {"building": "info", "review": "warn", "ready": "", "expired": "plain", "failed": "stop"}


@require_GET
@permission_required(HANDLES)
def package_list(request: HttpRequest) -> HttpResponse:
    """All packages, the latest first."""
    rows = Package.objects.select_related("customer", "asked_by")
    page = page_of(rows, "asked_at", cursor=request.GET.get("c", ""))
    lines = [(package, TONES[_state(package)]) for package in page.rows]
    context = {"lines": lines, "next_cursor": page.next_cursor, "first_page": page.is_first}
    return render(request, "privacy/packages/list.html", context)


@require_http_methods(["GET", "POST"])
@permission_required(HANDLES)
@recent_login_required
def package_create(request: HttpRequest, number: str) -> HttpResponse:
    """Make the copy, the portable data, or both."""
    customer = customer_for(request, number, page="privacy:package_create", permission=HANDLES)
    if request.method == "POST":
        kinds = KINDS.get(request.POST.get("kind", "both"))
        if kinds is None:
            return render(request, "privacy/packages/create.html", {"customer": customer}, status=422)
        made = [_wanted(customer, kind, signed_in(request).pk) for kind in kinds]
        return redirect("privacy:package", made[0].uuid)
    return render(request, "privacy/packages/create.html", {"customer": customer})


def _wanted(who: Any, kind: str, user_id: int, case: Request | None = None) -> Package:
    package = ask(who, kind, request=case, user_id=user_id)
    transaction.on_commit(lambda: build_package.delay(package.pk))
    return package


@require_POST
@permission_required(HANDLES)
@recent_login_required
def package_for_case(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the package that a request asks for, also for a person who was erased."""
    case = request_for(request, pk, page="privacy:request")
    who = asker_of(case)
    if who is None or case.kind not in Package.Kind.values:
        raise Http404
    return redirect("privacy:package", _wanted(who, case.kind, signed_in(request).pk, case).uuid)


@require_GET
@permission_required(HANDLES)
def package_detail(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """One package: how far it is, what is in it, until when."""
    package = package_for(request, uuid, page="privacy:package")
    others = Package.objects.filter(
        customer=package.customer_id, subject_ref=package.subject_ref, contact_person=package.contact_person
    ).exclude(pk=package.pk)
    context = {
        "package": package,
        "tone": TONES[_state(package)],
        "case": _case_of(package) if signed_in(request).may("privacy.requests") else None,
        "pending": package.redactions.filter(decision=Redaction.Decision.PENDING).count(),
        "progress": progress_of(package) if package.is_working else 0,
        "others": [(other, TONES[_state(other)]) for other in others.order_by("-asked_at", "-pk")[:6]],
    }
    response = render(request, "privacy/packages/detail.html", context)
    if package.is_working:
        response["Refresh"] = str(REFRESH_SECONDS)
    return response


def _case_of(package: Package) -> Request | None:
    """The request that is answered with this package, as long as it is worked on."""
    return Request.on_desk().filter(pk=package.request_id).first() if package.request_id else None


def _state(package: Package) -> str:
    return Package.State.EXPIRED if package.is_over else package.state


@require_http_methods(["GET", "POST"])
@permission_required(HANDLES)
def package_review(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """What names others: blacken or show each passage, then let the package be made as decided."""
    package = package_for(request, uuid, page="privacy:package_review")
    if package.is_over:
        return _over(request)
    if request.method == "POST":
        return _reviewed(request, package)
    if package.state != Package.State.REVIEW:
        return redirect("privacy:package", uuid)
    page = page_of(package.redactions.all(), "model", descending=False, cursor=request.GET.get("c", ""))
    context = {
        "package": package,
        "passages": reviewing.passages(page.rows),
        "next_cursor": page.next_cursor,
        "first_page": page.is_first,
        "cursor": request.GET.get("c", ""),
        "pending": package.redactions.filter(decision=Redaction.Decision.PENDING).count(),
    }
    return render(request, "privacy/packages/review.html", context)


def _reviewed(request: HttpRequest, package: Package) -> HttpResponse:
    user_id = signed_in(request).pk
    here = f"{reverse('privacy:package_review', args=[package.uuid])}?c={request.POST.get('cursor', '')}"
    try:
        reviewing.decide(package, _numbered(request, "decision-"), user_id)
        # Whichever button was pressed: words somebody has typed to be blackened never go out.
        wanted = {near: words.strip() for near, words in _numbered(request, "words-").items() if words.strip()}
        counts = [reviewing.blacken(package, near, words, user_id) for near, words in wanted.items()]
        if not all(counts):
            messages.warning(request, _("These words do not stand there."))
            return redirect(here)
        if "finish" not in request.POST:
            messages.success(request, _("Blackened.") if wanted else _("Saved."))
            return redirect(here)
        reviewing.finish(package, user_id)
    except reviewing.FilesUndecided:
        messages.warning(request, _("Say of each file whether it goes along."))
        return redirect(here)
    except reviewing.NothingToReview:
        messages.info(request, _("This review is over; nothing was done twice."))
        return redirect("privacy:package", package.uuid)
    transaction.on_commit(lambda: build_package.delay(package.pk))
    return redirect("privacy:package", package.uuid)


def _numbered(request: HttpRequest, prefix: str) -> dict[int, str]:
    """What the form says of each passage in the fields of this name."""
    found = ((name.removeprefix(prefix), said) for name, said in request.POST.items() if name.startswith(prefix))
    return {int(pk): str(said) for pk, said in found if pk.isascii() and pk.isdecimal()}


@require_POST
@permission_required(HANDLES)
@recent_login_required
def package_download(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """Take the package out of the house to hand it over; its period begins."""
    return _sent(request, package_for(request, uuid, page="privacy:package_download"))


@require_POST
@permission_required(HANDLES)
def package_again(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Build a failed package once more."""
    package = package_for(request, uuid, page="privacy:package")
    if package.state == Package.State.FAILED and again(package):
        transaction.on_commit(lambda: build_package.delay(package.pk))
    return redirect("privacy:package", uuid)


@require_POST
@permission_required(HANDLES)
@recent_login_required
def package_link(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """A link by which the person fetches the package once; it is shown here and never again."""
    package = package_for(request, uuid, page="privacy:package")
    try:
        address = link_to(package)
    except NotProvidable:
        return _not_providable(request, package)
    return render(request, "privacy/packages/link.html", {"package": package, "address": address})


@require_http_methods(["GET", "POST"])
@public_page("The link itself, sent to the person, opens one package once.")
def package_fetch(request: HttpRequest, secret: str) -> HttpResponseBase:
    """The person fetches their package; looking at the page spends nothing.

    The page tells other sites nothing of its address, as every page here does; "no-referrer" would have browsers hide
    from us, too, where the form comes from, and the form would be refused.
    """
    package = package_for_secret(secret)
    if package is None:
        return _no_link(request)
    if package.is_over:
        return _over(request, shop=controller().name)
    if request.method == "POST":
        if package.state != Package.State.READY or not spend_link(package, secret):
            return _no_link(request)
        return _sent(request, package)
    return render(request, "privacy/packages/fetch.html", {"package": package, "shop": controller().name})


def _sent(request: HttpRequest, package: Package) -> HttpResponseBase:
    try:
        provide(package)
        source = package.file.storage.open(str(package.file.name))
    except NotProvidable:
        return _not_providable(request, package)
    except FileNotFoundError:
        return _over(request)
    reference = package.request.ref if package.request else package.uuid
    response = FileResponse(
        source, as_attachment=True, filename=f"export-{reference}.zip", content_type="application/zip"
    )
    response["Content-Length"] = str(package.bytes)
    response["Cache-Control"] = "no-store"
    return response


def _not_providable(request: HttpRequest, package: Package) -> HttpResponse:
    if package.is_over:
        return _over(request)
    return render(request, "privacy/packages/unready.html", {"package": package}, status=409)


def _over(request: HttpRequest, *, shop: str = "") -> HttpResponse:
    return render(request, "privacy/packages/over.html", {"shop": shop}, status=410)


def _no_link(request: HttpRequest) -> HttpResponse:
    """One answer to whoever made an address up and whoever comes too late."""
    return render(request, "privacy/packages/no_link.html", {"shop": controller().name}, status=404)
