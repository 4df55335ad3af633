"""The retention table: every rule under which something is kept, with what is to come."""

from __future__ import annotations

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from datamap.catalogue import cited, period_in_words
from datamap.declarations import Basis
from datamap.models import RetentionRule
from privacy.models import PaperVersion
from privacy.papers.facts import Facts
from privacy.papers.outline import Paper, Section, Table


def retention_table(facts: Facts) -> Paper:
    """The rules in force under which something lies here, and the versions that begin later."""
    sections = [Section(_("Rules in force"), table=rules_table(facts))]
    coming = [
        (rule.full_key, str(rule.version), _(rule.category), period_in_words(rule), _on(rule), cited(rule.statute))
        for rule in RetentionRule.objects.order_by("valid_from", "key", "variant")
        if rule.valid_from and rule.valid_from > facts.as_of and rule.version > 1 and facts.applies(rule)
    ]
    if coming:
        head = (_("Key"), _("Version"), _("Data"), _("Period"), _("Valid from"), _("Statute"))
        sections.append(Section(_("Versions that begin later"), table=Table(head, tuple(coming))))
    return Paper(PaperVersion.Kind.TABLE, _("Retention table"), _("What is kept for how long, and why"), sections)


def rules_table(facts: Facts) -> Table:
    """One row for each rule: what, why, from when, how long, what then, on what ground, where it lies."""
    head = (
        _("Key"), _("Data"), _("Purpose"), _("Legal basis"), _("Counts from"), _("Period"), _("At the end"),
        _("On an erasure request"), _("Statute"), _("Records"),
    )  # fmt: skip
    return Table(head, tuple(_row(facts, rule) for rule in facts.rules_used))


def _row(facts: Facts, rule: RetentionRule) -> tuple[str, ...]:
    later = rule.valid_from and rule.version > 1
    told = {"number": rule.version, "day": _on(rule)}
    version = _(" (version %(number)d, from %(day)s)") % told if later else ""
    return (
        f"{rule.full_key}{version}",
        _(rule.category),
        _(rule.purpose),
        str(Basis.AS_SOURCE.label) if rule.basis == Basis.AS_SOURCE.article else rule.basis,
        _(rule.start_label) if rule.start_label else "",
        period_in_words(rule),
        str(rule.get_action_display()),
        str(rule.get_on_request_display()),
        cited(rule.statute),
        ", ".join(facts.used.get(rule.full_key, facts.used.get(rule.key, []))),
    )


def _on(rule: RetentionRule) -> str:
    return date_format(rule.valid_from, "SHORT_DATE_FORMAT") if rule.valid_from else ""
