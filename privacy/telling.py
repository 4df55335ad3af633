"""What the answer to a request tells of an erasure: what went, what stays for which statute, until which day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.apps import apps
from django.db.models import Exists, OuterRef, Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datamap.catalogue import cited
from privacy import closing, letters, notifying
from privacy.models import Erasure, Notice, Request
from privacy.notices import open_notices
from privacy.reapplying import still_erasing


def register() -> None:
    """Tell the desk what it asks about erasures; called from the app's `ready`."""
    closing.register_open_point("erasure", gettext_lazy("Erasure"), still_erasing, _erasing)
    closing.register_open_point("notices", gettext_lazy("Recipients"), recipients_left, _untold)
    letters.register_paragraphs("erasure", erased)


def recipients_left(request: Request) -> list[str]:
    """Recipients of the person's data that have not been told yet (Art. 19)."""
    return [
        _("%(recipient)s has not been told yet.") % {"recipient": notice.recipient.name}
        for notice in open_notices(request=request)
    ]


def _erasing() -> Q:
    return Q(Exists(Erasure.objects.filter(request=OuterRef("pk"), state__in=Erasure.OPEN_STATES)))


def _untold() -> Q:
    notifying.follow()
    rows = Notice.archive.filter(state__in=Notice.OPEN_STATES)
    return Q(Exists(rows.filter(request=OuterRef("pk")))) | Q(Exists(rows.filter(erasure__request=OuterRef("pk"))))


def erased(request: Request) -> list[str]:
    """Paragraphs about the erasures of a request: the kinds erased, each kind kept with its statute and last day."""
    found: list[str] = []
    for erasure in request.erasures.exclude(state=Erasure.State.CANCELLED).order_by("pk"):
        if erasure.started_at is not None:
            found += _paragraphs(erasure)
    return found


def _paragraphs(erasure: Erasure) -> Iterable[str]:
    gone = sorted({_named(item) for item in erasure.items if item["action"] == "delete"} - {""})
    if gone:
        yield _("Erased: %s.") % ", ".join(gone)
    if nobody := sorted({_named(item) for item in erasure.items if item["action"] == "anonymize"} - {""}):
        yield _("Kept as figures that name nobody: %s.") % ", ".join(nobody)
    for item in sorted(erasure.items, key=lambda item: item["until"] or ""):
        if item["action"] == "block":
            yield _kept(item)
    for hold in erasure.holds:
        yield _("Not erased yet (%(scope)s): %(reason)s") % {"scope": hold["scope"], "reason": hold["reason"]}


def _kept(item: dict[str, Any]) -> str:
    words = {"what": _named(item), "count": item["count"], "statute": cited(item["statute"])}
    if not item["until"]:
        return _("Blocked: %(what)s (%(count)d), %(statute)s; the period has not begun.") % words
    words["day"] = date_format(date.fromisoformat(item["until"]), "DATE_FORMAT")
    return _("Blocked: %(what)s (%(count)d), %(statute)s; deleted on %(day)s.") % words


def _named(item: dict[str, Any]) -> str:
    """The kind of data in everyday words; the history of changes goes without saying."""
    model = apps.get_model(item["model"])
    return "" if hasattr(model, "instance_type") else str(model._meta.verbose_name_plural)
