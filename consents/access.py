"""The doors of consents: a customer's lead through the customer's own, so that the access log knows who looked."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from consents.models import Record, Scan
from customers.access import customer_for, visible_customers
from customers.models import Customer
from datamap.accesslog import name_pages
from staff.access import signed_in

name_pages(
    {
        "consents:customer": _("Consents of a customer"),
        "consents:take_down": _("Take down a consent"),
        "consents:withdraw": _("Withdraw a consent"),
        "consents:ask_opt_in": _("Ask for a confirmation"),
        "consents:answer": _("What was allowed when"),
        "consents:scan": _("Scan of a consent"),
        "consents:entry": _("Entry of the ledger"),
        "consents:claim": _("Opt-in to prove"),
    }
)


def person_for(request: HttpRequest, number: str, *, page: str, permission: str) -> Customer:
    """The customer whose consents are looked at."""
    return customer_for(request, number, page=page, permission=permission)


def scan_for(request: HttpRequest, pk: int) -> Scan:
    """The scan, or 404; that also where its event is blocked, or its customer restricted and not to be seen."""
    scan = Scan.objects.filter(pk=pk).select_related("record__customer").first()
    # The way to the event leads past its manager: a blocked one is read behind the archive door alone.
    if scan is None or scan.record.blocked_at is not None or scan.record.customer is None:
        raise Http404
    customer_for(request, scan.record.customer.number, page="consents:scan", permission="consents.view")
    return scan


def record_of(request: HttpRequest, entry: int) -> Record | None:
    """What an entry is about, for whoever may see the person; None where it is erased, blocked or protected."""
    record = Record.objects.filter(pk=entry).select_related("customer", "purpose", "entry").first()
    if record is None or record.customer is None:
        return None
    if not visible_customers(signed_in(request)).filter(pk=record.customer_id).exists():
        return None
    customer_for(request, record.customer.number, page="consents:entry", permission="consents.ledger")
    return record
