"""Pages where staff enter and change customers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers import editing
from customers.access import customer_for
from customers.conflicting import choose, compare
from customers.entering import (
    Doubts,
    create_customer,
    doubts_about,
    doubts_about_changes,
    entered_with,
    save_sheet,
    unread_phones,
)
from customers.forms import CreateForm, told_version
from customers.holding import DecisionRefused
from customers.models import Customer
from customers.sheet import ROWS, Sheet, as_json, standing
from staff.access import permission_required, signed_in


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def create(request: HttpRequest) -> HttpResponse:
    """Enter a new customer; likely duplicates are shown first and decided by the person."""
    user = signed_in(request)
    form = CreateForm(request.POST if request.method == "POST" else None, user=user)
    if request.method != "POST":
        return render(request, "customers/create.html", {"form": form})
    if not form.is_valid():
        return render(request, "customers/create.html", {"form": form}, status=422)
    data = form.cleaned_data
    known = entered_with(data["token"], user)
    if known is not None:
        return _entered_before(request, known)
    doubts = doubts_about(data, user)
    if doubts.keys - set(request.POST.get("anyway", "").split()):
        return render(request, "customers/create.html", _banner(form, doubts), status=409)
    customer, new = create_customer(data, user=user)
    if not new:
        return _entered_before(request, customer)
    messages.success(request, _("The customer is entered."))
    for note in doubts.suppressed + unread_phones([data["phone"]]):
        messages.warning(request, note)
    return redirect("portal:customer_detail", number=customer.number)


def _entered_before(request: HttpRequest, customer: Customer) -> HttpResponse:
    messages.info(request, _("This customer has been entered already; nothing was entered twice."))
    return redirect("portal:customer_detail", number=customer.number)


@require_http_methods(["GET", "POST"])
@permission_required("customers.edit")
def edit(request: HttpRequest, number: str) -> HttpResponse:
    """Change a customer; who saves second sees both versions and decides field by field."""
    customer = customer_for(request, number, page="customers:edit", permission="customers.edit")
    if customer.restricted_at is not None:
        messages.error(request, _("The data of this customer are restricted: they may be stored, not changed."))
        return redirect("portal:customer_detail", number=customer.number)
    if request.method != "POST":
        return _sheet_page(request, customer, Sheet(customer))
    data, version = choose(request.POST), told_version(request)
    if version != customer.version:
        return _conflict_page(request, customer, data)
    sheet = Sheet(customer, data)
    if not sheet.is_valid():
        customer.refresh_from_db(fields=["version"])  # of somebody erased meanwhile there is no page any more
        return _sheet_page(request, customer, sheet, data, status=422)
    doubts = doubts_about_changes(customer, sheet, signed_in(request))
    if doubts.keys - set(data.get("anyway", "").split()):
        return _sheet_page(request, customer, sheet, data, doubts, status=409)
    return _save(request, customer, sheet, data, version)


def _save(request: HttpRequest, customer: Customer, sheet: Sheet, data: QueryDict, version: int) -> HttpResponse:
    try:
        notes = save_sheet(customer, sheet, version=version, user=signed_in(request))
    except editing.Conflict:
        return _conflict_page(request, Customer.objects.get(pk=customer.pk), data)
    except DecisionRefused as refused:
        messages.error(request, str(refused))
        return redirect("portal:customer_detail", number=customer.number)
    except ValidationError as error:
        sheet.master.add_error(None, error.messages)
        return _sheet_page(request, customer, sheet, data, status=422)
    messages.success(request, _("The changes are saved."))
    for note in notes:
        messages.warning(request, note)
    return redirect("portal:customer_detail", number=customer.number)


def _sheet_page(
    request: HttpRequest,
    customer: Customer,
    sheet: Sheet,
    data: QueryDict | None = None,
    doubts: Doubts | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {
        "customer": customer,
        "sheet": sheet,
        "version": data["version"] if data else customer.version,
        "base": data.get("base", "") if data else sheet.base,
        "verified": _verified(customer),
        "counts": {prefix: len(sheet.now[prefix]) for prefix in ROWS},
        "doubts": doubts,
        "anyway": " ".join(sorted(doubts.keys)) if doubts else "",
    }
    return render(request, "customers/edit.html", context, status=status)


def _conflict_page(request: HttpRequest, customer: Customer, data: QueryDict) -> HttpResponse:
    last = customer.history.select_related("history_user").order_by("-history_id").first()
    context = {
        "customer": customer,
        "conflict": compare(customer, data),
        "base": as_json(standing(customer)),
        "by": last.history_user if last else None,
        "at": last.history_date if last else None,
    }
    return render(request, "customers/conflict.html", context, status=409)


def _verified(customer: Customer) -> set[str]:
    """The ids of contact points that were confirmed; only a confirmation sets that, never this page."""
    points = customer.contact_points.filter(verified_at__isnull=False)
    return {str(pk) for pk in points.values_list("pk", flat=True)}


def _banner(form: CreateForm, doubts: Doubts) -> dict[str, Any]:
    words = {
        "email": _("same e-mail address"),
        "phone": _("same phone number"),
        "name": _("sounds alike, same postcode"),
    }
    candidates = doubts.likely.candidates
    return {
        "form": form,
        "doubts": doubts,
        "anyway": " ".join(sorted(doubts.keys)),
        "candidates": [
            (one.customer, _place(one.customer), ", ".join(words[reason] for reason in one.reasons))
            for one in candidates
        ],
    }


def _place(customer: Customer) -> str:
    address = customer.addresses.order_by("-is_default", "pk").first()
    return address.city if address else ""
