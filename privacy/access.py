"""The doors to requests: through the customer's where there is one, so that the access log knows who looked."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.access import customer_for, note_opened, visible_customers
from customers.models import Customer
from datamap.accesslog import name_pages, record
from privacy.models import Erasure, Request, Restriction
from staff.access import signed_in

name_pages(
    {
        "privacy:request": _("Privacy request"),
        "privacy:letter": _("Letter about a privacy request"),
        "privacy:identity_copy": _("Copy of an identity card"),
        "privacy:customer": _("Rights of a customer"),
        "privacy:request_for": _("Take in a request"),
        "privacy:objection": _("Objection to advertising"),
        "privacy:restrict": _("Restrict a customer"),
        "privacy:restriction": _("Restriction"),
        "privacy:erase": _("Check the erasure"),
        "privacy:erasure": _("Erasure"),
    }
)


def request_for(http: HttpRequest, pk: int, *, page: str) -> Request:
    """The request, or 404; that also where its customer is restricted and the person may not see that."""
    rows = Request.on_desk().select_related(
        "customer", "owner", "refusal_proposed_by", "refusal_approved_by", "duplicate_of"
    )
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    user = signed_in(http)
    if found.customer is not None:
        if not visible_customers(user).filter(pk=found.customer_id).exists():
            raise Http404
        if not note_opened(user.pk, found.customer, page, found.code):
            return request_for(http, pk, page=page)  # erased a moment ago: it is the request of somebody without a name
    elif found.subject_ref is not None:
        record(user.pk, str(found.subject_ref), page, found.code)  # an erased person has no other name
    return found


def restriction_for(http: HttpRequest, pk: int, *, page: str) -> Restriction:
    """The restriction, or 404, as `request_for`."""
    found = Restriction.objects.select_related("customer", "request", "set_by", "lifted_by").filter(pk=pk).first()
    if found is None or found.customer is None:
        raise Http404
    customer_for(http, found.customer.number, page=page, permission="privacy.requests")
    return found


def person_for(http: HttpRequest, number: str, *, page: str, permission: str = "privacy.requests") -> Customer:
    """The customer whose rights are looked at, through the customer's own door."""
    return customer_for(http, number, page=page, permission=permission)


def person_of(http: HttpRequest, erasure: Erasure, *, page: str) -> Customer | None:
    """The person whom an erasure has not ended yet, for those who work on requests and may see this customer."""
    user = signed_in(http)
    if not user.may("privacy.requests"):
        return None
    found = visible_customers(user).filter(pk=erasure.customer_id).first()
    return found if found is not None and note_opened(user.pk, found, page) else None
