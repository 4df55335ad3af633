"""The doors: whoever shows a customer to a person comes through here; role, restriction and log are settled here."""

from __future__ import annotations

from collections.abc import Collection

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from customers import tombstones
from customers.models import Customer
from customers.querysets import CustomerQuerySet
from datamap import accesslog
from datamap.preparing import Standing, ask
from staff.models import User

SEES_RESTRICTED = "customers.restricted"
# The weakest lock, as a foreign key takes it: nobody but an erasure waits for the page.
_STAYS = "SELECT id FROM customers_customer WHERE id = %s FOR KEY SHARE"
_STAY = "SELECT id, number FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE"

accesslog.name_pages(
    {
        "customers:edit": _("Edit customer"),
        "customers:deactivate": _("Deactivate customer"),
        "customers:reactivate": _("Reactivate customer"),
        "customers:note_add": _("Write a note"),
        "customers:note_edit": _("Correct a note"),
        "customers:note_delete": _("Delete note"),
        "customers:flag_set": _("Set a flag"),
        "customers:flag_lift": _("Lift a flag"),
        "customers:held_decide": _("Decide about a held row"),
    }
)


class Erased(Http404):
    """There was a customer with this number, who has been erased; answered with a page that says so (410)."""


def note_met(request: HttpRequest, number: str) -> None:
    """The page works on the customer with this number from here on: whoever is erased meanwhile is known by it."""
    request.met_number = number  # type: ignore[attr-defined]


def met_erased(request: HttpRequest) -> bool:
    """Whether the customer a page works on (`note_met`) has been erased."""
    number = getattr(request, "met_number", None)
    return number is not None and tombstones.erasure_of_number(number) is not None


def visible_customers(user: User) -> CustomerQuerySet:
    """The customers this person may see; restricted ones (Art. 18 GDPR) only with the permission for them."""
    return _visible(user.may(SEES_RESTRICTED))


def _visible(with_restricted: bool) -> CustomerQuerySet:
    customers = Customer.objects.all()
    return customers if with_restricted else customers.unrestricted()


def _numbered(with_restricted: bool) -> Standing[Customer]:
    return Standing(lambda number: _visible(with_restricted).select_related("summary").filter(number=number), "\x01")


_NUMBERED = {with_restricted: _numbered(with_restricted) for with_restricted in (True, False)}


def customer_for(
    request: HttpRequest, number: str, *, page: str, permission: str = "customers.view", purpose: str = ""
) -> Customer:
    """The customer with this number, and a line in the access log.

    Raises PermissionDenied (403) without the permission. Raises Http404 where there is no such customer, and also
    where the customer is restricted and the person may not see that: the answer does not tell the two apart. Raises
    Erased where the customer of this number was erased.
    """
    user = request.user
    if not isinstance(user, User) or not user.may(permission):
        raise PermissionDenied
    if "\0" in number:
        # PostgreSQL refuses a NUL in a parameter; no number holds one.
        raise Http404
    customer = next(iter(_NUMBERED[user.may(SEES_RESTRICTED)](number)), None)
    if customer is None:
        if not Customer.objects.filter(number=number).exists() and tombstones.erasure_of_number(number):
            raise Erased
        raise Http404
    note_met(request, customer.number)
    if not note_opened(user.pk, customer, page, purpose):
        raise Erased if met_erased(request) else Http404
    return customer


def note_opened(user_id: int, customer: Customer, page: str, purpose: str = "") -> bool:
    """Write into the access log that somebody opens this customer; False, and no line, where the customer went
    meanwhile.

    One transaction. Whoever erases the customer is waited for: a line that came after would hold the number of somebody
    erased, and nobody would look for it.
    """
    with transaction.atomic():
        is_there = bool(ask(_STAYS, [customer.pk]))
        if is_there:
            accesslog.record(user_id, customer.number, page, purpose)
    return is_there


def note_listed(user_id: int | None, ids: Collection[int], page: str) -> set[int]:
    """The same for many at once, as a list that leaves the house needs it; answers who of them is still there.

    One transaction, so not for more than a piece of a list: whoever erases one of them meanwhile waits for it.
    """
    with transaction.atomic():
        there = dict(ask(_STAY, [list(ids)]))
        accesslog.record_many(user_id, there.values(), page)
    return set(there)
