"""Pages of rows that came in and wait for a person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from customers import deciders
from customers.access import note_listed, note_met, visible_customers
from customers.duplicates import likely_duplicates
from customers.forms import HeldForm
from customers.holding import DecisionRefused
from customers.models import Address, ContactPoint, Customer, HeldIntake
from datamap.keyset import page_of
from staff.access import permission_required, signed_in
from staff.models import User

SHOWN = 5


@require_GET
@permission_required("customers.held")
def held_list(request: HttpRequest) -> HttpResponse:
    """The rows that wait, the oldest first: why, since when, from where."""
    user = signed_in(request)
    waiting = deciders.waiting(user).select_related("origin", "customer")
    page = page_of(waiting, "pk", descending=False, cursor=request.GET.get("after", ""))
    now = timezone.now()
    context = {
        "rows": [(row, _who(row), (now - row.received_at).days, deciders.is_overdue(row)) for row in page.rows],
        "next_url": f"?after={page.next_cursor}" if page.next_cursor else "",
        "hidden": deciders.hidden_from(user),
        "overdue": deciders.overdue(waiting).count(),
        "days": deciders.DECIDE_WITHIN.days,
    }
    return render(request, "customers/held_list.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("customers.held")
def held_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """What came in beside the customers it may belong to, and the decision."""
    user = signed_in(request)
    held = HeldIntake.objects.filter(pk=pk).select_related("origin", "customer", "decided_by").first()
    if held is None or not deciders.may_see(held, user):
        raise Http404
    if held.decision:
        messages.info(request, _("Somebody has decided this row already."))
        return redirect("customers:held")
    form = HeldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _decide(request, form, held, user):
        messages.success(request, _("The row is decided."))
        return redirect("customers:held")
    if request.method == "POST" and HeldIntake.objects.filter(pk=pk).exclude(decision="").exists():
        messages.info(request, _("Somebody has decided this row already."))
        return redirect("customers:held")
    return _decide_page(request, held, form, user)


def _decide(request: HttpRequest, form: HeldForm, held: HeldIntake, user: User) -> bool:
    data = form.cleaned_data
    customer = None
    if data["decision"] == HeldIntake.Decision.APPLIED:
        customer = visible_customers(user).filter(number=data["other"] or data["number"]).first()
        if customer is None:
            form.add_error("other", _("There is no customer with this number."))
            return False
        note_met(request, customer.number)
    try:
        deciders.decide(held, data["decision"], user_id=user.pk, customer=customer)
    except DecisionRefused as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _decide_page(request: HttpRequest, held: HeldIntake, form: HeldForm, user: User) -> HttpResponse:
    decider = deciders.decider_for(held)
    candidates, protected = _candidates(held, user, decider)
    there = note_listed(user.pk, [one.pk for one in candidates], "customers:held_decide")
    context = {
        "held": held,
        "form": form,
        "facts": decider.facts(held.payload) if decider else [],
        "kind": decider.label if decider else held.kind,
        "decidable": decider is not None,
        "candidates": [_card(one) for one in candidates if one.pk in there],
        "protected": protected,
    }
    return render(request, "customers/held_decide.html", context, status=422 if form.errors else 200)


def _candidates(held: HeldIntake, user: User, decider: deciders.Decider | None) -> tuple[list[Customer], bool]:
    """The customers a row may belong to, the one it names first; and whether a protected record is among them."""
    if decider is None:
        return [], False
    person = decider.person(held.payload)
    names = {name: getattr(person, name) for name in ("first_name", "last_name", "company", "postcode")}
    likely = likely_duplicates(user=user, email=person.email, phone=person.phone, **names)
    found = [held.customer] if held.customer else []
    found += [one.customer for one in likely.candidates if one.customer.pk != held.customer_id]
    return found[:SHOWN], likely.protected


def _card(customer: Customer) -> dict[str, Any]:
    return {
        "customer": customer,
        "points": ContactPoint.objects.filter(customer=customer).order_by("kind", "-is_primary", "pk")[:SHOWN],
        "addresses": Address.objects.filter(customer=customer).order_by("-is_default", "pk")[:SHOWN],
    }


def _who(row: HeldIntake) -> str:
    """Whom a row is about, in a few words."""
    decider = deciders.decider_for(row)
    if decider is None:
        return ""
    person = decider.person(row.payload)
    return person.company or f"{person.first_name} {person.last_name}".strip() or person.email
