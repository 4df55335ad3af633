"""Settings pages of customers: tags and the number range."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from customers import labels, ranging
from customers.forms import RangeForm, TagForm
from staff.access import permission_required


@require_GET
@permission_required("customers.edit")
def tags(request: HttpRequest) -> HttpResponse:
    """All tags with the number of customers that carry them."""
    return render(request, "customers/tags.html", {"tags": labels.tags_with_counts()})


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def tag_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a tag; the name of another tag merges the two, which the page asks about first."""
    tag = get_object_or_404(labels.tags_with_counts(), pk=pk)
    form = TagForm(request.POST if request.method == "POST" else None, initial={"name": tag.name})
    other = None
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        other = labels.tags_with_counts().filter(name__iexact=name).exclude(pk=pk).first()
        if other is None or request.POST.get("merge") == str(other.pk):
            renamed = labels.rename_tag(tag, name)
            messages.success(request, _("The tags are one now.") if renamed.merged else _("The tag is renamed."))
            return redirect("customers:tags")
    status = 422 if form.errors else 409 if other else 200
    return render(request, "customers/tag_edit.html", {"form": form, "tag": tag, "other": other}, status=status)


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def tag_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a tag that nobody carries."""
    tag = get_object_or_404(labels.tags_with_counts(), pk=pk)
    if request.method == "POST":
        if labels.drop_unused(tag):
            messages.success(request, _("The tag is deleted."))
        else:
            messages.warning(request, _("Customers carry this tag; nothing was deleted."))
        return redirect("customers:tags")
    return render(request, "customers/tag_delete.html", {"tag": tag})


@require_http_methods(["GET", "POST"])
@permission_required("datamap.controller")
def number_range(request: HttpRequest) -> HttpResponse:
    """Prefix and next customer number; a number in use is never given out again."""
    now = ranging.current_range()
    initial = {"prefix": now.prefix, "next_value": now.next_value}
    form = RangeForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            ranging.change_range(form.cleaned_data["prefix"], form.cleaned_data["next_value"])
            messages.success(request, _("The number range is saved."))
            return redirect("customers:number_range")
        except ranging.RangeRefused as refused:
            words = _("Numbers up to %(highest)d are in use with this prefix; start above them.")
            form.add_error("next_value", words % {"highest": refused.highest})
    status = 422 if form.errors else 200
    return render(request, "customers/number_range.html", {"form": form, "now": now}, status=status)
