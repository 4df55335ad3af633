"""Who saw which version of a text: consents given on the strength of it, and acceptances at a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from consents.models import Acceptance, LegalTextVersion, Record
from customers.access import SEES_RESTRICTED
from customers.models import Customer
from customers.placing import places
from datamap.keyset import page_of
from staff.models import User

CONSENTS, ACCEPTANCES = "consents", "acceptances"
KINDS: dict[str, Any] = {CONSENTS: _("Consents"), ACCEPTANCES: _("Accepted or shown")}


@dataclass(frozen=True)
class Seen:
    """One person who saw a version: None where their data are protected."""

    customer: Customer | None
    at: datetime
    what: Any
    how: Any
    language: str


@dataclass(frozen=True)
class SeenPage:
    """One page of it, the newest first."""

    rows: list[Seen]
    next_cursor: str


def seen(version: LegalTextVersion, kind: str, user: User, cursor: str = "") -> SeenPage:
    """A page of those who consented on the strength of a version, or accepted it or were shown it."""
    return _accepted(version, user, cursor) if kind == ACCEPTANCES else _consented(version, user, cursor)


def _consented(version: LegalTextVersion, user: User, cursor: str) -> SeenPage:
    hashes = [sha for sha in (version.sha256_de, version.sha256_en) if sha]
    rows = Record.objects.filter(entry__text_sha256__in=hashes, customer__isnull=False)
    page = page_of(rows.select_related("entry", "customer", "purpose"), "entry_id", cursor=cursor)
    told = [
        Seen(
            _shown(row.customer, user),
            row.occurred_at,
            f"{row.use}: {row.get_kind_display()}",
            row.get_source_display(),
            "en" if row.entry.text_sha256 == version.sha256_en else "de",
        )
        for row in page.rows
    ]
    return SeenPage(told, page.next_cursor)


def _accepted(version: LegalTextVersion, user: User, cursor: str) -> SeenPage:
    rows = Acceptance.objects.filter(version=version, customer__isnull=False).select_related("customer")
    page, names = page_of(rows, "at", cursor=cursor), places()
    told = [
        Seen(
            _shown(row.customer, user),
            row.at,
            f"{names.get(row.place, row.place)} {row.order_number}".strip(),
            row.get_source_display(),
            row.language,
        )
        for row in page.rows
    ]
    return SeenPage(told, page.next_cursor)


def _shown(customer: Customer | None, user: User) -> Customer | None:
    if customer is not None and customer.restricted_at is not None and not user.may(SEES_RESTRICTED):
        return None
    return customer
