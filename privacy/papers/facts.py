"""What the papers are made of: declarations, rules in force, recipients by name, the controller; read once a paper."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from django.utils.translation import gettext as _

from datamap.catalogue import SUPERVISED
from datamap.controlling import controller
from datamap.models import Controller, RetentionRule
from datamap.overview import CategoryEntry, GroupEntry, ModelEntry, Rules, model_entries, rules_in_force
from privacy.models import Recipient
from privacy.models.recipients import Safeguard
from privacy.papers.outline import Section
from privacy.recipients import is_third_country


@dataclass
class Activity:
    """One activity of processing: everything that serves one purpose."""

    purpose: str
    groups: list[tuple[ModelEntry, GroupEntry]] = field(default_factory=list)

    @property
    def persons(self) -> list[str]:
        """The categories of persons."""
        return list(dict.fromkeys(group.person for _entry, group in self.groups))

    @property
    def bases(self) -> list[str]:
        """The legal bases with their articles."""
        pairs = dict.fromkeys(pair for _entry, group in self.groups for pair in group.bases)
        return [label if citation == label else f"{label} ({citation})" for citation, label in pairs]

    @property
    def data(self) -> list[str]:
        """The categories of data, by kind of record."""
        found: dict[str, dict[str, None]] = {}
        for entry, group in self.groups:
            found.setdefault(entry.name, {}).update(dict.fromkeys(one.label for one in group.fields))
        return [f"{name}: {', '.join(labels)}" for name, labels in found.items()]

    @property
    def recipients(self) -> list[str]:
        """The kinds of recipients that the declarations name."""
        return list(dict.fromkeys(one for _entry, group in self.groups for one in group.recipients))

    @property
    def categories(self) -> list[CategoryEntry]:
        """The rules under which the data of this activity fall, each once."""
        found = {case.key: case for _entry, group in self.groups for case in group.categories}
        return list(found.values())


@dataclass
class Facts:
    """Everything a paper may speak of, as of a day."""

    as_of: date
    who: Controller
    rules: Rules
    entries: list[ModelEntry]
    recipients: list[Recipient]

    @classmethod
    def read(cls, as_of: date) -> Facts:
        """Read them: one query each for rules, controller and recipients."""
        who = controller()
        rules = rules_in_force(as_of, supervised=who.supervised_financial)
        known = [one for one in Recipient.objects.all() if one.until is None or one.until >= as_of]
        return cls(as_of, who, rules, model_entries(rules), known)

    @cached_property
    def activities(self) -> list[Activity]:
        """All purposes in the order of the data map."""
        found: dict[str, Activity] = {}
        for entry in self.entries:
            for group in entry.groups:
                found.setdefault(group.purpose, Activity(group.purpose)).groups.append((entry, group))
        return list(found.values())

    @cached_property
    def used(self) -> dict[str, list[str]]:
        """Key of a rule -> the kinds of records that fall under it."""
        found: dict[str, dict[str, None]] = {}
        for entry in self.entries:
            for group in entry.groups:
                for case in group.categories:
                    found.setdefault(case.key, {})[entry.name] = None
        return {key: list(names) for key, names in found.items()}

    @cached_property
    def rules_used(self) -> list[RetentionRule]:
        """The rules under which something is kept, each kind of data under one."""
        return [self.rules[key] for key in sorted(self.rules) if key in self.used]

    def applies(self, rule: RetentionRule) -> bool:
        """Whether the shop goes by a rule: under financial supervision by the variant for it, else never by that."""
        return rule.variant not in ("", SUPERVISED) or rule.variant == self.rules[rule.key].variant

    def named(self, kinds: list[str]) -> list[str]:
        """Kinds of recipients with the names that stand in the list: "Parcel service (Nordpost GmbH)"."""
        by_kind: dict[str, list[str]] = {}
        for one in self.recipients:
            by_kind.setdefault(str(one.get_kind_display()), []).append(one.name)
        return [f"{kind} ({', '.join(by_kind[kind])})" if kind in by_kind else kind for kind in kinds]

    def transfers(self, kinds: list[str] | None = None) -> list[str]:
        """Transfers to third countries with their safeguard; of these kinds of recipients, or all."""
        return [
            f"{one.name}, {one.country}: {Safeguard(one.safeguard).label if one.safeguard else _('no safeguard noted')}"
            for one in self.recipients
            if is_third_country(one.country) and (kinds is None or str(one.get_kind_display()) in kinds)
        ]

    def controller_section(self, title: str) -> Section:
        """Name and contact of the controller, its privacy officer and the authority (Art. 13(1)(a), (b); 30(1)(a))."""
        who = self.who
        place = " ".join(filter(None, (who.postcode, who.city)))
        officer = ", ".join(filter(None, (who.officer_name, who.officer_email, who.officer_phone)))
        return Section(
            title,
            facts=(
                (_("Controller"), who.name or _("not yet named: see Shop and dates")),
                (_("Address"), ", ".join(filter(None, (who.street, place, who.country)))),
                (_("E-mail"), who.email),
                (_("Phone"), who.phone),
                (_("Privacy officer"), officer or _("none named")),
                (_("Supervisory authority"), " · ".join(filter(None, (who.authority_name, who.authority_contact)))),
            ),
        )
