"""What can happen to a consent, in the words of the Data Privacy Vocabulary, and one such event before it is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """States of a consent (DPV), and three of our own: a notice at a sale (§ 7(3) UWG), its end, an erasure."""

    REQUESTED = "requested", pgettext_lazy("consent", "asked for")
    GIVEN = "given", _("given")
    RENEWED = "renewed", _("renewed")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    REVOKED = "revoked", _("ended by the shop")
    EXPIRED = "expired", _("expired")
    INVALIDATED = "invalidated", _("invalid")
    NOTICED = "noticed", _("told at a sale")
    LAPSED = "lapsed", _("sale undone")
    ERASED = "erased", _("erased")


DPV = {
    Kind.REQUESTED: "ConsentRequested",
    Kind.GIVEN: "ConsentGiven",
    Kind.RENEWED: "RenewedConsentGiven",
    Kind.REFUSED: "ConsentRefused",
    Kind.WITHDRAWN: "ConsentWithdrawn",
    Kind.REVOKED: "ConsentRevoked",
    Kind.EXPIRED: "ConsentExpired",
    Kind.INVALIDATED: "ConsentInvalidated",
}
GRANTING = frozenset({Kind.GIVEN, Kind.RENEWED})
CLOSING = frozenset({Kind.REFUSED, Kind.WITHDRAWN, Kind.REVOKED, Kind.EXPIRED, Kind.INVALIDATED})
UNSAID = frozenset({Kind.REQUESTED, Kind.NOTICED, Kind.LAPSED})
"""States in which the person has said neither yes nor no: what is said goes before them whenever it is learnt."""

SELDOM = frozenset({Kind.REFUSED, Kind.REVOKED, Kind.EXPIRED, Kind.INVALIDATED, Kind.LAPSED, Kind.ERASED})
"""What happens to few consents: an index of their own finds them among a million others."""


class Channel(models.TextChoices):
    """The ways on which a person may be reached or, for `WEB`, observed."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    PHONE = "phone", _("Phone")
    POST = "post", _("Post")
    WEB = "web", _("Web pages")


WITH_ENDPOINT = frozenset({Channel.EMAIL, Channel.SMS, Channel.WHATSAPP, Channel.PHONE})
"""Channels on which a consent holds for one address or number, not for the person."""
_SPEAKS_OF = {
    Channel.EMAIL: r"mail",
    Channel.SMS: r"sms",
    Channel.WHATSAPP: r"whatsapp",
    Channel.PHONE: r"telefon|anruf|phone|call",
    Channel.POST: r"post|brief|letter",
    Channel.WEB: r"web",
}


def speaks_of(name: str, channel: str) -> bool:
    """Whether the name of a purpose, German or English, says the channel itself: "Advertising by post"."""
    return re.search(rf"\b({_SPEAKS_OF[Channel(channel)]})", name, re.IGNORECASE) is not None


class Source(models.TextChoices):
    """How the shop learned of it."""

    WEB_FORM = "web_form", _("Form on a web page")
    DOUBLE_OPT_IN = "double_opt_in", _("Double opt-in")
    ONE_CLICK = "rfc8058", _("One-click unsubscribe")
    SELF_SERVICE = "self_service", _("By the customer on the privacy pages")
    PHONE_CALL = "phone_call", _("Phone call")
    PAPER = "paper", _("On paper")
    IN_STORE = "in_store", _("In the store")
    SALE = "sale", _("At a sale")
    IMPORT = "import", _("Import")
    PLATFORM = "platform", _("Shop platform")
    PROVIDER = "provider", _("Report of the mail provider")
    DESK = "desk", _("At the desk")
    ERASURE = "erasure", _("Request for erasure")
    SYSTEM = "system", _("By rule")


@dataclass(frozen=True)
class Wording:
    """Which text the person saw: SHA-256 of the text in the language shown, and its name for people."""

    sha256: str
    name: str = ""
    language: str = ""


@dataclass(frozen=True)
class Event:
    """One thing that happened to one consent.

    at: when it happened; None is now. late: it is told later than it happened (a form on paper, an import), so it
    decides only over what is older. confirmed: the person confirmed it from exactly this endpoint. actor: who acted,
    an opaque reference such as "self" or "staff:12". ref: what it belongs to (a batch, an opt-in). evidence: whatever
    else proves it, sealed with it.
    """

    kind: str
    customer_id: int
    number: str
    purpose: str
    channel: str
    endpoint: str = ""
    at: datetime | None = None
    late: bool = False
    source: str = Source.SYSTEM
    wording: Wording | None = None
    actor: str = "system"
    ref: UUID | None = None
    confirmed: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict)
