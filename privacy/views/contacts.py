"""Contact persons of a company and their own rights: what is held of them, their copy, their erasure."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.models import ContactPerson
from datamap.accesslog import name_pages
from privacy import restricting
from privacy.access import person_for
from privacy.erasing_contacts import ask_contact_erasure, plan_contact, request_of
from privacy.forms.requests import RestrictPersonForm
from privacy.models import Erasure, Package, Policy, Restriction
from privacy.notices import recipients_to_tell
from privacy.packages.building import ask
from privacy.packages.speakers import last_day_of, last_day_of_history
from privacy.packages.tasks import build_package
from privacy.speaking import facts_of, is_removed, own_endpoints, speaker_by_key
from privacy.steps import StepRefused
from privacy.views.erasing import asked, shown, sums
from privacy.views.freezing import asking_case, effects_before
from staff.access import permission_required, recent_login_required, signed_in

name_pages(
    {
        "privacy:contact": gettext_lazy("Rights of a contact person"),
        "privacy:contact_copy": gettext_lazy("Copy for a contact person"),
        "privacy:contact_restrict": gettext_lazy("Restrict a contact person"),
        "privacy:contact_erase": gettext_lazy("Erase a contact person"),
    }
)


class SuppressForm(forms.Form):
    """Whether the person wants no mail and no call afterwards either."""

    suppress = forms.BooleanField(
        label=gettext_lazy("Never write to or call their own address and number again"), required=False
    )


@require_GET
@permission_required("privacy.requests")
def contact(http: HttpRequest, number: str, pk: int) -> HttpResponse:
    """What is held of one contact person, and until when."""
    person = _contact_for(http, number, pk, page="privacy:contact")
    history = ContactPerson.history.filter(id=person.pk).count()
    user = signed_in(http)
    context = {
        "customer": person.customer,
        "person": person,
        "facts": facts_of(person),
        "history": history,
        "removed": is_removed(person),
        "last_day": last_day_of_history(person) if is_removed(person) else last_day_of(person).deletable_from,
        "case": request_of(person),
        "copies": Package.objects.filter(contact_person=person.pk).order_by("-asked_at", "-pk")[:5],
        "may_copy": user.may("privacy.packages"),
        "may_erase": user.may("privacy.erase"),
        "standing": restricting.standing_of_speaker(person),
    }
    return render(http, "privacy/contact.html", context)


@require_POST
@permission_required("privacy.packages")
@recent_login_required
def contact_copy(http: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Have the copy of Art. 15 made: the person's own row, its history and requests."""
    person = _contact_for(http, number, pk, page="privacy:contact_copy", permission="privacy.packages")
    package = ask(person, Package.Kind.ACCESS, user_id=signed_in(http).pk)
    transaction.on_commit(lambda: build_package.delay(package.pk))
    return redirect("privacy:package", package.uuid)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.requests")
def contact_restrict(http: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Restrict the data of this person alone; what it does stands before the button."""
    person = _contact_for(http, number, pk, page="privacy:contact_restrict")
    form = RestrictPersonForm(http.POST or None, initial={"case": "a"})
    case = asking_case(http, person.customer_id, person.pk) or restricting.asked_by(person.customer, person.pk)
    if http.method == "POST" and form.is_valid():
        data, parts = form.cleaned_data, [Restriction.Part.ALL]
        try:
            done = restricting.restrict(
                person.customer, data["case"], parts, data["reason"], by=signed_in(http), request=case, speaker=person
            )
            messages.success(http, _("The data are restricted."))
            return redirect("privacy:restriction", pk=done.pk)
        except StepRefused as refused:
            form.add_error(None, str(refused))
    context = {
        "customer": person.customer,
        "person": person,
        "form": form,
        "case": case,
        **effects_before(speaker=True),
    }
    return render(http, "privacy/restrict.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.erase")
@recent_login_required
def contact_erase(http: HttpRequest, number: str, pk: int) -> HttpResponse:
    """What the erasure of this person will do, and the button that asks for it; the company stays."""
    person = _contact_for(http, number, pk, page="privacy:contact_erase", permission="privacy.erase")
    running = Erasure.objects.filter(contact_person=person.pk, state__in=Erasure.OPEN_STATES).first()
    form = SuppressForm(http.POST or None, initial={"suppress": True})
    if http.method == "POST" and form.is_valid():
        erasure = ask_contact_erasure(person, suppress=form.cleaned_data["suppress"], user=signed_in(http))
        return asked(http, erasure, running)
    plan = plan_contact(person)
    items = plan.as_dicts()
    context = {
        "customer": person.customer,
        "person": person,
        "form": form,
        "case": request_of(person),
        "own": own_endpoints(person),
        "recipients": recipients_to_tell(person.customer_id, None),
        "policy": Policy.current(),
        "running": running,
        "rows": shown(items),
        "sums": sums(items),
        "holds": plan.holds,
    }
    return render(http, "privacy/contact_erase.html", context)


def _contact_for(
    http: HttpRequest, number: str, pk: int, *, page: str, permission: str = "privacy.requests"
) -> ContactPerson:
    """The contact person, through the door of the company."""
    company = person_for(http, number, page=page, permission=permission)
    found = speaker_by_key(pk)
    if found is None or found.customer_id != company.pk:
        raise Http404
    return found
