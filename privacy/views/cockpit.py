"""The cockpit of the privacy role, and how the shop proceeds."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from privacy.cockpit import items_for
from privacy.models import Policy, RetentionRun
from staff.access import permission_required, signed_in

RUNS = 5


class PolicyForm(forms.ModelForm):
    """Second persons, the undo window, the guard of the nightly run."""

    class Meta:
        model = Policy
        exclude: ClassVar[list[str]] = ["id"]
        help_texts: ClassVar[dict[str, Any]] = {
            "purge_share": gettext_lazy("From 0 to 1: 0.2 is one in five. What goes beyond it waits for a person."),
        }


@require_GET
@permission_required("privacy.view")
def cockpit(request: HttpRequest) -> HttpResponse:
    """What waits for the privacy role, the most urgent first."""
    context = {
        "items": items_for(signed_in(request)),
        "runs": RetentionRun.objects.order_by("-started_at")[:RUNS],
    }
    return render(request, "privacy/cockpit.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.settings")
def policy(request: HttpRequest) -> HttpResponse:
    """How the shop proceeds."""
    form = PolicyForm(request.POST or None, instance=Policy.current())
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("privacy:policy")
    return render(request, "privacy/policy.html", {"form": form}, status=422 if form.errors else 200)
