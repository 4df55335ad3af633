"""What the answer to a request tells of an erasure: what went, what stays for which statute, until which day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datamap.catalogue import cited
from datamap.controlling import legal_zone
from datamap.declarations import registry
from datamap.packages import register_reading
from datamap.workdays import local_date
from privacy import closing, letters, publishing, rectifying, toldwords
from privacy.models import Erasure, ErasureStep, Notice, Package, Request
from privacy.notices import open_notices
from privacy.packages.describing import described
from privacy.packages.knowing import erased_subject, marks_of_asker
from privacy.planning import said_holds
from privacy.progress import erasures_of
from privacy.reapplying import still_erasing


def register() -> None:
    """Tell the desk what it asks about erasures; called from the app's `ready`."""
    closing.register_open_point("erasure", gettext_lazy("Erasure"), still_erasing, _erasing)
    closing.register_open_point("notices", gettext_lazy("Recipients"), recipients_left, _untold)
    letters.register_paragraphs("erasure", erased)
    letters.register_paragraphs("overtaken", overtaken)
    closing.register_open_point("published", gettext_lazy("Made public"), publishing.left, publishing.unsettled)
    letters.register_paragraphs("published", publishing.told)
    register_reading("privacy.Erasure", "items", lambda: lambda items: "\n".join(_of_items(items)))
    register_reading("privacy.Erasure", "needles", lambda: _needles)
    register_reading("privacy.Erasure", "hints", lambda: _hints)
    register_reading("privacy.Erasure", "holds", lambda: lambda found: "\n".join(_of_holds(found)))
    register_reading("privacy.ErasureStep", "key", lambda: lambda key: ErasureStep(key=key).label)
    register_reading("privacy.Notice", "details", lambda: toldwords.in_words)
    register_reading("privacy.Rectification", "field", lambda: rectifying.label_of)


def recipients_left(request: Request) -> list[str]:
    """Recipients of the person's data that have not been told yet (Art. 19)."""
    return [
        _("%(recipient)s has not been told yet.") % {"recipient": notice.recipient.name}
        for notice in open_notices(request=request)
    ]


def _erasing() -> Q:
    """As `still_erasing`; only who was erased and asks again by an address alone is noticed when the case is opened."""
    rows = Erasure.objects.filter(state__in=Erasure.OPEN_STATES)
    of_customer = Q(Exists(rows.filter(customer=OuterRef("customer")))) | Q(
        Exists(rows.filter(subject_ref=OuterRef("subject_ref")))
    )
    same = (Q(contact_person=None) & of_customer) | Q(Exists(rows.filter(contact_person=OuterRef("contact_person"))))
    return Q(Exists(rows.filter(request=OuterRef("pk")))) | (Q(kind=Request.Kind.ERASURE) & same)


def _untold() -> Q:
    rows = Notice.archive.filter(state__in=Notice.OPEN_STATES)
    return Q(Exists(rows.filter(request=OuterRef("pk")))) | Q(Exists(rows.filter(erasure__request=OuterRef("pk"))))


def erased(request: Request) -> list[str]:
    """Paragraphs about the erasures of a request: the kinds erased, each kind kept with its statute and last day.

    Whom the night ended nobody has a receipt of: then it is told what is blocked now.
    """
    told = [erasure for erasure in erasures_of(request) if erasure.started_at is not None]
    found = [text for erasure in told for text in _paragraphs(erasure)]
    if request.kind == Request.Kind.ERASURE and request.customer_id is None:
        known = {erasure.subject_ref for erasure in told}
        found += _blocked_now(tuple(mark for mark in marks_of_asker(request) if mark not in known))
    return found


def overtaken(request: Request) -> list[str]:
    """For who asked for a copy, showed late who they are, and whose data were erased meanwhile: that it was so."""
    if request.subject_ref is None or request.kind not in Package.Kind.values or not request.identity_method:
        return []
    begun = Erasure.objects.filter(subject_ref=request.subject_ref, started_at__gt=request.received_at)
    day = begun.order_by("started_at").values_list("started_at", flat=True).first()
    if day is None:
        return []
    words = {"day": date_format(local_date(day, legal_zone()), "DATE_FORMAT")}
    return [
        _(
            "Your data were erased on %(day)s, as was asked of us, before it was settled who asks here. "
            "This answer tells what is still kept under a statute."
        )
        % words
    ]


def _paragraphs(erasure: Erasure) -> Iterable[str]:
    yield from _of_items(erasure.items)
    yield from _of_holds(erasure.holds)


def _of_items(items: list[dict[str, Any]]) -> Iterable[str]:
    gone = sorted({_named(item) for item in items if item["action"] == "delete"} - {""})
    if gone:
        yield _("Erased: %s.") % ", ".join(gone)
    if nobody := sorted({_named(item) for item in items if item["action"] == "anonymize"} - {""}):
        yield _("Kept as figures that name nobody: %s.") % ", ".join(nobody)
    for item in sorted(items, key=lambda item: item["until"] or ""):
        if item["action"] == "block" and _named(item):
            yield _kept(item)


def _of_holds(holds: list[dict[str, Any]]) -> Iterable[str]:
    for hold in said_holds(holds):
        yield _("Not erased yet (%(scope)s): %(reason)s") % {"scope": hold["scope"], "reason": hold["reason"]}


def _blocked_now(marks: tuple[UUID, ...]) -> Iterable[str]:
    lines = described(erased_subject(marks), Package.Kind.ACCESS).lines if marks else []
    for line in lines:
        if line.blocked:
            until = line.until.isoformat() if line.until else None
            yield _kept_words(line.label, sum(line.counts.values()), line.statute, until)


def _needles(kept: dict[str, Any]) -> str:
    """What the search for traces looks for, a line each."""
    names = {
        "number": _("Customer number"),
        "emails": _("E-mail"),
        "phones": _("Phone"),
        "external_ids": _("Numbers elsewhere"),
        "names": _("Name"),
    }
    values = {key: kept.get(key) or [] for key in names}
    lists = {key: [value] if isinstance(value, str) else value for key, value in values.items()}
    return "\n".join(f"{names[key]}: {', '.join(map(str, lists[key]))}" for key in names if lists[key])


def _hints(found: dict[str, int]) -> str:
    """In which tables the search has seen a name or number, and how often."""
    labels = {model._meta.db_table: str(model._meta.verbose_name_plural) for model in apps.get_models()}
    counts: dict[str, int] = {}
    for place, count in found.items():
        table = place.partition(".")[0]
        counts[labels.get(table, table)] = counts.get(labels.get(table, table), 0) + count
    return "\n".join(f"{label}: {count}" for label, count in counts.items())


def _kept(item: dict[str, Any]) -> str:
    return _kept_words(_named(item), item["count"], cited(item["statute"]), item["until"])


def _kept_words(what: str, count: int, statute: str, until: str | None) -> str:
    words = {"what": what, "count": count, "statute": statute}
    if not until:
        return _("Blocked: %(what)s (%(count)d), %(statute)s; the period has not begun.") % words
    words["day"] = date_format(date.fromisoformat(until), "DATE_FORMAT")
    return _("Blocked: %(what)s (%(count)d), %(statute)s; deleted on %(day)s.") % words


def _named(item: dict[str, Any]) -> str:
    """The kind of data in everyday words; empty where it goes without saying, as the history of changes does."""
    model = apps.get_model(item["model"])
    if hasattr(model, "instance_type"):
        return ""
    declared = registry.declaration_for(model)
    told = declared.told if declared is not None else None
    return str(model._meta.verbose_name_plural if told is None else told)
