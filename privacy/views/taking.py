"""Takes requests in: from the form, from a mail pasted into it, and with one click from a customer's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.access import visible_customers
from customers.models import Customer
from privacy import objecting, receiving
from privacy.access import person_for
from privacy.forms.requests import ObjectionForm, TakeForm
from privacy.letters import named
from privacy.models import Request
from privacy.pasting import read_mail
from privacy.suggesting import suggest_kind, suggest_objection
from staff.access import permission_required, signed_in

UNKNOWN = "unknown"


@require_http_methods(["GET", "POST"])
@permission_required("privacy.take")
def request_new(http: HttpRequest) -> HttpResponse:
    """A new request, from whomever."""
    return _take(http, None)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.take")
def request_for(http: HttpRequest, number: str) -> HttpResponse:
    """A new request of one customer, opened from the customer's page."""
    return _take(http, person_for(http, number, page="privacy:request_for", permission="privacy.take"))


@require_POST
@permission_required("privacy.take")
def objection(http: HttpRequest, number: str) -> HttpResponse:
    """No more advertising: registered, carried out and answered with this one click."""
    customer = person_for(http, number, page="privacy:objection", permission="privacy.take")
    form = ObjectionForm(http.POST)
    channel = form.cleaned_data["channel"] if form.is_valid() else Request.Channel.STAFF
    objecting.object_now(customer, channel=channel, by=signed_in(http))
    messages.success(http, _("Advertising is stopped on every address and number. Invoices and recalls go on."))
    return redirect("portal:customer_detail", number=customer.number)


def _take(http: HttpRequest, customer: Customer | None) -> HttpResponse:
    if http.method != "POST":
        start = {"language": customer.language if customer.language in ("de", "en") else "en"} if customer else {}
        return _page(http, TakeForm(initial=start | ({"number": customer.number} if customer else {})), customer)
    data = http.POST.copy()
    if customer is not None:
        data["number"] = customer.number
    if "suggest" in http.POST:
        start = _suggested(data)
        return _page(http, TakeForm(initial=start), customer, people=_people(http, start), suggested=True)
    form = TakeForm(data)
    if not form.is_valid():
        return _page(http, form, customer, people=_people(http, form.cleaned_data), status=422)
    people = _people(http, form.cleaned_data)
    person = customer or _chosen(http, form, people)
    if form.errors:
        return _page(http, form, customer, people=people, status=422)
    case, new = receiving.register(_incoming(form.cleaned_data, person), by=signed_in(http))
    if new:
        messages.success(http, _("The request is registered as %s.") % case.code)
    else:
        messages.info(http, _("This request was registered already as %s.") % case.code)
    return _after(http, case, person)


def _after(http: HttpRequest, case: Request, person: Customer | None) -> HttpResponse:
    if signed_in(http).may("privacy.requests"):
        return redirect("privacy:request", pk=case.pk)
    # An objection with reasons has just taken the customer out of this person's sight.
    if person is not None and visible_customers(signed_in(http)).filter(pk=person.pk).exists():
        return redirect("portal:customer_detail", number=person.number)
    return redirect("privacy:request_new")


def _suggested(data: Any) -> dict[str, Any]:
    """The form as it was filled, with the right its words speak of, and what the head of a mail says; a person
    decides."""
    start = {name: data.get(name, "") for name in TakeForm.base_fields}
    mail = read_mail(start["text"])
    start |= {name: value for name, value in (("name", mail.name), ("email", mail.email)) if value and not start[name]}
    start["received_at"] = mail.sent or start["received_at"]
    start["kind"] = suggest_kind(start["text"]) or start["kind"]
    if start["kind"] == Request.Kind.OBJECTION:
        start["objects_to"] = suggest_objection(start["text"])
    return start


def _people(http: HttpRequest, data: Mapping[str, Any]) -> list[Customer]:
    """Who may be meant, unless a number says who is."""
    if data.get("number"):
        return []
    visible = visible_customers(signed_in(http))
    return receiving.people_meant(visible, email=data.get("email", ""), phone=data.get("phone", ""))


def _chosen(http: HttpRequest, form: TakeForm, people: list[Customer]) -> Customer | None:
    """Whose request it is: the number that was typed, or the choice among those who share an address."""
    data = form.cleaned_data
    if data["number"]:
        found = visible_customers(signed_in(http)).filter(number=data["number"]).first()
        if found is None:
            form.add_error("number", _("There is no customer with this number."))
        return found
    if data["person"] == UNKNOWN:
        return None
    chosen = next((customer for customer in people if customer.number == data["person"]), None)
    if people and chosen is None:
        form.add_error(None, _("Somebody with this address or number is known: choose whose request it is."))
    return chosen


def _incoming(data: dict[str, Any], person: Customer | None) -> receiving.Incoming:
    return receiving.Incoming(
        kind=data["kind"],
        objects_to=data["objects_to"],
        channel=data["channel"],
        received_at=data["received_at"],
        customer=person,
        text=data["text"],
        name=data["name"],
        email=data["email"],
        phone=data["phone"],
        address=data["address"],
        language=data["language"],
        token=data["token"],
    )


def _page(
    http: HttpRequest,
    form: TakeForm,
    customer: Customer | None,
    *,
    people: list[Customer] | None = None,
    suggested: bool = False,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "customer": customer,
        "people": [(one, named(one), _place(one)) for one in people or ()],
        "suggested": suggested,
        "found": bool(form.initial.get("kind")),
        "may_see_board": signed_in(http).may("privacy.view"),
    }
    return render(http, "privacy/request_new.html", context, status=status)


def _place(customer: Customer) -> str:
    address = customer.addresses.order_by("-is_default", "pk").first()
    return f"{address.postcode} {address.city}".strip() if address else ""
