"""The deletion concept after DIN 66398: kinds of data, deletion classes, rules, how they are carried out, by whom."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from datamap.catalogue import period_in_words
from datamap.models import RetentionRule
from privacy.models import PaperVersion, Policy
from privacy.papers.facts import Facts
from privacy.papers.outline import Paper, Section, Table
from privacy.papers.periods import rules_table

# The three kinds of start in DIN 66398, told by the event a rule counts from; whatever is named nowhere ends a matter.
AT_COLLECTION = frozenset({
    "created_at", "requested_at", "computed_at", "received_at", "set_at", "occurred_at", "issued_at",
    "sent_or_received_at", "sent_at", "booked_at", "imported_at", "made_at", "granted_or_last_used_at", "last_entry_at",
})  # fmt: skip
AT_END_OF_RELATION = frozenset({"last_activity_at", "ended_at", "last_contact_at", "erased_at", "withdrawn_at"})


def concept(facts: Facts) -> Paper:
    """The chapters that the standard asks for."""
    sections = [
        Section(_("Purpose and scope"), text=_scope()),
        facts.controller_section(_("Who is answerable")),
        Section(_("Kinds of data and their rules"), text=(_one_rule(),), table=rules_table(facts)),
        Section(_("Deletion classes"), text=(_classes_text(),), table=_classes(facts.rules_used)),
        Section(_("Where the data lie"), text=(_places_text(),), table=_places(facts)),
        Section(_("How deletion is carried out"), points=_carried_out(facts)),
        Section(_("Data kept for a statute alone"), points=_blocked()),
        Section(_("Holds and other exceptions"), points=_exceptions()),
        Section(_("Requests of the persons"), points=_requests()),
        Section(_("Backups and restoring"), points=_backups(facts)),
        Section(_("Processors and recipients"), points=_recipients(facts)),
        Section(_("Proof"), points=_proof()),
        Section(_("Responsibilities and reviews"), points=_duties()),
    ]
    return Paper(PaperVersion.Kind.CONCEPT, _("Deletion concept"), _("After DIN 66398"), sections)


def start_kind(rule: RetentionRule) -> str:
    """From which of the three kinds of start a rule counts."""
    if rule.start_event in AT_COLLECTION:
        return _("collection or making")
    if rule.start_event in AT_END_OF_RELATION:
        return _("end of the relation")
    return _("end of a matter")


def _scope() -> tuple[str, ...]:
    return (
        _("This concept says for all personal data in the portal when they are deleted and how."),
        _("It is made from the declarations and rules by which the portal deletes; what changes there changes here."),
    )


def _one_rule() -> str:
    return _("Each kind of data has exactly one rule: the event from which the period counts, and the period.")


def _classes_text() -> str:
    return _(
        "Few periods and three kinds of start make the deletion classes; the keys of the rules stand in the cells."
    )


def _places_text() -> str:
    return _("Every table and every other store that holds personal data is declared; nothing undeclared can be added.")


def _classes(rules: list[RetentionRule]) -> Table:
    """The matrix of the standard: periods down, kinds of start across."""
    starts = (_("collection or making"), _("end of a matter"), _("end of the relation"))
    cells: dict[str, dict[str, list[str]]] = {}
    lengths = {period_in_words(rule): _length(rule) for rule in rules}
    for rule in rules:
        cells.setdefault(period_in_words(rule), {}).setdefault(start_kind(rule), []).append(rule.full_key)
    rows = tuple(
        (period, *(", ".join(cells[period].get(start, [])) for start in starts))
        for period in sorted(cells, key=lambda period: (lengths[period], period))
    )
    return Table((_("Period"), *starts), rows)


def _length(rule: RetentionRule) -> float:
    if rule.number is None:
        return float("inf")
    return rule.number * {"d": 1.0, "m": 30.4, "y": 365.25}.get(rule.unit, 1.0) + (183 if rule.year_end else 0)


def _places(facts: Facts) -> Table:
    rows = []
    for entry in facts.entries:
        keys = dict.fromkeys(case.key for group in entry.groups for case in group.categories)
        more = [_("change history") if entry.has_history else "", _("files") if entry.has_files else ""]
        rows.append((entry.name, ", ".join(keys), ", ".join(filter(None, more)) or "–"))
    return Table((_("Records"), _("Rules"), _("Also deleted with them")), tuple(rows))


def _carried_out(facts: Facts) -> tuple[str, ...]:
    policy = Policy.current()
    share = number_format(Decimal(f"{Decimal(policy.purge_share) * 100:.1f}".removesuffix(".0")))
    days = facts.who.execution_margin_days
    margin = ngettext(
        "Runs delete %(n)d day after the last day, never earlier.",
        "Runs delete %(n)d days after the last day, never earlier.",
        days,
    )
    return (
        _("Every night the portal asks which rows have passed their last day, and deletes them in batches."),
        *((margin % {"n": days},) if days else ()),
        _("History tables, files and all other declared stores go with their rows."),
        _("Where the rule says anonymize, everything that leads to the person is emptied; figures stay."),
        _("When more than %s percent of the customers would go in one night, the run waits for a person.") % share,
        _("Customers are told %d days before their account ends for want of activity.") % policy.warn_days,
        _("An account that is first seen when its day has come ends as many days after its owner was told."),
        _("Who cannot be told ends on the day."),
        _("What fails is tried again and shown to the privacy role; nothing is skipped in silence."),
    )


def _blocked() -> tuple[str, ...]:
    return (
        _("Documents that a statute demands are cut from the person and reduced to what the document shows."),
        _("No page of daily work shows them; the tax and privacy roles open them for a purpose that is logged."),
        _("When their period is over they are deleted like everything else."),
    )


def _exceptions() -> tuple[str, ...]:
    return (
        _("A hold stops deletion while a matter runs: tax audit, claim, open order or payment, request, authority."),
        _("It has a reason, somebody in charge and a review within twelve months; an overdue review is an alarm."),
        _("A hold that ends does not begin the period anew: what is due goes in the next run."),
        _("While processing is restricted (Art. 18 GDPR) data are not deleted where the law forbids it."),
    )


def _requests() -> tuple[str, ...]:
    policy = Policy.current()
    second, hours = policy.erasure_needs_second, policy.undo_hours
    window = ngettext(
        "Whoever asks for erasure gets it, apart from what a statute or a running claim keeps; it can be taken back "
        "for %(n)d hour.",
        "Whoever asks for erasure gets it, apart from what a statute or a running claim keeps; it can be taken back "
        "for %(n)d hours.",
        hours,
    )
    return (
        window % {"n": hours}
        if hours
        else _("Whoever asks for erasure gets it at once, apart from what a statute or a running claim keeps."),
        _("A second person approves each erasure.") if second else _("One person of the privacy role decides it."),
        _("The person is told what went, what stays, why, and until when; recipients are told, too (Art. 19 GDPR)."),
        _("A keyed fingerprint of the person stays so that late files and events do not bring the data back."),
    )


def _backups(facts: Facts) -> tuple[str, ...]:
    rule = facts.rules.get("BACKUP")
    period = period_in_words(rule) if rule else ""
    return (
        _("Backups are overwritten after %s; single entries are not edited in them.") % period,
        _("A journal outside the database names erasures by opaque ids and is replayed before a restored system runs."),
    )


def _recipients(facts: Facts) -> tuple[str, ...]:
    return (
        _("Processors delete or return the data at the end of the contract (Art. 28(3)(g) GDPR)."),
        _("Recipients are told of each correction, erasure and restriction, unless that is impossible (Art. 19 GDPR)."),
        *(f"{one.name} ({one.get_kind_display()}, {one.get_role_display()})" for one in facts.recipients),
    )


def _proof() -> tuple[str, ...]:
    return (
        _("Each run logs rule, version, kind of record, counts and opaque ids, and no content."),
        _("Each erasure leaves a receipt with counts and reasons."),
    )


def _duties() -> tuple[str, ...]:
    return (
        _("The privacy role owns the rules; a change is a new version with its reason and never an edit."),
        _("Each rule names the day on which it is looked at again."),
        _("The operator keeps the nightly run, the backups and the journal going."),
    )
