"""Somebody passes a place at which texts are due: what is due to them there, and what they accepted or were shown.

A page for customers asks `due_to` what it has to show, and says with `pass_place` what was shown and ticked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from consents.models import Acceptance, LegalText, LegalTextVersion, Placement
from consents.texts import Due, accept, texts_for


class TextsMissing(ValueError):
    """Texts that are due were not accepted, or not shown in the version that is valid; they are in `due`."""

    def __init__(self, due: Sequence[Due]) -> None:
        super().__init__(gettext("A text that is due here has not been accepted, or is not the one that was shown."))
        self.due = list(due)


def due_on_page(place: str) -> list[Due]:
    """The texts that a page for customers shows; the wording of a consent stands beside its own box and is none."""
    return [one for one in texts_for(place) if one.version.text.kind != LegalText.Kind.CONSENT]


def due_to(customer_id: int, place: str) -> list[Due]:
    """The texts due at a place that this customer has not passed there in the version that is valid today.

    A new version is due again; an empty list lets the person through.
    """
    due = due_on_page(place)
    passed = Acceptance.objects.filter(customer=customer_id, place=place, version__in=[one.version for one in due])
    known = set(passed.values_list("version", "demand"))
    accepted = {version for version, demand in known if demand == Placement.Demand.ACCEPT}
    shown = {version for version, _demand in known}
    return [one for one in due if one.version.pk not in (accepted if one.must_accept else shown)]


def pass_place(
    customer_id: int, place: str, seen: Collection[int], *, language: str, source: str, at: datetime | None = None
) -> int:
    """Note that a customer passes a place; `seen`: the versions (ids) that were ticked, or shown where that is enough.

    Answers how many notes are new. Raises TextsMissing, with nothing noted, while one that is due is not among them.
    """
    due = due_to(customer_id, place)
    if missing := [one for one in due if one.version.pk not in seen]:
        raise TextsMissing(missing)
    return accept(customer_id, due, place, language=language, source=source, at=at)


def written_passed(due: Sequence[Due]) -> list[dict[str, Any]]:
    """What is kept of texts until it is known who passed them."""
    return [{"version": one.version.pk, "demand": one.demand} for one in due]


def read_passed(written: Sequence[dict[str, Any]]) -> list[Due]:
    """What `written_passed` has written; a published version stands for ever."""
    versions = LegalTextVersion.objects.in_bulk([one["version"] for one in written])
    return [Due(versions[one["version"]], one["demand"]) for one in written]
