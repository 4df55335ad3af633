"""The copy of what is held of somebody who speaks for a company (Art. 15 GDPR): their row and its history, nothing of
the company's own data, which are not theirs."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from customers.historying import columns_of
from customers.models import ContactPerson
from customers.periods import CATEGORIES, began
from datamap.catalogue import Explanation, cited, explain
from datamap.controlling import controller, legal_zone
from datamap.workdays import local_date
from privacy.compiling import tables
from privacy.recipients import recipients_of

FIELDS = ("salutation", "first_name", "last_name", "position", "email", "phone", "created_at")


def facts_of(person: ContactPerson) -> list[tuple[str, str]]:
    """The row as people read it."""
    shown = [(name, getattr(person, name)) for name in FIELDS if name not in ("salutation", "created_at")]
    named = [(str(ContactPerson._meta.get_field(name).verbose_name), value) for name, value in shown]  # type: ignore[union-attr]
    return [(label, value) for label, value in named if value]


def last_day_of(person: ContactPerson) -> Explanation | None:
    """Until when the row is kept: it goes with the company's file."""
    company, who = person.customer, controller()
    return explain(
        CATEGORIES[company.status], began(company), as_of=local_date(timezone.now(), legal_zone(who)),
        supervised=who.supervised_financial, zone=legal_zone(who),
    )  # fmt: skip


def copy_of(person: ContactPerson) -> dict[str, Any]:
    """The copy for machines and people: the data, each earlier state, and what Art. 15(1) wants told of them."""
    group = tables()[ContactPerson._meta.label].strands[0].group
    last_day = last_day_of(person)
    history: Any = ContactPerson.history
    kept = [name for name in FIELDS if name in columns_of(ContactPerson)]
    company = person.customer
    return {
        "made_at": timezone.localtime().isoformat(timespec="seconds"),
        "speaks_for": company.company or company.number,
        "data": {name: _plain(getattr(person, name)) for name in FIELDS},
        "history": [
            {"at": _plain(row.history_date), "change": row.get_history_type_display()}
            | {name: _plain(getattr(row, name)) for name in kept}
            for row in history.filter(id=person.pk).order_by("history_date", "history_id")
        ],
        "purpose": str(group.purpose),
        "basis": [one.value for one in group.bases],
        "source": str(group.source),
        "recipients": sorted({told.recipient.name for told in recipients_of([company.pk])[company.pk]}),
        "deletable_from": _plain(last_day.deletable_from) if last_day else None,
        "statute": cited(last_day.statute) if last_day else "",
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
