"""The page of one customer: master data, life with the shop, and why all this is still here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consents.panel import panel_of
from customers.access import customer_for
from customers.historying import changes_of
from customers.models import Customer
from datamap.preparing import Standing
from portal.cards import link
from portal.keeping import kept_for
from portal.profile import SHOWN, full_name, profile_of
from portal.purchases import purchases_of
from portal.timelines import read_timeline, types_for
from privacy.holding import standing_holds
from staff.access import permission_required
from tracking.showing import visits_of

_HOLDS = Standing(lambda pk: standing_holds().filter(customer=pk)[:SHOWN])


@require_GET
@permission_required("customers.view")
def customer_detail(request: HttpRequest, number: str) -> HttpResponse:
    """Everything about one customer on one page; the look is noted in the access log."""
    customer = customer_for(request, number, page="customer_detail")
    user: Any = request.user
    profile = profile_of(customer)
    consents = panel_of(customer, profile.contact_points) if user.may("consents.view") else []
    context = {
        "customer": customer,
        "name": full_name(customer),
        "profile": profile,
        "purchases": purchases_of(customer) if user.may("orders.view") else None,
        "visits": visits_of(customer) if user.may("tracking.view") else None,
        "kept": kept_for(customer),
        "perms_edit": user.may("customers.edit"),
        "rights": link("privacy:customer", customer.number) if user.may("privacy.requests") else "",
        "take_request": link("privacy:request_for", customer.number) if user.may("privacy.take") else "",
        "object_to": link("privacy:objection", customer.number) if user.may("privacy.take") else "",
        "told_url": link("privacy:disclosures", customer.number) if user.may("privacy.view") else "",
        "hold_url": link("privacy:hold_customer", customer.number) if user.may("privacy.holds") else "",
        "holds": _HOLDS(customer.pk),
        "perms_packages": user.may("privacy.packages"),
        "told": [line for line in consents if line.is_told],
        "unasked": [line for line in consents if not line.is_told],
        "may_consent": user.may("consents.record"),
        "logs": _logs(customer) if user.may("interactions.log") else [],
        **_timeline(request, customer),
    }
    return render(request, "portal/customer_detail.html", context)


@require_GET
@permission_required("customers.view")
def customer_timeline(request: HttpRequest, number: str) -> HttpResponse:
    """Older entries: the fragment for htmx, a page of its own without."""
    customer = customer_for(request, number, page="customer_timeline")
    context = {"customer": customer, "name": full_name(customer), **_timeline(request, customer)}
    template = "portal/_timeline_entries.html" if request.headers.get("HX-Request") else "portal/customer_timeline.html"
    return render(request, template, context)


@require_GET
@permission_required("customers.view")
def customer_history(request: HttpRequest, number: str) -> HttpResponse:
    """Who changed which master data when."""
    customer = customer_for(request, number, page="customer_history")
    context = {"customer": customer, "name": full_name(customer), "changes": changes_of(customer)}
    return render(request, "portal/customer_history.html", context)


def _timeline(request: HttpRequest, customer: Customer) -> dict[str, Any]:
    user: Any = request.user
    types = types_for(user)
    kind = request.GET.get("type", "")
    kind = kind if kind in dict(types) else ""
    page = read_timeline(customer, user, kind, request.GET.get("c", ""))
    base = reverse("portal:customer_detail", args=[customer.number])
    return {
        "timeline": page,
        "types": [(key, label, f"{base}?type={key}" if key else base) for key, label in [("", _("All types")), *types]],
        "type": kind,
    }


def _logs(customer: Customer) -> list[tuple[str, str, str]]:
    """Icon, word and address of each quick log button; none where contacts cannot be noted."""
    url = link("interactions:log", customer.number)
    if not url:
        return []
    words = {
        "call": ("phone", _("Call")),
        "email": ("mail", _("E-mail")),
        "chat": ("chat", _("Chat")),
        "visit": ("visit", _("Visit")),
        "letter": ("doc", _("Letter")),
    }
    return [(icon, word, f"{url}?kind={kind}") for kind, (icon, word) in words.items()]
