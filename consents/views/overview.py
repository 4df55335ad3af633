"""The overview of consents, and opt-ins of imports that wait for their proof."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consents import overview, proving
from consents.access import person_for
from consents.events import Channel
from consents.evidence import told
from consents.forms import ProveForm, wording_of
from consents.models import Purpose
from consents.taking import actor_of
from consents.tasks import prove_claims
from customers.access import visible_customers
from customers.models import OptInClaim, Origin
from customers.reading import spaced
from datamap.controlling import legal_zone
from datamap.keyset import page_of
from staff.access import permission_required, signed_in

LISTED = 200


@require_GET
@permission_required("consents.overview")
def overview_page(request: HttpRequest) -> HttpResponse:
    """Rates, what comes and goes, what is getting stale, what is unproven."""
    months = overview.flow()
    context = {
        "rates": overview.rates(),
        "months": months,
        "bars": overview.bars(months),
        "unproven": overview.unproven(),
        "may_prove": signed_in(request).may("consents.claims"),
        "may_settings": signed_in(request).may("consents.settings"),
    }
    return render(request, "consents/overview.html", context)


@require_GET
@permission_required("consents.claims")
def claim_imports(request: HttpRequest) -> HttpResponse:
    """Imports that assert opt-ins, the newest first."""
    groups: list[Any] = list(
        OptInClaim.objects.values("origin")
        .annotate(number=Count("pk"), yes=Count("pk", filter=Q(state="yes")), last=Max("claimed_at"))
        .order_by("-last", "origin")[:LISTED]
    )
    origins = Origin.objects.in_bulk([group["origin"] for group in groups])
    rows = [(origins[group["origin"]], group) for group in groups]
    return render(request, "consents/claims.html", {"rows": rows})


@require_GET
@permission_required("consents.claims")
def claim_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The opt-ins that one import asserts."""
    origin = get_object_or_404(Origin, pk=pk)
    shown = visible_customers(signed_in(request))
    claims = OptInClaim.objects.filter(origin=origin, customer__in=shown).select_related("customer")
    page = page_of(claims, "id", descending=False, cursor=request.GET.get("cursor", ""))
    zone = legal_zone()
    rows = [(one, Channel(one.channel).label, proving.read_evidence(one.evidence, zone)) for one in page.rows]
    context = {
        "origin": origin,
        "rows": rows,
        "total": OptInClaim.objects.filter(origin=origin).count(),
        "next_url": f"?cursor={page.next_cursor}" if page.next_cursor else "",
    }
    return render(request, "consents/claim_list.html", context)


@require_POST
@permission_required("consents.claims")
def claims_prove(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter what the import's own columns prove; a worker does it."""
    origin = get_object_or_404(Origin, pk=pk)
    wake = partial(prove_claims.delay, origin.pk, actor_of(signed_in(request)))
    transaction.on_commit(wake, robust=True)
    messages.success(request, _("What the import itself proves is entered now; what is left stays in this list."))
    return redirect("consents:claims")


@require_http_methods(["GET", "POST"])
@permission_required("consents.claims")
def claims_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop all opt-ins of one import; says how many before it does it."""
    origin = get_object_or_404(Origin, pk=pk)
    if request.method != "POST":
        number = OptInClaim.objects.filter(origin=origin).count()
        return render(request, "consents/claims_drop.html", {"origin": origin, "number": number})
    gone = proving.drop_import(origin.pk)
    messages.success(request, ngettext("%d opt-in is dropped.", "%d opt-ins are dropped.", gone) % gone)
    return redirect("consents:claims")


@require_http_methods(["GET", "POST"])
@permission_required("consents.claims")
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    """One asserted opt-in: what proves it, or what stands against it."""
    found = _claim(request, pk)
    evidence = proving.read_evidence(found.evidence, legal_zone())
    columns = list(told(found.evidence or {}))
    context: dict[str, Any] = {"claim": found, "channel": Channel(found.channel).label, "columns": columns}
    try:
        purpose = proving.purpose_of(found)
    except proving.NotProven as refused:
        return render(request, "consents/claim.html", context | {"refused": str(refused)})
    endpoints = [(str(one.id), spaced(one.value)) for one in proving.endpoints_for(found)]
    initial = {"at": evidence.at, "confirmed": evidence.confirmed is not None}
    form = ProveForm(request.POST or None, purpose=purpose, endpoints=endpoints, initial=initial)
    if not endpoints:
        context["refused"] = _("The customer has no address or number for this channel.")
    elif len(endpoints) == 1:
        context["refused"] = proving.against(found, endpoints[0][1])
    context |= {"form": form, "purpose": purpose}
    if request.method == "POST" and form.is_valid():
        return _prove(request, found, form, dict(endpoints), purpose, context)
    return render(request, "consents/claim.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@permission_required("consents.claims")
def claim_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop one opt-in that nobody can prove."""
    found = _claim(request, pk)
    proving.drop(found.pk)
    messages.success(request, _("The opt-in is dropped."))
    return redirect("consents:claim_list", pk=found.origin_id)


def _claim(request: HttpRequest, pk: int) -> OptInClaim:
    found = OptInClaim.objects.filter(pk=pk).select_related("customer", "origin").first()
    if found is None:
        raise Http404
    person_for(request, found.customer.number, page="consents:claim", permission="consents.claims")
    return found


def _prove(
    request: HttpRequest,
    found: OptInClaim,
    form: ProveForm,
    endpoints: dict[str, str],
    purpose: Purpose,
    context: dict[str, Any],
) -> HttpResponse:
    data = form.cleaned_data
    try:
        proving.prove(
            found.pk,
            endpoints[data["endpoint"]],
            at=data["at"],
            actor=actor_of(signed_in(request)),
            confirmed=data["confirmed"],
            wording=wording_of(data["wording"]),
            note=data["note"].strip(),
        )
    except proving.NotProven as refused:
        return render(request, "consents/claim.html", context | {"refused": str(refused)}, status=422)
    except OptInClaim.DoesNotExist:
        messages.warning(request, _("Somebody else has decided about this opt-in already."))
        return redirect("consents:claim_list", pk=found.origin_id)
    messages.success(request, _("Entered into the ledger as a consent: %s.") % purpose.name)
    return redirect("consents:claim_list", pk=found.origin_id)
