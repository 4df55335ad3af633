"""What visits say about people, why they are here and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, register, register_store
from tracking import expiring
from tracking.models import Device, DeviceConsent, Visit

RECOGNISING = _("Recognising a device and knowing which pages were visited")
OBSERVED = _("Observed: what the person's device reported to the shop")


@register(Device)
class DeviceData(PersonalData):
    groups = [
        Group(
            fields=("key", "kind", "first_seen", "last_seen", "linked_at", "visits_from"),
            subject="customer",
            purpose=RECOGNISING,
            basis=Basis.CONSENT,
            category="TRACK",
            start="last_seen",
            provided=True,
            source=OBSERVED,
        )
    ]


@register(Visit)
class VisitData(PersonalData):
    groups = [
        Group(
            fields=("occurred_at", "path", "referrer", "campaign"),
            subject="device.customer",
            purpose=RECOGNISING,
            basis=Basis.CONSENT,
            category="TRACK",
            start="occurred_at",
            provided=True,
            source=OBSERVED,
        )
    ]
    parent = "device"


@register(DeviceConsent)
class DeviceConsentData(PersonalData):
    groups = [
        Group(
            fields=("key", "language", "given_at", "ended_at"),
            subject=None,
            person="nobody",
            purpose=_("Proving that storing and reading on the device was agreed to"),
            basis=(Basis.CONSENT_PROOF, Basis.LEGITIMATE_INTERESTS),
            category="CONSENT",
            start="ended_at",
            source=OBSERVED,
        )
    ]
    plain = ("wording", "recorded_at")


register_store(
    "tracking.visits",
    _("Visits by month"),
    RECOGNISING,
    Basis.CONSENT,
    "TRACK",
    expire=expiring.expire_visits,
    note=_("The table of visits: months that are over are dropped whole. An erasure deletes visits with their device."),
)
