"""What customers prefer: the channels there are, and bringing stored preferences in line with what was said."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from customers.models import Customer, Preference
from staff.models import User

CHANNELS = [
    ("email", _("E-mail")),
    ("phone", _("Phone")),
    ("sms", _("SMS")),
    ("whatsapp", _("WhatsApp")),
    ("post", _("Letter")),
]


def preferred(customer: Customer, kind: str) -> list[str]:
    """The values of one kind, as they were said."""
    rows = customer.preferences.filter(kind=kind).order_by("pk")
    return list(rows.values_list("value", flat=True))


def settle_preferences(
    customer: Customer, kind: str, wanted: Collection[str], *, said_by: str, user: User | None
) -> None:
    """Keep what is still wanted with its source, drop the rest, add what is new; inside the caller's transaction."""
    known = preferred(customer, kind) if customer.pk else []
    customer.preferences.filter(kind=kind).exclude(value__in=wanted).delete()
    new = [value for value in wanted if value not in known]
    Preference.objects.bulk_create(
        [Preference(customer=customer, kind=kind, value=value, said_by=said_by, recorded_by=user) for value in new],
        ignore_conflicts=True,
    )
