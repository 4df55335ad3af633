"""The record of processing activities (Art. 30(1) GDPR)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from datamap.overview import CategoryEntry
from privacy.models import PaperVersion, Recipient
from privacy.models.recipients import Safeguard
from privacy.papers.facts import Activity, Facts
from privacy.papers.outline import Paper, Section, Table


def record(facts: Facts) -> Paper:
    """Controller, one section for each activity with (b) to (f), the recipients by name, and the measures (g)."""
    sections = [
        facts.controller_section(_("Who is answerable")),
        Section(_("Activities"), text=(_("Each purpose is one activity; the periods are those of the nightly run."),)),
        *(_activity(facts, activity) for activity in facts.activities),
        _recipients(facts.recipients),
        Section(_("Technical and organisational measures (Art. 32)"), points=measures()),
    ]
    return Paper(PaperVersion.Kind.RECORD, _("Record of processing activities"), _("Art. 30(1) GDPR"), sections)


def period_of(case: CategoryEntry) -> str:
    """One rule as a line: what, how long, from when, on what ground."""
    begins = _(", counted from: %s") % case.counts_from if case.counts_from else ""
    return f"{case.name}: {case.period}{begins} ({case.statute})" if case.statute else f"{case.name}: {case.period}"


def measures() -> tuple[str, ...]:
    """What protects the data in this house."""
    return (
        _("Contact data and free texts lie sealed in the database (AES-256-GCM); the keys lie outside it and rotate."),
        _("E-mail addresses and phone numbers are found by keyed fingerprints, not by their text."),
        _("Each role sees what its work needs; pages ask for a permission, and every look at a customer is logged."),
        _("Staff sign in with a second factor; exports and erasures ask for it again."),
        _("Exports of lists are limited in size and logged."),
        _("Every datum has a rule and a last day; a nightly run deletes what is due and logs it without content."),
        _("Data kept for a statute alone are blocked: out of daily work, opened for a purpose that is noted."),
        _("Backups are overwritten after their period; a restored system first repeats all erasures from a journal."),
        _("Data of restricted persons are left out of search, lists, exports and mails."),
        _("A check refuses any table or column that nobody has declared."),
    )


def _activity(facts: Facts, activity: Activity) -> Section:
    return Section(
        activity.purpose,
        level=3,
        facts=(
            (_("Legal basis"), "; ".join(activity.bases)),
            (_("Categories of persons"), ", ".join(activity.persons)),
            (_("Categories of data"), "; ".join(activity.data)),
            (_("Recipients"), ", ".join(facts.named(activity.recipients)) or _("none outside the shop")),
            (_("Third countries"), "; ".join(facts.transfers(activity.recipients)) or _("no transfer")),
            (_("Periods of erasure"), "; ".join(period_of(case) for case in activity.categories)),
        ),
    )


def _recipients(known: list[Recipient]) -> Section:
    head = (_("Name"), _("Kind"), _("Role"), _("Data"), _("Purposes"), _("Country"), _("Safeguard"))
    rows = tuple(
        (one.name, str(one.get_kind_display()), str(one.get_role_display()), one.data, one.purposes, one.country,
         str(Safeguard(one.safeguard).label))
        for one in known
    )  # fmt: skip
    if not rows:
        return Section(_("Recipients by name"), text=(_("Nobody is entered in the list of recipients yet."),))
    return Section(_("Recipients by name"), table=Table(head, rows))
