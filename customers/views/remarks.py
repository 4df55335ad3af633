"""Pages of notes and warning flags."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers import remarks
from customers.access import customer_for
from customers.forms import FlagForm, NoteForm, told_version
from customers.holding import DecisionRefused
from customers.models import Customer, Flag, Note
from staff.access import permission_required, signed_in


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def note_add(request: HttpRequest, number: str) -> HttpResponse:
    """Write a note about a customer."""
    customer = customer_for(request, number, page="customers:note_add", permission="customers.edit")
    form = NoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            remarks.add_note(customer, form.cleaned_data["text"], by=signed_in(request))
            messages.success(request, _("The note is saved."))
            return redirect("portal:customer_detail", number=customer.number)
        except DecisionRefused as refused:
            form.add_error(None, str(refused))
    context = {"form": form, "customer": customer, "notes": _last_notes(customer)}
    return render(request, "customers/note.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def note_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a note of one's own; who saves in a second tab sees what the first has made of it."""
    note, stale = _own_note(request, pk, page="customers:note_edit"), False
    posted = request.POST if request.method == "POST" else None
    form = NoteForm(posted, initial={"text": note.text})
    if request.method == "POST" and form.is_valid():
        try:
            if remarks.correct_note(note, form.cleaned_data["text"], version=told_version(request)):
                messages.success(request, _("The note is corrected."))
                return redirect("portal:customer_detail", number=note.customer.number)
            stale = True
        except DecisionRefused as refused:
            form.add_error(None, str(refused))
    context = {"form": form, "customer": note.customer, "note": note, "stale": stale}
    return render(request, "customers/note.html", context, status=409 if stale else 422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def note_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the note of one's own that goes, then delete it."""
    note = _own_note(request, pk, page="customers:note_delete")
    if request.method == "POST":
        try:
            remarks.delete_note(note)
            messages.success(request, _("The note is deleted."))
        except DecisionRefused as refused:
            messages.error(request, str(refused))
        return redirect("portal:customer_detail", number=note.customer.number)
    return render(request, "customers/note_delete.html", {"note": note, "customer": note.customer})


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def flag_set(request: HttpRequest, number: str) -> HttpResponse:
    """Set a warning mark; the ones that stand are listed with the way to lift them."""
    customer = customer_for(request, number, page="customers:flag_set", permission="customers.edit")
    form = FlagForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            remarks.set_flag(customer, data["kind"], data["reason"], data["review_on"], by=signed_in(request))
            messages.success(request, _("The flag is set."))
            return redirect("portal:customer_detail", number=customer.number)
        except remarks.FlaggedAlready:
            form.add_error("kind", _("The customer carries this flag already."))
        except DecisionRefused as refused:
            form.add_error(None, str(refused))
    flags = customer.flags.filter(lifted_at__isnull=True).select_related("set_by").order_by("pk")
    context = {"form": form, "customer": customer, "flags": flags}
    return render(request, "customers/flag.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def flag_lift(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the mark, then take it away."""
    flag = Flag.objects.filter(pk=pk).select_related("customer", "set_by").first()
    if flag is None:
        raise Http404
    customer = customer_for(request, flag.customer.number, page="customers:flag_lift", permission="customers.edit")
    if request.method == "POST":
        try:
            if remarks.lift_flag(flag, by=signed_in(request)):
                messages.success(request, _("The flag is lifted."))
            else:
                messages.info(request, _("This flag was lifted already."))
        except DecisionRefused as refused:
            messages.error(request, str(refused))
        return redirect("portal:customer_detail", number=customer.number)
    return render(request, "customers/flag_lift.html", {"flag": flag, "customer": customer})


def _last_notes(customer: Customer) -> list[Note]:
    return list(Note.objects.filter(customer=customer).select_related("author").order_by("-created_at", "-pk")[:10])


def _own_note(request: HttpRequest, pk: int, *, page: str) -> Note:
    """A note the person has written; 404 where there is none, 403 where it is somebody else's."""
    note = Note.objects.filter(pk=pk).select_related("customer", "author").first()
    if note is None:
        raise Http404
    customer_for(request, note.customer.number, page=page, permission="customers.edit")
    if note.author_id != signed_in(request).pk:
        raise PermissionDenied
    return note
