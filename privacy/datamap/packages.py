"""Copies for people, and what is black in them: whose they are, why they are here and for how long."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, register
from privacy.datamap.grouping import staff_of
from privacy.models import Package, Redaction


@register(Package)
class PackageData(PersonalData):
    told = _("copies of the data")
    groups = [
        Group(
            fields=(
                "uuid", "kind", "state", "file", "bytes", "files", "rows", "asked_at", "built_at", "released_at",
                "provided_at", "expires_at", "token_hash",
            ),
            subject="customer",
            purpose=_("Handing a person the copy of their data (Art. 15(3), 20 GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="DSARPKG",
            # One that nobody fetches goes as well.
            start=("provided_at", "built_at", "asked_at"),
            source=_("Made by the portal"),
        ),
        *staff_of("asked_by", "released_by", category="DSARPKG", start="asked_at"),
    ]  # fmt: skip
    plain = ("request", "contact_person", "failure", "lease", "lease_until", "attempts")
    subject_ref = "subject_ref"
    files = ("file",)


@register(Redaction)
class RedactionData(PersonalData):
    parent = "package"
    groups = [
        Group(
            fields=("model", "row", "field", "place", "begins", "ends", "why", "digest", "decision", "decided_at"),
            subject="package.customer",
            purpose=_("Keeping data of others out of a copy (Art. 15(4) GDPR)"),
            basis=Basis.LEGAL_OBLIGATION,
            category="DSARPKG",
            start=("package.provided_at", "package.built_at", "package.asked_at"),
            source=_("Made by the portal"),
            note=_("Places in rows, never their words."),
        ),
        *staff_of("decided_by", category="DSARPKG", start="package.asked_at"),
    ]
