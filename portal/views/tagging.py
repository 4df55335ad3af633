"""Tagging many customers of the list at once."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from customers.access import visible_customers
from portal.listing import Listing, listing_of
from portal.querying import PER_PAGE, selected_ids
from portal.tagging import CAP, tag_customers, tag_names, untag_customers
from staff.access import permission_required


@require_POST
@permission_required("customers.edit")
def customer_tag(request: HttpRequest) -> HttpResponse:
    """Tag the chosen customers, or all that match, up to a cap."""
    listing = listing_of(request, request.POST)
    name = " ".join("".join(c if c.isprintable() else " " for c in request.POST.get("tag", "")).split())
    ids = _meant(request, listing)
    if listing.stale:
        messages.warning(request, _("Nothing was tagged: that search has ended."))
    elif not name or len(name) > 60:
        messages.warning(request, _("Nothing was tagged: write a tag of up to 60 letters and choose customers."))
    elif not ids:
        messages.warning(request, _("Nothing was tagged: no customer was chosen."))
    elif len(ids) > CAP:
        messages.warning(request, _("Nothing was tagged: that is more than 10,000 customers. Narrow the list."))
    else:
        change = untag_customers if request.POST.get("action") == "remove" else tag_customers
        done = change(ids, name)
        text = ngettext("%d customer changed.", "%d customers changed.", done.changed)
        messages.success(request, text % done.changed)
    return redirect(listing.address())


@require_safe
@permission_required("customers.edit")
def tag_options(request: HttpRequest) -> HttpResponse:
    """The tags there are, as options: asked for once somebody begins to write one, not with every page of the list.

    They are a part of that page: who opens their address is led there.
    """
    if "HX-Request" not in request.headers:
        return redirect("portal:customer_list")
    return HttpResponse(format_html_join("", '<option value="{}">', ((name,) for name in tag_names())))


def _meant(request: HttpRequest, listing: Listing) -> list[int]:
    if request.POST.get("all"):
        return [] if listing.stale else selected_ids(listing.selection(CAP + 1), CAP + 1)
    numbers = [number for number in request.POST.getlist("customer") if "\0" not in number][:PER_PAGE]
    return list(visible_customers(listing.user).filter(number__in=numbers).values_list("pk", flat=True))
