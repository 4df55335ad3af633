"""Pages that count what stands on lists: claimed opt-ins and suppressed endpoints; names are on neither."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max, Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from customers.claims import CATEGORY
from customers.forms import EndpointForm
from customers.listwords import channel_words, scope_words, state_words
from customers.models import ClaimReport, OptInClaim, Origin, Suppression
from datamap.catalogue import explain, rules_of
from staff.access import permission_required, signed_in

LISTED = 200


@require_GET
@permission_required("datamap.view")
def claims(request: HttpRequest) -> HttpResponse:
    """Opt-ins that imports assert and nobody has proved: how many, from where, and their last day."""
    groups: list[Any] = list(
        OptInClaim.objects.values("origin_id", "channel", "state")
        .annotate(number=Count("pk"), first=Min("claimed_at"), last=Max("claimed_at"))
        .order_by("-last", "origin_id", "channel", "state")[:LISTED]
    )
    origins = Origin.objects.in_bulk({group["origin_id"] for group in groups})
    today, rules = timezone.localdate(), rules_of(CATEGORY)
    for group in groups:
        group["origin"] = origins[group["origin_id"]]
        group["until"] = explain(CATEGORY, group["last"], as_of=today, rules=rules).deletable_from
        group["channel_words"] = channel_words(group["channel"])
        group["state_words"] = state_words(group["state"])
    reports = ClaimReport.objects.select_related("origin").order_by("-dropped_at", "-pk")[:LISTED]
    context: dict[str, Any] = {
        "groups": groups,
        "total": sum(group["number"] for group in groups),
        "may_prove": signed_in(request).may("consents.claims"),
        "reports": [(report, channel_words(report.channel)) for report in reports],
    }
    return render(request, "customers/claims.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("datamap.view")
def suppression_list(request: HttpRequest) -> HttpResponse:
    """How many endpoints must not be written to and why; and the question about one, asked by POST."""
    form = EndpointForm(request.POST if request.method == "POST" else None)
    entries = None
    if request.method == "POST" and form.is_valid():
        entries = (
            Suppression.objects.filter(endpoint__in=form.marks)
            .prefetch_related("mentions")
            .order_by("ended_at", "-since")
        )
    groups = (
        Suppression.objects.filter(ended_at__isnull=True)
        .values("channel", "scope", "reason")
        .annotate(number=Count("pk"), last=Max("since"))
        .order_by("channel", "scope", "reason")
    )
    reasons = dict(Suppression.Reason.choices)
    rows = [
        (
            channel_words(group["channel"]),
            scope_words(group["scope"]),
            reasons.get(group["reason"], group["reason"]),
            group,
        )
        for group in groups
    ]
    context = {
        "form": form,
        "rows": rows,
        "total": sum(group["number"] for *_words, group in rows),
        "asked": entries is not None,
        "entries": [(entry, scope_words(entry.scope)) for entry in entries or ()],
    }
    return render(request, "customers/suppression.html", context, status=422 if form.errors else 200)
