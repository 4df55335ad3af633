"""Pages that deactivate a customer and take that back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers import deactivating
from customers.access import customer_for
from customers.models import Customer
from customers.periods import CATEGORIES, began
from datamap.catalogue import Explanation, cited, explain
from datamap.controlling import controller, legal_zone
from staff.access import permission_required, signed_in


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def deactivate(request: HttpRequest, number: str) -> HttpResponse:
    """Show what deactivating does, then do it."""
    customer = customer_for(request, number, page="customers:deactivate", permission="customers.edit")
    if request.method == "POST":
        if deactivating.deactivate([customer.pk], user_id=signed_in(request).pk):
            messages.success(request, _("The customer is deactivated."))
        else:
            messages.info(request, _refusal(customer, _("The customer was deactivated already.")))
        return redirect("portal:customer_detail", number=customer.number)
    return render(request, "customers/deactivate.html", _context(customer))


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def reactivate(request: HttpRequest, number: str) -> HttpResponse:
    """Show what taking it back does, then do it."""
    customer = customer_for(request, number, page="customers:reactivate", permission="customers.edit")
    if request.method == "POST":
        if deactivating.reactivate([customer.pk], user_id=signed_in(request).pk):
            messages.success(request, _("The customer is active again."))
        else:
            messages.info(request, _refusal(customer, _("The customer is not deactivated.")))
        return redirect("portal:customer_detail", number=customer.number)
    return render(request, "customers/reactivate.html", _context(customer))


def _refusal(customer: Customer, otherwise: str) -> str:
    if customer.restricted_at is not None:
        return _("The data of this customer are restricted: they may be stored, not changed.")
    return otherwise


def _context(customer: Customer) -> dict[str, Any]:
    last_day = _last_day(customer)
    day = last_day.deletable_from if last_day else None
    return {
        "customer": customer,
        "receipt": [
            (_("Customer"), customer.number),
            (_("Advertising and other sends"), _("none")),
            (_("Rows deleted"), "0"),
        ],
        "day": day,
        "last_day": last_day,
        "statute": cited(last_day.statute) if last_day else "",
    }


def _last_day(customer: Customer) -> Explanation | None:
    who = controller()
    return explain(
        CATEGORIES[customer.status],
        began(customer),
        as_of=timezone.localdate(),
        supervised=who.supervised_financial,
        zone=legal_zone(who),
    )
