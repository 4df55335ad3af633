"""The doors to mails and letters: each leads through the customer's, which writes the access log."""

from __future__ import annotations

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.access import SEES_RESTRICTED, customer_for
from customers.models import Customer
from datamap.accesslog import name_pages
from mail.models import Enclosure, Letter, Message
from staff.access import signed_in

name_pages(
    {
        "mail:detail": _("Mail"),
        "mail:decide": _("Decide about a mail"),
        "mail:letter": _("Letter"),
        "mail:enclosure": _("Enclosure of a letter"),
    }
)


def message_for(request: HttpRequest, pk: int, *, page: str, permission: str = "mail.view") -> Message:
    """The mail, or 404, also where its customer is restricted and the person may not see that."""
    message = Message.objects.select_related("customer", "decided_by").filter(pk=pk).first()
    if message is None:
        raise Http404
    if message.customer is not None:
        customer_for(request, message.customer.number, page=page, permission=permission)
    return message


def letter_for(request: HttpRequest, pk: int) -> Letter:
    """The letter, or 404. Blocked letters stand behind the archive door."""
    letter = Letter.objects.select_related("customer", "message").filter(pk=pk).first()
    if letter is None:
        raise Http404
    _through(request, letter.customer, "mail:letter")
    return letter


def enclosure_for(request: HttpRequest, pk: int) -> Enclosure:
    """The file, or 404, as its letter."""
    enclosure = Enclosure.objects.select_related("letter__customer").filter(pk=pk).first()
    if enclosure is None or enclosure.letter.blocked_at is not None:
        raise Http404
    _through(request, enclosure.letter.customer, "mail:enclosure")
    return enclosure


def _through(request: HttpRequest, customer: Customer | None, page: str) -> None:
    """Letters to people who are no customers are answers to requests: for those who handle them."""
    if customer is not None:
        customer_for(request, customer.number, page=page, permission="mail.letters")
    elif not signed_in(request).may(SEES_RESTRICTED):
        raise Http404
