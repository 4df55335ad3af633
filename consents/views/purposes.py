"""Pages of purposes: what the shop uses data for."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consents.ages import ages_as_typed
from consents.events import Channel
from consents.forms import PurposeForm
from consents.models import LegalText, Purpose
from consents.offering import current_versions
from consents.purposes import retire, save_purpose
from staff.access import permission_required


@require_GET
@permission_required("consents.settings")
def purpose_list(request: HttpRequest) -> HttpResponse:
    """All purposes, those out of use last."""
    worded = set(current_versions(LegalText.Kind.CONSENT).values_list("text__purpose", flat=True))
    rows = [
        {
            "purpose": purpose,
            "channels": [Channel(key).label for key in purpose.channels],
            "ages": ages_as_typed(purpose.minimum_age).split(", ") if purpose.minimum_age else [],
            "wordless": _asks(purpose) and purpose.pk not in worded,
        }
        for purpose in sorted(Purpose.objects.all(), key=lambda one: one.retired_at is not None)
    ]
    return render(request, "consents/purposes.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@permission_required("consents.settings")
def purpose_new(request: HttpRequest) -> HttpResponse:
    """A purpose of the shop's own."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@permission_required("consents.settings")
def purpose_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a purpose; its key stays."""
    return _edit(request, get_object_or_404(Purpose, pk=pk))


@require_POST
@permission_required("consents.settings")
def purpose_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a purpose out of use, or back in, as the button said."""
    purpose, wanted = get_object_or_404(Purpose, pk=pk), request.POST.get("retired", "")
    if wanted not in ("yes", "no"):
        raise BadRequest
    retire(purpose, retired=wanted == "yes")
    messages.success(request, _("Saved."))
    return redirect("consents:purposes")


def _asks(purpose: Purpose) -> bool:
    return purpose.basis == Purpose.Basis.CONSENT and purpose.retired_at is None


def _edit(request: HttpRequest, purpose: Purpose | None) -> HttpResponse:
    form = PurposeForm(request.POST or None, instance=purpose)
    if request.method == "POST" and form.is_valid():
        save_purpose(form.save(commit=False))
        messages.success(request, _("Saved."))
        return redirect("consents:purposes")
    context: dict[str, Any] = {"form": form, "purpose": purpose}
    if purpose is not None and _asks(purpose):
        context["wordless"] = not current_versions(LegalText.Kind.CONSENT).filter(text__purpose=purpose.pk).exists()
    return render(request, "consents/purpose.html", context, status=422 if request.method == "POST" else 200)
