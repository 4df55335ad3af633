"""The laws behind the short forms of statutes, by the names that people know."""

from __future__ import annotations

import re

from django.utils.translation import gettext_lazy as _

_LAWS = {
    "AO": _("Fiscal Code"),
    "HGB": _("Commercial Code"),
    "UStG": _("VAT Act"),
    "EGAO": _("Introductory Act to the Fiscal Code"),
    "BGB": _("Civil Code"),
    "UWG": _("Act against Unfair Competition"),
    "AGG": _("General Act on Equal Treatment"),
    "ArbGG": _("Labor Courts Act"),
    "OWiG": _("Act on Regulatory Offences"),
    "TDDDG": _("Telecommunications Digital Services Data Protection Act"),
    "GDPR": _("General Data Protection Regulation"),
    "DSGVO": _("General Data Protection Regulation"),
    "DSK": _("resolution of the German data protection authorities"),
    "SDM": _("Standard Data Protection Model"),
    "C-": _("judgment of the Court of Justice of the European Union"),
}
_SHORT = re.compile(r"\b(?:AO|HGB|UStG|EGAO|BGB|UWG|AGG|ArbGG|OWiG|TDDDG|GDPR|DSGVO|DSK|SDM)\b|\bC-(?=\d)")


def named(cited: str) -> str:
    """A cited statute with the names of its laws behind it: "AO § 147(3) (Abgabenordnung)"."""
    laws = dict.fromkeys(str(_LAWS[short]) for short in _SHORT.findall(cited))
    return f"{cited} ({', '.join(laws)})" if laws else cited
