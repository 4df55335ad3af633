"""Pages: the list of orders, one order, and its steps."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.access import customer_for
from customers.models import Customer
from customers.placing import KeptText, texts_of_order
from orders import listing, states
from orders.access import hides_gift, order_for
from orders.documents import standing
from orders.entering import why_fixed
from orders.forms import FilterForm
from orders.models import Document, Order
from orders.refusing import Refused, Stale
from orders.returning import returnable
from staff.access import permission_required, signed_in


@require_GET
@permission_required("orders.view")
def order_list(request: HttpRequest) -> HttpResponse:
    return _list(request, None)


@require_GET
@permission_required("orders.view")
def customer_orders(request: HttpRequest, number: str) -> HttpResponse:
    """The orders of one customer, through that customer's door."""
    return _list(request, customer_for(request, number, page="orders.customer", permission="orders.view"))


def _list(request: HttpRequest, customer: Customer | None) -> HttpResponse:
    form = FilterForm(request.GET)
    valid = form.is_valid()
    wanted = form.cleaned_data if valid else {}
    query = {name: request.GET.get(name, "") for name in form.fields} if valid else {}
    user: Any = request.user
    orders = listing.filtered(user, wanted)
    if customer is not None:
        orders = orders.filter(customer=customer)
    page = listing.page_of(orders, request.GET.get("cursor", ""), request.path, query)
    context = {
        "form": form,
        "page": page,
        "filtered": any(query.values()),
        "customer": customer,
        "words": None,
        "may_edit": user.may("orders.edit"),
    }
    return render(request, "orders/list.html", context, status=200 if valid else 400)


@require_http_methods(["GET", "POST"])
@permission_required("orders.view")
def order_search(request: HttpRequest) -> HttpResponse:
    """By POST, so that no name stands in an address; a GET (reload, bookmark) leads back to the list."""
    if request.method != "POST":
        return redirect("orders:list")
    user: Any = request.user
    words = request.POST.get("q", "")[:200]
    rows = listing.search(user, words)
    context = {
        "form": FilterForm(),
        "page": listing.Page(rows),
        "words": words,
        "may_edit": user.may("orders.edit"),
        "more": len(rows) >= listing.FOUND,
    }
    return render(request, "orders/list.html", context)


@require_GET
@permission_required("orders.view")
def order_detail(request: HttpRequest, pk: int) -> HttpResponse:
    order = order_for(request, pk, page="orders.detail")
    may_edit = request.user.may("orders.edit")  # type: ignore[union-attr]
    lines = list(order.lines.all())
    documents = list(order.documents.select_related("corrects").order_by("issued_at", "id"))
    context = {
        "order": order,
        "lines": lines,
        "discounted": any(line.discount for line in lines),
        "documents": documents,
        "returns": list(order.returns.prefetch_related("lines__line").order_by("requested_at", "id")),
        "moments": moments(order),
        "steps": states.possible_steps(order) if may_edit else [],
        "issuable": issuable(order) if may_edit else [],
        "fixed": why_fixed(order),
        "may_return": may_edit and not order.cancelled_at and any(returnable(order).values()),
        "may_edit": may_edit,
        "gift_hidden": hides_gift(request, order.gift_recipient),
        "opens_customers": signed_in(request).may("customers.view"),
        "texts": texts_seen(request, order),
    }
    return render(request, "orders/detail.html", context)


def texts_seen(request: HttpRequest, order: Order) -> list[tuple[KeptText, bool]]:
    """The legal texts that an order stands under, each with whether this person may open it."""
    user = signed_in(request)
    kept = texts_of_order(order.customer_id, order.number) if order.customer_id else []
    return [(text, user.may(text.permission)) for text in kept]


@require_POST
@permission_required("orders.edit")
def order_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    if step not in states.STEPS or states.STEPS[step].destructive:
        raise Http404
    order = order_for(request, pk, page="orders.step", permission="orders.edit")
    return _take(request, order, step)


@require_http_methods(["GET", "POST"])
@permission_required("orders.edit")
def order_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Shows what cancelling does before it does it."""
    order = order_for(request, pk, page="orders.cancel", permission="orders.edit")
    if request.method == "POST":
        return _take(request, order, "cancel")
    step = states.STEPS["cancel"]
    if not step.fits(order):
        return refused(request, order, str(step.refusal))
    context = {"order": order, "invoice": standing(order, Document.Kind.INVOICE)}
    return render(request, "orders/cancel.html", context)


def _take(request: HttpRequest, order: Order, step: str) -> HttpResponse:
    try:
        states.take_step(order.pk, step, version=version_of(request), user_id=request.user.pk)
    except Stale as stale:
        return conflict(request, stale.current)
    except Refused as refusal:
        return refused(request, order, str(refusal))
    messages.success(request, _("Saved."))
    return redirect("orders:detail", order.pk)


def moments(order: Order) -> list[tuple[str, Any, str]]:
    """What happened to an order, in its order: label, instant, icon."""
    happened = [
        (_("Placed"), order.placed_at, "bag"),
        (_("Paid"), order.paid_at, "check"),
        (_("Invoiced"), order.invoiced_at, "doc"),
        (_("Delivered"), order.delivered_at, "truck"),
        (_("Cancelled"), order.cancelled_at, "x"),
    ]
    return sorted(((label, at, icon) for label, at, icon in happened if at), key=lambda entry: entry[1])


def issuable(order: Order) -> list[tuple[str, Any]]:
    """The papers that can be issued for this order now."""
    if order.cancelled_at:
        return []
    kinds = Document.Kind
    once = [kind for kind in (kinds.RECEIVED, kinds.CONFIRMATION, kinds.INVOICE) if not standing(order, kind)]
    return [(kind.value, kind.label) for kind in (*once, kinds.DELIVERY_NOTE)]


def version_of(request: HttpRequest) -> int:
    """The version of the order that the page showed; without one nobody can say what was looked at."""
    try:
        return int(request.POST.get("version", ""))
    except ValueError:
        return -1


def conflict(request: HttpRequest, current: Order) -> HttpResponse:
    """Somebody was quicker: nothing was done, and this is how the order stands now."""
    return render(request, "orders/conflict.html", {"order": current}, status=409)


def refused(request: HttpRequest, order: Order, reason: str) -> HttpResponse:
    """The order's state does not allow it: nothing was done, and why."""
    return render(request, "orders/refused.html", {"order": order, "reason": reason}, status=409)
