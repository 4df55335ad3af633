"""The doors to contacts, complaints and follow-ups: each leads through the customer's door."""

from __future__ import annotations

from typing import TypeVar

from django.db import models
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _

from customers.access import customer_for
from customers.models import Customer
from datamap.accesslog import name_pages
from interactions.models import Attachment, Complaint, FollowUp, Interaction

name_pages(
    {
        "interactions:log": _("Note a contact"),
        "interactions:detail": _("Contact"),
        "interactions:close": _("Close a contact"),
        "interactions:attachment": _("File of a contact"),
        "interactions:followup_done": _("Tick off a follow-up"),
        "interactions:followup_postpone": _("Postpone a follow-up"),
        "interactions:complaint_open": _("Note a complaint"),
        "interactions:complaint": _("Complaint"),
        "interactions:complaint_move": _("Move a complaint on"),
        "interactions:complaint_keep": _("Look again at a complaint"),
    }
)

Row = TypeVar("Row", Interaction, Complaint, FollowUp)


def interaction_for(request: HttpRequest, pk: int, *, page: str) -> Interaction:
    """The contact, or 404; the opening of its customer is written to the access log."""
    return _through_customer(request, Interaction.objects.select_related("customer", "staff"), pk, page)


def complaint_for(request: HttpRequest, pk: int, *, page: str) -> Complaint:
    """The complaint, or 404; the opening of its customer is written to the access log."""
    return _through_customer(request, Complaint.objects.select_related("customer", "owner"), pk, page)


def follow_up_for(request: HttpRequest, pk: int, *, page: str) -> FollowUp:
    """The step, or 404; the opening of its customer is written to the access log."""
    return _through_customer(request, FollowUp.objects.select_related("customer", "owner"), pk, page)


def attachment_for(request: HttpRequest, pk: int, *, page: str) -> Attachment:
    """The file, or 404; the opening of its customer is written to the access log."""
    attachment = Attachment.objects.filter(pk=pk).select_related("interaction__customer").first()
    # The way to the contact leads past its manager: a blocked one is read behind the archive door alone.
    if attachment is None or attachment.interaction.blocked_at is not None:
        raise Http404
    _open(request, attachment.interaction.customer, page)
    return attachment


def _through_customer(request: HttpRequest, rows: models.QuerySet[Row], pk: int, page: str) -> Row:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Http404
    _open(request, row.customer, page)
    return row


def _open(request: HttpRequest, customer: Customer | None, page: str) -> None:
    if customer is None:
        raise Http404
    customer_for(request, customer.number, page=page, permission="interactions.view")
