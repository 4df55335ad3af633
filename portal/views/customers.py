"""The customer list: search by POST, filters, keyset pages."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from portal.columns import COLUMNS, Renderer, chooser
from portal.filtering import FilterForm, form_for
from portal.listing import Listing, listing_of, say_if_ended
from portal.querying import COUNTED, PER_PAGE, ForgedCursor, Page, read_page
from portal.states import keep
from staff.access import permission_required


@require_http_methods(["GET", "POST"])
@permission_required("customers.view")
def customer_list(request: HttpRequest) -> HttpResponse:
    """GET shows a page; POST keeps words and filters on the server and comes back by GET."""
    listing = listing_of(request, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST":
        return _narrowed(request, listing)
    if listing.stale:
        messages.warning(request, _("That search has ended. Here is the whole list."))
        return redirect("portal:customer_list")
    return _shown(request, listing, form_for(listing.stored) if "f" in request.GET else None)


def _narrowed(request: HttpRequest, listing: Listing) -> HttpResponse:
    say_if_ended(request, listing)
    if drop := request.POST.get("drop"):
        stored = {name: value for name, value in listing.stored.items() if name != drop}
    else:
        # The small box narrows what is there; the whole form replaces it.
        found = {**listing.stored, "words": request.POST.get("find", "")}
        form = FilterForm(found if "find" in request.POST else request.POST)
        if not form.is_valid():
            return _shown(request, listing, form, status=422)
        stored = form.stored()
    order = request.POST.get("o", "")
    listing.state = keep(listing.user, stored, listing.view) if stored or listing.view else ""
    listing.order = order or listing.usual_order
    return redirect(listing.address())


def _shown(request: HttpRequest, listing: Listing, form: FilterForm | None, status: int = 200) -> HttpResponse:
    selection = listing.selection()
    try:
        page = read_page(selection, listing.order, request.GET.get("c", ""), counted=True)
    except ForgedCursor:
        messages.warning(request, _("That page does not exist. Here is the first one."))
        page, status = read_page(selection, listing.order, counted=True), 400
    context = {
        "listing": listing,
        "filters": form,
        "chips": listing.chips(),
        "found": found_words(page.of or 0, more=selection.more),
        "query": listing.query(),
        **_table(listing, page),
        **_around(listing, page),
    }
    return render(request, "portal/customer_list.html", context, status=status)


def _table(listing: Listing, page: Page) -> dict[str, Any]:
    may = listing.user.may
    renderer = Renderer(listing.columns, selectable=may("customers.edit"))
    return {
        "heads": renderer.heads(listing.order, listing.address),
        "rows": renderer.rows(page.rows),
        "empty": not page.rows,
        "selectable": renderer.selectable,
        "may_export": may("customers.export"),
        "may_choose_columns": not listing.view or listing.view.owner_id == listing.user.pk,
        "column_boxes": chooser(listing.columns),
    }


def _around(listing: Listing, page: Page) -> dict[str, Any]:
    return {
        "list_url": listing.base,
        "filter_url": listing.address(f="1"),
        "first_url": listing.address(),
        "previous_url": listing.address(c=page.previous) if page.previous else "",
        "next_url": listing.address(c=page.next) if page.next else "",
        "per_page": _("%d per page") % PER_PAGE,
        "sorted_by": next((str(c.label) for c in COLUMNS.values() if c.order == listing.order.lstrip("-")), ""),
    }


def found_words(count: int, cap: int = COUNTED, *, more: bool = False) -> str:
    """The capped count in words; `more` where the search had found more than was counted."""
    if count > cap:
        return _("more than 1,000 customers") if cap == COUNTED else _("more than %s customers") % _grouped(cap)
    if more:
        return _("more than %s customers") % _grouped(count)
    return ngettext("%s customer", "%s customers", count) % _grouped(count)


def _grouped(number: int) -> str:
    return number_format(number, force_grouping=True)
