"""The search box of every page: straight to the one exact hit, else to a page of results."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from portal.columns import DEFAULT_COLUMNS, Renderer
from portal.finding import SHOWN, Results, exact_page, find
from portal.states import Stale, keep, recall
from staff.access import login_required_page


@require_http_methods(["GET", "POST"])
@login_required_page
def search(request: HttpRequest) -> HttpResponse:
    """POST takes the words, which then stay on the server; GET shows what they find."""
    user: Any = request.user
    if request.method == "POST":
        typed = request.POST.get("q", "")[:200]
        words = " ".join("".join(c if c.isprintable() else " " for c in typed).split())
        if not words:
            return redirect("portal:search")
        url = exact_page(user, words)
        return redirect(url or f"{reverse('portal:search')}?{urlencode({'s': keep(user, {'words': words})})}")
    words, signed, stale = "", request.GET.get("s", ""), False
    if signed:
        try:
            words = recall(user, signed).query.get("words", "")
        except Stale:
            stale = True
    results = find(user, words) if words else Results()
    context = {
        "words": words,
        "state": signed,
        "stale": stale,
        "results": results,
        "rows": Renderer([c for c in DEFAULT_COLUMNS if c != "revenue"], selectable=False).rows(results.rows),
        "all_shown": results.count.isdigit() and int(results.count) <= SHOWN,
    }
    return render(request, "portal/search.html", context)
