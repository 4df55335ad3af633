"""The doors to orders, papers and returns: each leads through the customer's, which writes the access log."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.access import customer_for
from customers.models import Customer
from datamap.accesslog import name_pages
from orders.models import Document, Order, Return

SEES = "orders.view"

name_pages(
    {
        "orders.detail": _("Order"),
        "orders.customer": _("Orders"),
        "orders.edit": _("Edit order"),
        "orders.cancel": _("Cancel order"),
        "orders.step": _("Move an order on"),
        "orders.issue": _("Issue a paper"),
        "orders.document": _("Paper"),
        "orders.credit": _("Credit note"),
        "orders.return": _("Return goods"),
        "orders.refund": _("Refund a return"),
    }
)


def order_for(request: HttpRequest, pk: int, *, page: str, permission: str = SEES) -> Order:
    """The order, or 404; that also where its customer is restricted and the person may not see it.

    Raises PermissionDenied (403) without the permission. Blocked orders stand behind the archive door.
    """
    orders = Order.objects.select_related("customer", "gift_recipient", "type")
    order = orders.filter(pk=pk).first()
    _through(request, order.customer if order else None, page, permission, found=order is not None)
    assert order is not None
    return order


def document_for(request: HttpRequest, pk: int, *, page: str, permission: str = SEES) -> Document:
    """The paper, or 404, as `order_for`."""
    documents = Document.objects.select_related("order", "customer", "gift_recipient", "corrects", "issued_by")
    document = documents.filter(pk=pk).first()
    _through(request, document.customer if document else None, page, permission, found=document is not None)
    assert document is not None
    return document


def return_for(request: HttpRequest, pk: int, *, page: str, permission: str = SEES) -> Return:
    """The return, or 404, as `order_for`."""
    back = Return.objects.select_related("order", "customer").filter(pk=pk).first()
    _through(request, back.customer if back else None, page, permission, found=back is not None)
    assert back is not None
    return back


def order_of(paper: Document | Return) -> Order:
    """The order a paper belongs to; 404 where it was cut from it: blocked, or its order is anonymous by now."""
    if paper.order is None:
        raise Http404
    return paper.order


def hides_gift(request: HttpRequest, recipient: Customer | None) -> bool:
    """Whether who gets the present, and where, is kept from this person: the recipient's data are restricted."""
    if recipient is None or recipient.restricted_at is None:
        return False
    return not request.user.may("customers.restricted")  # type: ignore[union-attr]


def _through(request: HttpRequest, customer: Customer | None, page: str, permission: str, *, found: bool) -> None:
    if not request.user.may(permission):  # type: ignore[union-attr]
        raise PermissionDenied
    if not found:
        raise Http404
    if customer is not None:
        customer_for(request, customer.number, page=page, permission=permission)
