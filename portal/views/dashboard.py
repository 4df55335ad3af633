"""What one sees first."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.cards import cards_for
from staff.access import login_required_page


@require_GET
@login_required_page
def dashboard(request: HttpRequest) -> HttpResponse:
    """The day's work: what is due, what is open, what is new."""
    user: Any = request.user
    return render(request, "portal/dashboard.html", {"cards": cards_for(user)})
