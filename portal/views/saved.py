"""Saved views of the customer list: keep, rename, share, delete; and the choice of columns."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal.columns import chosen
from portal.forms import ViewForm
from portal.listing import editable_views, listing_of, say_if_ended
from portal.models import SavedView
from staff.access import permission_required


@require_http_methods(["GET", "POST"])
@permission_required("customers.view")
def view_create(request: HttpRequest) -> HttpResponse:
    """Keep the list of the address as a tab."""
    listing = listing_of(request, request.GET)
    if listing.stale:
        # Kept under a name, the list of everybody would pass for what was searched.
        messages.warning(request, _("That search has ended. Here is the whole list."))
        return redirect("portal:customer_list")
    form = ViewForm(request.POST or None, user=listing.user)
    if request.method == "POST" and form.is_valid():
        view = SavedView.objects.create(
            owner=listing.user,
            name=form.cleaned_data["name"],
            query=listing.stored,
            order=listing.order,
            columns=listing.columns,
            shared_at=timezone.now() if form.cleaned_data.get("shared") else None,
        )
        return redirect(f"{reverse('portal:customer_list')}?v={view.pk}")
    context = {"form": form, "chips": listing.chips(), "back": listing.address(), "title": _("Save view")}
    return render(request, "portal/view_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("customers.view")
def view_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename or share a view of one's own; saving one whose owner has left makes it one's own."""
    user: Any = request.user
    view = get_object_or_404(editable_views(user), pk=pk)
    initial = {"name": view.name, "shared": view.shared_at is not None}
    form = ViewForm(request.POST or None, user=user, view=view, initial=initial)
    back = f"{reverse('portal:customer_list')}?v={view.pk}"
    if request.method == "POST" and form.is_valid():
        view.owner, view.name = user, form.cleaned_data["name"]
        if "shared" in form.cleaned_data:
            view.shared_at = (view.shared_at or timezone.now()) if form.cleaned_data["shared"] else None
        view.save(update_fields=["owner", "name", "shared_at"])
        return redirect(back)
    left = view.owner_id != user.pk
    context = {"form": form, "view": view, "back": back, "title": _("Edit view"), "left_behind": left}
    return render(request, "portal/view_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("customers.view")
def view_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a view of one's own, or one whose owner has left; the customers in it stay."""
    user: Any = request.user
    view = get_object_or_404(editable_views(user), pk=pk)
    if request.method == "POST":
        view.delete()
        messages.success(request, _("The view is gone. Nothing changed for the customers in it."))
        return redirect("portal:customer_list")
    return render(request, "portal/view_delete.html", {"view": view})


@require_POST
@permission_required("customers.view")
def column_choice(request: HttpRequest) -> HttpResponse:
    """Keep which columns a view of one's own, or one's list of all customers, shows."""
    listing = listing_of(request, request.POST)
    say_if_ended(request, listing)
    columns = chosen(request.POST.getlist("column"))
    if listing.view and listing.view.owner_id == listing.user.pk:
        SavedView.objects.filter(pk=listing.view.pk).update(columns=columns)
    else:
        SavedView.objects.update_or_create(owner=listing.user, name="", defaults={"columns": columns})
    return redirect(listing.address())
