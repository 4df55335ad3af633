"""Who received what about whom: by name, from the noted disclosures and what happens every day (Art. 15, 19).

The shop need not note each parcel: declarations say which recipients get a row's data and at which instant
(`Group.handed_over`), and the list of recipients says who they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from datamap.controlling import legal_zone
from datamap.declarations import Group, Number, orm_path, registry
from datamap.preparing import Standing
from datamap.receivers import Receiver
from datamap.workdays import day_begins, local_date
from privacy.models import Disclosure, Recipient
from privacy.models.recipients import Safeguard

EEA = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
_RECIPIENTS = Standing(lambda _none: Recipient.objects.order_by("name", "pk"))


@dataclass(frozen=True)
class Told:
    """What one recipient received about one person, first and last."""

    recipient: Recipient
    first_at: datetime
    last_at: datetime
    data: str
    purpose: str
    basis: str
    origin: str
    country: str
    safeguard: str
    disclosure_id: int | None = None

    @property
    def origin_words(self) -> str:
        """How the shop knows."""
        return str(Disclosure.Origin(self.origin).label)

    @property
    def safeguard_words(self) -> str:
        """The safeguard as people read it, nothing inside the EEA."""
        return str(Safeguard(self.safeguard).label) if self.safeguard else ""


def recipients_of(customer_ids: Sequence[int]) -> dict[int, list[Told]]:
    """Per customer what went to whom, newest first: noted by hand, by an export, or by what happens every day.

    Set-wise: a query for what is noted, one for the recipients, one per declared hand-over.
    """
    found: dict[int, list[Told]] = {pk: [] for pk in customer_ids}
    for row in _noted(Disclosure.archive.filter(customer_id__in=customer_ids)):
        found[row.customer_id].append(_told(row))
    for person, told in _standing(list(customer_ids)):
        found[person].append(told)
    for rows in found.values():
        rows.sort(key=lambda told: (told.last_at, told.recipient.name), reverse=True)
    return found


def recipients_of_ref(subject_ref: UUID) -> list[Told]:
    """The same for a person who was erased: what the disclosures under the pseudonym still say (C-553/07)."""
    return [_told(row) for row in _noted(Disclosure.archive.filter(subject_ref=subject_ref))]


def names_by_kind(on: date | None = None) -> dict[str, list[str]]:
    """Who stands in the list of recipients, today or on a day, by kind (the key of a `Receiver`); one query."""
    day = on or local_date(timezone.now(), legal_zone())
    found: dict[str, list[str]] = {}
    for one in _RECIPIENTS():
        if _was_one(one, day, day):
            found.setdefault(one.kind, []).append(one.name)
    return found


def unnamed_kinds() -> list[Receiver]:
    """Kinds of recipients that declarations speak of and nobody has named yet."""
    told = {one for _declaration, group in registry for one in group.recipients if isinstance(one, Receiver)}
    known = set(Recipient.objects.values_list("kind", flat=True))
    return sorted((one for one in told if one.value not in known), key=lambda one: str(one.label))


@transaction.atomic
def save_recipient(recipient: Recipient, *, version: int | None) -> bool:
    """Save a new or changed recipient; False, with nothing written, where `version` is no longer the one that was
    seen (None asks nothing)."""
    if recipient.pk is not None:
        known = Recipient.objects.select_for_update().get(pk=recipient.pk)
        if version is not None and version != known.version:
            return False
        recipient.version = known.version + 1
    recipient.save()
    return True


def is_third_country(country: str) -> bool:
    """Whether a transfer there needs a safeguard (Art. 44 GDPR)."""
    return country.upper() not in EEA


def _noted(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("recipient").order_by("-at", "-pk")


def _told(row: Disclosure) -> Told:
    return Told(
        row.recipient, row.at, row.at, row.data, row.purpose, row.basis, row.origin, row.country, row.safeguard, row.pk
    )


def _standing(ids: list[int]) -> Iterator[tuple[int, Told]]:
    known: dict[str, list[Recipient]] = {}
    for one in _RECIPIENTS():
        known.setdefault(one.kind, []).append(one)
    if not ids or not known:
        return
    zone = legal_zone()
    for label, group in _hand_overs():
        takers = [one for kind in group.standing_recipients for one in known.get(getattr(kind, "value", ""), ())]
        if not takers:
            continue
        for person, first, last in _handed_over(label, group, ids):
            days = local_date(first, zone), local_date(last, zone)
            for one in takers:
                if _was_one(one, *days):
                    told = _while_one(one, first, last, zone)
                    yield person, _by_standing(one, *told, group, label)


def _hand_overs() -> Iterator[tuple[str, Group]]:
    for declaration, group in registry:
        if group.handed_over and group.subject_paths and not isinstance(group.subject, Number):
            yield declaration.label, group


def _handed_over(label: str, group: Group, ids: list[int]) -> Iterator[tuple[int, datetime, datetime]]:
    """(customer, first, last) of the rows of one group that went out."""
    at = orm_path(group.handed_over or "")
    paths = [F(path) for path in group.subject_paths]
    person = Coalesce(*paths) if len(paths) > 1 else paths[0]
    mine = Q()
    for path in group.subject_paths:
        mine |= Q(**{f"{path}__in": ids})
    rows = apps.get_model(label)._base_manager.filter(mine, **{f"{at}__isnull": False})
    rows = rows.annotate(told_person=person).filter(told_person__in=ids).order_by()
    figures = rows.values("told_person").annotate(told_first=Min(at), told_last=Max(at))
    yield from figures.values_list("told_person", "told_first", "told_last")


def _by_standing(one: Recipient, first: datetime, last: datetime, group: Group, label: str) -> Told:
    data = one.data or str(apps.get_model(label)._meta.verbose_name_plural)
    return Told(
        one, first, last, data, one.purposes or str(group.purpose), group.bases[0].value,
        Disclosure.Origin.STANDING, one.country, one.safeguard,
    )  # fmt: skip


def _while_one(one: Recipient, first: datetime, last: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The part of a span in which this recipient was the one; another came before or after."""
    begins = day_begins(one.since, zone) if one.since else first
    ends = day_begins(one.until, zone) if one.until else last
    return max(first, begins), max(min(last, ends), max(first, begins))


def _was_one(one: Recipient, first: date, last: date) -> bool:
    return (one.since is None or one.since <= last) and (one.until is None or one.until >= first)
