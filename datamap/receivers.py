"""The kinds of recipients that declarations name; the shop says on its pages who they are (Art. 4(9), 13(1)(e))."""

from __future__ import annotations

from enum import Enum
from typing import Any, Self

from django.utils.translation import gettext_lazy as _


class Receiver(Enum):
    """A category of recipients: value = key, label = everyday words; text of it reads as its label."""

    PARCEL = ("parcel", _("Parcel service"))
    MAIL_PROVIDER = ("mail_provider", _("E-mail service provider"))
    TAX_ADVISER = ("tax_adviser", _("Tax adviser"))
    TAX_OFFICE = ("tax_office", _("Tax office"))
    PAYMENT = ("payment", _("Payment service"))
    HOSTING = ("hosting", _("Hosting"))
    CREDIT_AGENCY = ("credit_agency", _("Credit agency"))
    COLLECTION = ("collection", _("Debt collection"))
    LAWYER = ("lawyer", _("Lawyer or court"))
    AUTHORITY = ("authority", _("Authority"))
    OTHER = ("other", _("Other"))

    def __new__(cls, key: str, label: Any) -> Self:
        member = object.__new__(cls)
        member._value_ = key
        member.label = label
        return member

    label: Any

    def __str__(self) -> str:
        return str(self.label)


RECEIVERS = [(receiver.value, receiver.label) for receiver in Receiver]
