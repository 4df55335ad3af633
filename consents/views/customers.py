"""Consents of one customer: how they stand, what was said, taking down and ending one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consents import deciding
from consents.access import person_for, scan_for
from consents.answering import proofs_of
from consents.delisting import is_stopped
from consents.events import Channel, Source
from consents.forms import TakeDownForm, wording_of
from consents.models import Purpose, Record
from consents.opting_in import BadAddress, NotOffered, TooMany, ask_opt_in
from consents.panel import Line, panel_of
from consents.passing import invitations_for
from consents.taking import NotTaken, Said, actor_of, end_consent, take_down
from customers.models import Customer
from datamap.keyset import page_of
from staff.access import permission_required, signed_in

PER_PAGE = 20
# What a browser shows without running anything.
SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "image/webp"})


@require_GET
@permission_required("consents.view")
def customer(request: HttpRequest, number: str) -> HttpResponse:
    """Every consent that there is or could be, and everything that was ever said."""
    person = person_for(request, number, page="consents:customer", permission="consents.view")
    told = Record.objects.filter(customer=person).select_related("entry", "purpose").prefetch_related("scans")
    page = page_of(told, "occurred_at", cursor=request.GET.get("cursor", ""), size=PER_PAGE)
    user = signed_in(request)
    lines = panel_of(person)
    context = {
        "customer": person,
        "told": [line for line in lines if line.is_told or line.decision.allowed],
        "unasked": [line for line in lines if not line.is_told and not line.decision.allowed],
        "proofs": proofs_of(page.rows),
        "next_url": f"?cursor={page.next_cursor}" if page.next_cursor else "",
        "may_record": user.may("consents.record"),
        "invitations": invitations_for(person) if user.may("consents.record") else [],
        "may_ledger": user.may("consents.ledger"),
        "opens_customers": user.may("customers.view"),
    }
    return render(request, "consents/customer.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("consents.record")
def consent_take_down(request: HttpRequest, number: str) -> HttpResponse:
    """What the customer said on the phone, on paper or in the store: first the purpose, then the rest."""
    person = person_for(request, number, page="consents:take_down", permission="consents.record")
    purpose = _purpose(request)
    if purpose is None:
        context = {"customer": person, "purposes": Purpose.objects.filter(retired_at__isnull=True)}
        return render(request, "consents/take_down.html", context)
    lines = [line for line in panel_of(person) if line.purpose == purpose and line.can_be_told]
    stopped = _stopped(person, purpose, lines)
    known: dict[str, Any] = {"purpose": purpose, "choices": [(line.key, line.label) for line in lines]}
    known["asks_signed"] = bool(stopped - {Channel.EMAIL})
    if request.method != "POST":
        form = TakeDownForm(**known, initial={"choice": request.GET.get("line", "")})
        return _page(request, person, purpose, form, stopped)
    form = TakeDownForm(request.POST, request.FILES, **known)
    if not form.is_valid():
        return _page(request, person, purpose, form, stopped, status=422)
    line = next(line for line in lines if line.key == form.cleaned_data["choice"])
    try:
        kind = take_down(person, _said(line, form.cleaned_data), by=signed_in(request))
    except NotTaken as refused:
        form.add_error(None, str(refused))
        return _page(request, person, purpose, form, stopped, status=422)
    _tell(request, person, line, kind)
    return redirect("consents:customer", number=person.number)


@require_POST
@permission_required("consents.record")
def consent_withdraw(request: HttpRequest, number: str) -> HttpResponse:
    """End one consent at once, with one click; sent twice it is the same."""
    person = person_for(request, number, page="consents:withdraw", permission="consents.record")
    line = _line(request, person)
    if line.may_end:
        end_consent(person, line.purpose, line.channel, line.value, by=signed_in(request))
    messages.success(request, _("Ended: %s. Nothing is sent because of it any more.") % line.purpose.name)
    return _back(request, person)


@require_POST
@permission_required("consents.record")
def consent_ask(request: HttpRequest, number: str) -> HttpResponse:
    """Send the neutral mail by which the person confirms from the address itself."""
    person = person_for(request, number, page="consents:ask_opt_in", permission="consents.record")
    line, user = _line(request, person), signed_in(request)
    if not line.asks_opt_in or not line.value:
        messages.warning(request, _("The person cannot be asked: %s") % line.decision.text)
        return _back(request, person)
    try:
        ask_opt_in(
            line.value,
            [line.purpose.key],
            page="desk",
            language="en" if person.language == "en" else "de",
            customer=person,
            source=Source.DESK,
            actor=actor_of(user),
        )
    except NotOffered:
        messages.warning(request, _("The purpose has no published wording that the person could confirm."))
    except (BadAddress, TooMany):
        messages.warning(request, _("No mail went out: the address is not theirs, or was asked too often."))
    else:
        messages.success(request, _("The person is asked by a mail. Nothing is allowed before it is confirmed."))
    return _back(request, person)


@require_GET
@permission_required("consents.view")
def scan_download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The paper as it was scanned; whatever a browser might run is only downloaded."""
    scan = scan_for(request, pk)
    shown = scan.content_type in SHOWN
    return FileResponse(
        scan.file.open("rb"),
        as_attachment=not shown,
        filename=scan.name,
        content_type=scan.content_type if shown else "application/octet-stream",
    )


def _line(request: HttpRequest, person: Customer) -> Line:
    """The line of the panel that a button named. Raises BadRequest where there is none."""
    purpose, wanted = request.POST.get("purpose", ""), request.POST.get("line", "")
    line = next((one for one in panel_of(person) if (one.purpose.key, one.key) == (purpose, wanted)), None)
    if line is None:
        raise BadRequest
    return line


def _back(request: HttpRequest, person: Customer) -> HttpResponse:
    if request.POST.get("back") == "customer" and signed_in(request).may("customers.view"):
        return redirect("portal:customer_detail", number=person.number)
    return redirect("consents:customer", number=person.number)


def _purpose(request: HttpRequest) -> Purpose | None:
    key = request.POST.get("purpose") or request.GET.get("purpose") or ""
    if not key:
        if request.method == "POST":
            raise BadRequest
        return None
    found = Purpose.objects.filter(key=key, retired_at__isnull=True).first() if "\0" not in key else None
    if found is None:
        raise Http404
    return found


def _said(line: Line, data: dict[str, Any]) -> Said:
    return Said(
        purpose=line.purpose,
        channel=line.channel,
        agrees=data["agrees"] == "yes",
        source=data["source"],
        endpoint=line.value,
        at=data["at"],
        wording=wording_of(data["wording"]),
        note=data["note"].strip(),
        token=data["token"],
        scans=data["scans"],
        signed=data.get("signed", False),
    )


def _tell(request: HttpRequest, person: Customer, line: Line, kind: str) -> None:
    if not kind:
        messages.info(request, _("That stands in the ledger already."))
        return
    decision = deciding.may(person, line.purpose.key, line.channel, line.value)
    words = _("Entered into the ledger. %s") % decision.text
    (messages.success if decision.allowed else messages.info)(request, words)


def _stopped(person: Customer, purpose: Purpose, lines: list[Line]) -> set[str]:
    """Channels on which a spoken yes would allow nothing."""
    asked = lines if purpose.advertising else []
    return {line.channel for line in asked if is_stopped(person, line.channel, line.value)}


def _page(
    request: HttpRequest,
    person: Customer,
    purpose: Purpose,
    form: TakeDownForm,
    stopped: set[str],
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"customer": person, "purpose": purpose, "form": form, "stopped": stopped}
    return render(request, "consents/take_down.html", context, status=status)
