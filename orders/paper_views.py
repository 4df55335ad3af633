"""Pages of papers and returns."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from orders.access import document_for, hides_gift, order_for, order_of, return_for
from orders.documents import creditable, issue_credit_note, issue_document, supply_of
from orders.forms import CreditForm, RefundForm, ReturnForm
from orders.models import Document, Return
from orders.refusing import Refused, Stale
from orders.returning import announce_return, gives_delivery_back, receive_return, refund_return, returnable
from orders.views import conflict, refused, version_of
from staff.access import permission_required


@require_POST
@permission_required("orders.edit")
def document_issue(request: HttpRequest, pk: int) -> HttpResponse:
    order = order_for(request, pk, page="orders.issue", permission="orders.edit")
    kind = request.POST.get("kind", "")
    if kind not in Document.Kind.values:
        raise Http404
    try:
        document = issue_document(pk, kind, version=version_of(request), user_id=request.user.pk)
    except Stale as stale:
        return conflict(request, stale.current)
    except Refused as refusal:
        return refused(request, order, str(refusal))
    return redirect("orders:document", document.pk)


@require_GET
@permission_required("orders.view")
def document_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The paper exactly as it was issued; the browser prints it."""
    document = document_for(request, pk, page="orders.document")
    may_credit = (
        document.kind == Document.Kind.INVOICE
        and document.order_id is not None
        and request.user.may("orders.edit")  # type: ignore[union-attr]
        and creditable(document) > 0
    )
    supplied_on, supplied_as_dated = supply_of(document)
    context = {
        "document": document,
        "supplied_on": supplied_on,
        "supplied_as_dated": supplied_as_dated,
        "gift_hidden": hides_gift(request, document.gift_recipient),
        "corrections": document.corrections.order_by("issued_at", "id"),
        "may_credit": may_credit,
    }
    return render(request, "orders/document.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("orders.edit")
def document_credit(request: HttpRequest, pk: int) -> HttpResponse:
    invoice = document_for(request, pk, page="orders.credit", permission="orders.edit")
    if invoice.kind != Document.Kind.INVOICE:
        raise Http404
    order = order_of(invoice)
    left = min(creditable(invoice), order.total - order.refunded)
    form = CreditForm(request.POST or None, initial={"gross": left, "version": order.version})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            credit = issue_credit_note(
                pk, data["gross"], reason=data["reason"], version=data["version"], user_id=request.user.pk
            )
        except Stale as stale:
            return conflict(request, stale.current)
        except Refused as refusal:
            form.add_error("gross", str(refusal))
        else:
            return redirect("orders:document", credit.pk)
    context = {"invoice": invoice, "form": form, "left": left}
    return render(request, "orders/credit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("orders.edit")
def return_new(request: HttpRequest, pk: int) -> HttpResponse:
    order = order_for(request, pk, page="orders.return", permission="orders.edit")
    left = returnable(order)
    lines = [(line, left[line.pk]) for line in order.lines.all() if left[line.pk] > 0]
    form = ReturnForm(request.POST or None, lines=lines, initial={"version": order.version})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            announce_return(
                pk,
                form.quantities(),
                reason=data["reason"],
                note=data["note"],
                version=data["version"],
                user_id=request.user.pk,
            )
        except Stale as stale:
            return conflict(request, stale.current)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The return is noted."))
            return redirect("orders:detail", pk)
    context = {"order": order, "form": form}
    return render(request, "orders/return.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("orders.edit")
def return_receive(request: HttpRequest, pk: int) -> HttpResponse:
    back = return_for(request, pk, page="orders.return", permission="orders.edit")
    try:
        receive_return(pk, user_id=request.user.pk)
    except Refused as refusal:
        return refused(request, order_of(back), str(refusal))
    messages.success(request, _("Saved."))
    return redirect("orders:detail", back.order_id)


@require_http_methods(["GET", "POST"])
@permission_required("orders.edit")
def return_refund(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows how much goes back, and with which paper, before it does."""
    back = return_for(request, pk, page="orders.refund", permission="orders.edit")
    order = order_of(back)
    if back.state == Return.State.REFUNDED:
        return refused(request, order, _("This return was refunded before."))
    form = RefundForm(request.POST or None, initial={"amount": back.amount})
    if request.method == "POST" and form.is_valid():
        try:
            refund_return(pk, form.cleaned_data["amount"], user_id=request.user.pk)
        except Refused as refusal:
            form.add_error("amount", str(refusal))
        else:
            messages.success(request, _("The refund is noted."))
            return redirect("orders:detail", order.pk)
    context = {"back": back, "order": order, "form": form, "delivery": gives_delivery_back(back, order)}
    return render(request, "orders/refund.html", context, status=422 if form.errors else 200)
