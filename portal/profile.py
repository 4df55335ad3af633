"""Gathers the master data of one customer for the customer page: a fixed number of small queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, Model
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.models import (
    Address,
    ContactPerson,
    ContactPoint,
    Customer,
    CustomerTag,
    ExternalId,
    Flag,
    OptInClaim,
    Origin,
    Preference,
    Summary,
    Tag,
)
from datamap.preparing import Standing, ask
from privacy.models import Erasure

SHOWN = 20
"""More contact points, addresses or persons than this are counted, not listed."""

# Most customers have nothing in most of these: one question says where to look.
_RARE: tuple[type[Model], ...] = (ContactPerson, ExternalId, CustomerTag, Preference, Flag, OptInClaim, Erasure)
_EXISTS = [f"EXISTS (SELECT FROM {model._meta.db_table} WHERE customer_id = %s)" for model in _RARE]
_ORIGINS = Standing(lambda pk: Origin.objects.filter(pk=pk))
_POINTS = Standing(lambda pk: ContactPoint.objects.filter(customer=pk).order_by("-is_primary", "pk")[:SHOWN])
_ADDRESSES = Standing(lambda pk: Address.objects.filter(customer=pk).order_by("-is_default", "pk")[:SHOWN])
_THERE = f"SELECT {', '.join(_EXISTS)}"  # noqa: S608
_PERSONS = Standing(
    lambda pk: ContactPerson.objects.unrestricted().filter(customer=pk).order_by("last_name", "pk")[:SHOWN]
)
_EXTERNAL_IDS = Standing(lambda pk: ExternalId.objects.filter(customer=pk).order_by("platform", "pk")[:SHOWN])
_TAGS = Standing(lambda pk: Tag.objects.filter(customer_tags__customer=pk).order_by("name"))
_PREFERENCES = Standing(lambda pk: Preference.objects.filter(customer=pk).order_by("said_at", "pk"))
_FLAGS = Standing(lambda pk: Flag.objects.filter(customer=pk, lifted_at__isnull=True).order_by("pk"))
_CLAIMS = Standing(
    lambda pk: (
        OptInClaim.objects.filter(customer=pk)
        .select_related("origin")
        .order_by(F("claimed_at").desc(), "channel")[:SHOWN]
    )
)
_ERASURES = Standing(lambda pk: Erasure.objects.filter(customer=pk, state__in=Erasure.OPEN_STATES)[:1])


@dataclass
class Profile:
    """One customer as the page shows them."""

    customer: Customer
    summary: Summary | None
    origin: Origin | None
    contact_points: list[ContactPoint]
    addresses: list[Address]
    persons: list[ContactPerson]
    external_ids: list[ExternalId]
    tags: list[str]
    channels: list[str]
    interests: list[str]
    flags: list[Flag]
    claims: list[OptInClaim]
    erasures: list[Erasure]
    chips: list[tuple[str, str]] = field(default_factory=list)

    @property
    def emails(self) -> list[ContactPoint]:
        """The e-mail addresses, the first one first."""
        return [point for point in self.contact_points if point.kind == ContactPoint.Kind.EMAIL]

    @property
    def phones(self) -> list[ContactPoint]:
        """The phone numbers, the first one first."""
        return [point for point in self.contact_points if point.kind == ContactPoint.Kind.PHONE]

    @property
    def birthday(self) -> str:
        """Day and month; a year is never known."""
        day, month = self.customer.birthday_day, self.customer.birthday_month
        if not day or not month:
            return ""
        # 2000 had a 29 February.
        return date_format(date(2000, month, day), "MONTH_DAY_FORMAT")


def full_name(customer: Customer) -> str:
    """The name as a heading, the number where nobody is named."""
    return customer.full_name or _("Customer %s") % customer.number


def profile_of(customer: Customer) -> Profile:
    """Read what the left column shows."""
    (found,) = ask(_THERE, [customer.pk] * len(_RARE))
    there = {model for model, is_there in zip(_RARE, found, strict=True) if is_there}

    def rows(model: type[Model], wanted: Standing[Any]) -> list[Any]:
        return wanted(customer.pk) if model in there else []

    preferences = rows(Preference, _PREFERENCES)
    profile = Profile(
        customer=customer,
        summary=getattr(customer, "summary", None),  # the door has read it with the customer
        origin=next(iter(_ORIGINS(customer.origin_id)), None) if customer.origin_id else None,
        contact_points=_POINTS(customer.pk),
        addresses=_ADDRESSES(customer.pk),
        persons=rows(ContactPerson, _PERSONS),
        external_ids=rows(ExternalId, _EXTERNAL_IDS),
        tags=[tag.name for tag in rows(CustomerTag, _TAGS)],
        channels=[p.value for p in preferences if p.kind == Preference.Kind.CHANNEL],
        interests=[p.value for p in preferences if p.kind == Preference.Kind.INTEREST],
        flags=rows(Flag, _FLAGS),
        claims=rows(OptInClaim, _CLAIMS),
        erasures=rows(Erasure, _ERASURES),
    )
    profile.chips = _chips(profile)
    return profile


def _chips(profile: Profile) -> list[tuple[str, str]]:
    """Tone and words of the marks beside the name: only what is unusual."""
    customer, summary = profile.customer, profile.summary
    kinds = {flag.kind for flag in profile.flags}
    marks: list[tuple[Any, str, str]] = [
        (profile.erasures, "stop", _("is to be erased")),
        (customer.restricted_at, "stop", _("restricted")),
        (customer.deactivated_at, "plain", _("deactivated")),
        (customer.kind == Customer.Kind.COMPANY, "info", _("Company")),
        (customer.status == Customer.Status.GUEST, "plain", _("Guest")),
        (customer.status == Customer.Status.PROSPECT, "plain", _("Prospect")),
        (Flag.Kind.MINOR in kinds, "warn", _("minor")),
        (Flag.Kind.FRAUD in kinds, "stop", _("fraud suspected")),
        (summary and summary.open_complaints, "warn", _("Complaint open")),
        (summary and summary.advertising_stopped_at, "stop", _("no advertising")),
    ]
    return [(tone, words) for there, tone, words in marks if there]
