"""The privacy notice of Art. 13 GDPR, as the shop may give it to its customers."""

from __future__ import annotations

from django.utils.translation import gettext as _

from privacy.models import PaperVersion
from privacy.papers.facts import Activity, Facts
from privacy.papers.outline import Paper, Section
from privacy.papers.record import period_of

CUSTOMERS = ("customer", "contact", "recipient")


def information(facts: Facts) -> Paper:
    """Everything Art. 13(1) and (2) list, from the declarations of what is held about customers."""
    mine = [one for one in facts.activities if any(group.person_key in CUSTOMERS for _entry, group in one.groups)]
    kinds = list(dict.fromkeys(kind for activity in mine for kind in activity.recipients))
    sections = [
        facts.controller_section(_("Who is answerable")),
        Section(
            _("What we use your data for"), text=(_("For each purpose: what, on what legal basis, for how long."),)
        ),
        *(_purpose(activity) for activity in mine),
        Section(_("Who receives your data"), points=tuple(facts.named(kinds)) or (_("Nobody outside the shop."),)),
        Section(_("Countries outside the EEA"), points=tuple(facts.transfers()) or (_("Your data stay in the EEA."),)),
        Section(_("Your rights"), points=_rights()),
        Section(_("Your right to object (Art. 21 GDPR)"), text=_objection()),
        Section(_("Complaint"), text=_complaint(facts)),
        Section(_("Whether you must give the data"), text=(_must(),)),
        Section(_("Automated decisions"), text=(_automated(),)),
    ]
    return Paper(PaperVersion.Kind.NOTICE, _("Privacy notice"), _("Art. 13 GDPR"), sections)


def _purpose(activity: Activity) -> Section:
    names = dict.fromkeys(
        entry.name for entry, group in activity.groups if group.person_key in CUSTOMERS
    )  # which records, not each column: a notice is read by people
    return Section(
        activity.purpose,
        level=3,
        facts=(
            (_("Data"), ", ".join(names)),
            (_("Legal basis"), "; ".join(activity.bases)),
            (_("Kept"), "; ".join(period_of(case) for case in activity.categories)),
        ),
    )


def _rights() -> tuple[str, ...]:
    return (
        _("You may ask what we hold about you, and for a copy (Art. 15 GDPR)."),
        _("You may have wrong data corrected (Art. 16 GDPR)."),
        _("You may have data erased (Art. 17 GDPR) or their use restricted (Art. 18 GDPR)."),
        _("You may take the data you gave us with you in a common format (Art. 20 GDPR)."),
        _("You may withdraw a consent at any time, as easily as you gave it; what was done before stays lawful."),
    )


def _objection() -> tuple[str, ...]:
    return (
        _("You may object to advertising at any time and without reasons; we then stop it on every channel."),
        _("You may object to what we do out of legitimate interests, for reasons of your own situation."),
    )


def _complaint(facts: Facts) -> tuple[str, ...]:
    authority = facts.who.authority_name
    words = _("You may complain to a supervisory authority (Art. 77 GDPR).")
    ours = _("Ours is: %s.") % authority
    return (f"{words} {ours}",) if authority else (words,)


def _must() -> str:
    return _(
        "Name, address and what you order are needed for the contract: without them we cannot deliver. "
        "Everything else is your choice."
    )


def _automated() -> str:
    return _("We take no decision about you by automated means alone that has legal or similar effects (Art. 22 GDPR).")
