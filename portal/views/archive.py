"""The door to the archive: a purpose is said first, and each reading is written down."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from datamap.days import DayField
from orders.documents import supply_of
from orders.models import Document
from portal import archive
from staff.access import permission_required, signed_in

WANTED = ("number", "begin", "end", "mark")


def _calendar() -> forms.DateInput:
    return forms.DateInput({"type": "date"}, "%Y-%m-%d")


class PurposeForm(forms.Form):
    """Why somebody reads what was kept of an erased person."""

    purpose = forms.CharField(
        label=_("What for?"),
        min_length=4,
        max_length=200,
        help_text=_("It is noted with your name, for example: tax audit 2026, request for access of 3 May."),
    )


class ArchiveForm(PurposeForm):
    """What is looked for in the archive."""

    number = forms.CharField(label=_("Number of the paper"), required=False, max_length=120)
    begin = DayField(label=_("Issued from"), required=False, widget=_calendar())
    end = DayField(label=_("Issued until"), required=False, widget=_calendar())
    mark = forms.UUIDField(
        label=_("Mark of the erasure"),
        required=False,
        help_text=_("As the receipt of the erasure names it; it finds everything that was kept."),
    )
    field_order = ["number", "begin", "end", "mark", "purpose"]

    def clean(self) -> dict[str, Any]:
        """The whole archive is no answer to any question."""
        data = super().clean() or {}
        if data.get("begin") and data.get("end") and data["end"] < data["begin"]:
            self.add_error("end", _("The end lies before the beginning."))
        if not self.errors and not any(data.get(name) for name in WANTED):
            raise forms.ValidationError(_("Say what you are looking for."))
        return data


@never_cache
@require_http_methods(["GET", "POST"])
@permission_required("documents.archive")
def archive_search(request: HttpRequest) -> HttpResponse:
    """By POST, so that neither mark nor purpose stands in an address."""
    form = ArchiveForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "found": None}
    if request.method == "POST" and form.is_valid():
        purpose = form.cleaned_data["purpose"]
        found, more = archive.find(signed_in(request), form.cleaned_data, purpose)
        wanted = [(name, value) for name in WANTED if (value := request.POST.get(name, ""))]
        context |= {"found": found, "more": more, "purpose": purpose, "wanted": wanted}
    status = 422 if request.method == "POST" and not form.is_valid() else 200
    return render(request, "portal/archive.html", context, status=status)


@never_cache
@require_POST
@permission_required("documents.archive")
def archive_open(request: HttpRequest) -> HttpResponse:
    """A paper as it was issued, or what was kept of a contact, a complaint, a return; and the way back to what was
    found, which a browser that keeps no pages has lost."""
    form = PurposeForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/archive.html", {"form": ArchiveForm(request.POST)}, status=422)
    purpose = form.cleaned_data["purpose"]
    shown = archive.opened(signed_in(request), request.POST.get("key", ""), purpose)
    wanted = [(name, value) for name in WANTED if (value := request.POST.get(name, ""))]
    context: dict[str, Any] = {"shown": shown, "purpose": purpose, "wanted": wanted}
    if isinstance(shown.row, Document):
        supplied_on, supplied_as_dated = supply_of(shown.row)
        context |= {"document": shown.row, "supplied_on": supplied_on, "supplied_as_dated": supplied_as_dated}
    return render(request, "portal/archive_row.html", context)


@never_cache
@require_POST
@permission_required("documents.archive")
def archive_file(request: HttpRequest) -> HttpResponseBase:
    """The file of a blocked contact; only downloaded, whatever it is."""
    form = PurposeForm(request.POST)
    if not form.is_valid():
        return render(request, "portal/archive.html", {"form": ArchiveForm(request.POST)}, status=422)
    row = archive.file_of(signed_in(request), request.POST.get("key", ""), form.cleaned_data["purpose"])
    return FileResponse(
        row.file.open("rb"), as_attachment=True, filename=row.name, content_type="application/octet-stream"
    )
