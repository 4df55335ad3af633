"""Somebody passes a place at which texts are due: what is due to them there, and what they accepted or were shown.

A page for customers asks `due_to` what it has to show, and says with `pass_place` what was shown and ticked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from consents.events import Source
from consents.models import Acceptance, LegalText, LegalTextVersion, Placement
from consents.texts import Due, accept, texts_for
from consents.tokens import PlaceTicket, place_token
from customers.models import Customer
from customers.placing import BY_LINK, places

LIFE = timedelta(days=30)
"""So long a link of the desk is good."""


class LinkOver(Exception):
    """The link is too old, or nothing new may be begun with the data of whom it was made for."""


class TextsMissing(ValueError):
    """Texts that are due were not accepted, or not shown in the version that is valid; they are in `due`."""

    def __init__(self, due: Sequence[Due]) -> None:
        super().__init__(gettext("A text that is due here has not been accepted, or is not the one that was shown."))
        self.due = list(due)


def due_on_page(place: str) -> list[Due]:
    """The texts that a page for customers shows; the wording of a consent stands beside its own box and is none."""
    return [one for one in texts_for(place) if one.version.text.kind != LegalText.Kind.CONSENT]


def due_to(customer_id: int, place: str) -> list[Due]:
    """The texts due at a place that this customer has not passed there in the version that is valid today.

    A new version is due again; an empty list lets the person through.
    """
    due = due_on_page(place)
    passed = Acceptance.objects.filter(customer=customer_id, place=place, version__in=[one.version for one in due])
    known = set(passed.values_list("version", "demand"))
    accepted = {version for version, demand in known if demand == Placement.Demand.ACCEPT}
    shown = {version for version, _demand in known}
    return [one for one in due if one.version.pk not in (accepted if one.must_accept else shown)]


def pass_place(
    customer_id: int, place: str, seen: Collection[int], *, language: str, source: str, at: datetime | None = None
) -> int:
    """Note that a customer passes a place; `seen`: the versions (ids) that were ticked, or shown where that is enough.

    Answers how many notes are new. Raises TextsMissing, with nothing noted, while one that is due is not among them.
    """
    due = due_to(customer_id, place)
    if missing := [one for one in due if one.version.pk not in seen]:
        raise TextsMissing(missing)
    return accept(customer_id, due, place, language=language, source=source, at=at)


@dataclass(frozen=True)
class Invitation:
    """Texts that are due to a customer at a place, and the link by which they are read and accepted."""

    place: Any
    due: list[Due]
    url: str


def invitations_for(customer: Customer) -> list[Invitation]:
    """The links that the desk may hand to a customer: one for each place by link at which something is due."""
    if customer.restricted_at is not None or customer.deactivated_at is not None:
        return []
    names, found = places(), []
    for place in BY_LINK:
        if due := due_to(customer.pk, place):
            found.append(Invitation(names[place], due, url_of(customer, place)))
    return found


def url_of(customer: Customer, place: str) -> str:
    """The link by which this customer passes a place; good for `LIFE`, and it does nothing before its button."""
    ticket = PlaceTicket(customer.pk, place, timezone.now() + LIFE)
    return settings.SITE_URL.rstrip("/") + reverse("opt_in:place", args=[place_token(ticket)])


def invited(ticket: PlaceTicket, *, lock: bool = False) -> Customer:
    """The customer of a link. Raises LinkOver where it is too old, or nothing new may be begun with their data."""
    rows = Customer.objects.filter(pk=ticket.customer, restricted_at__isnull=True, deactivated_at__isnull=True)
    customer = (rows.select_for_update(no_key=True) if lock else rows).first()
    if customer is None or ticket.place not in BY_LINK or timezone.now() >= ticket.until:
        raise LinkOver
    return customer


@transaction.atomic
def pass_by_link(ticket: PlaceTicket, seen: Collection[int], *, language: str) -> int:
    """Pass the place of a link, once however often; answers how many notes are new. Raises LinkOver, TextsMissing."""
    customer = invited(ticket, lock=True)
    return pass_place(customer.pk, ticket.place, seen, language=language, source=Source.SELF_SERVICE)


def written_passed(due: Sequence[Due]) -> list[dict[str, Any]]:
    """What is kept of texts until it is known who passed them."""
    return [{"version": one.version.pk, "demand": one.demand} for one in due]


def read_passed(written: Sequence[dict[str, Any]]) -> list[Due]:
    """What `written_passed` has written; a published version stands for ever."""
    versions = LegalTextVersion.objects.in_bulk([one["version"] for one in written])
    return [Due(versions[one["version"]], one["demand"]) for one in written]
