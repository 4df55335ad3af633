"""Exporting the filtered customer list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import number_format
from django.views.decorators.http import require_http_methods

from portal.exporting import cap_for, export_customers, heads
from portal.forms import ExportForm
from portal.listing import Listing, listing_of
from portal.querying import Selection, capped_count
from portal.views.customers import found_words
from staff.access import permission_required, recent_login_required

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@require_http_methods(["GET", "POST"])
@permission_required("customers.export")
@recent_login_required
def customer_export(request: HttpRequest) -> HttpResponseBase:
    """Say what will be exported (GET), then hand out the file (POST)."""
    listing = listing_of(request, request.GET)
    cap = cap_for(listing.user)
    # One more than may be exported, so that a list that is too long is told from one that just fits.
    selection = replace(listing.selection(cap + 1), restricted_too=False)
    count = capped_count(selection, cap)
    form = ExportForm(request.POST or None, may_contacts=listing.user.may("exports.contacts"))
    refused = listing.stale or count > cap
    if request.method == "POST" and not refused and form.is_valid():
        return _file(listing, selection, form.cleaned_data)
    context = {
        "listing": listing,
        "form": form,
        "found": found_words(count, cap),
        "cap": number_format(cap, force_grouping=True),
        "refused": refused,
        "stale": listing.stale,
        "chips": listing.chips(),
        "heads": heads(listing.columns, contacts=False),
        "back": listing.address(),
    }
    return render(request, "portal/customer_export.html", context, status=422 if request.method == "POST" else 200)


def _file(listing: Listing, selection: Selection, chosen: dict[str, Any]) -> StreamingHttpResponse:
    kind = chosen["file_format"]
    pieces = export_customers(listing.user, selection, kind, listing.columns, chosen.get("contacts", False))
    name = f"customers-{timezone.localdate():%Y-%m-%d}.{kind}"
    response = StreamingHttpResponse(pieces, content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
