"""What was sealed as the evidence of a consent, in words: on the pages of the desk, and in a person's own copy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from consents.events import Source
from consents.models import LegalTextVersion, Purpose
from datamap.controlling import legal_zone

SALT = 64
"""Digits of the salt that stands before what was sealed (`recording.made_rows`)."""
ACTORS = {
    "self": gettext_lazy("the person"),
    "system": gettext_lazy("by rule"),
    "import": gettext_lazy("an import"),
    "journal": gettext_lazy("the journal"),
    "provider": gettext_lazy("the mail provider"),
    "sale": gettext_lazy("a sale"),
}
"""Who acts besides the staff, as the ledger names them."""
_NAMES = {
    "note": gettext_lazy("What was said"),
    "scans": gettext_lazy("SHA-256 of the scan"),
    "imported": pgettext_lazy("evidence", "Imported"),
    "form": pgettext_lazy("evidence", "Form"),
    "mail": pgettext_lazy("evidence", "Mail"),
    "confirmation": pgettext_lazy("evidence", "Confirmation"),
    "token": pgettext_lazy("evidence", "Check value of the link"),
    "age_check": pgettext_lazy("evidence", "Age check"),
    "at": pgettext_lazy("evidence", "at"),
    "page": pgettext_lazy("evidence", "page"),
    "by": pgettext_lazy("evidence", "by"),
    "source": pgettext_lazy("evidence", "way"),
    "ip": pgettext_lazy("evidence", "internet address"),
    "agent": pgettext_lazy("evidence", "browser"),
    "subject": pgettext_lazy("evidence", "subject"),
    "text": pgettext_lazy("evidence", "text"),
    "limit": pgettext_lazy("evidence", "age from which one may consent"),
    "limits": pgettext_lazy("evidence", "age from which one may consent"),
    "passed": pgettext_lazy("evidence", "reached"),
    "jurisdiction": pgettext_lazy("evidence", "law of"),
    "order": pgettext_lazy("evidence", "Order"),
    "notice": pgettext_lazy("evidence", "Notice"),
    "shown_at": pgettext_lazy("evidence", "Shown"),
    "list": pgettext_lazy("evidence", "List"),
    "report": pgettext_lazy("evidence", "Report of the mail provider"),
    "platform": pgettext_lazy("evidence", "Platform"),
    "batch": pgettext_lazy("evidence", "Number of the import"),
    "columns": pgettext_lazy("evidence", "Column of the file"),
    "purpose": pgettext_lazy("evidence", "purpose"),
    "name": pgettext_lazy("evidence", "wording"),
    "language": pgettext_lazy("evidence", "language"),
    "sha256": pgettext_lazy("evidence", "check value"),
}
"""What evidence is called; columns of files go by their own names."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_LANGUAGES = {"de": gettext_lazy("German"), "en": gettext_lazy("English")}


def told(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything in the evidence that says something, each with its name; of parts "Form: page"."""
    for key, value in evidence.items():
        name = str(_NAMES.get(key, key))
        if isinstance(value, dict):
            yield from ((f"{name}: {part}", said) for part, said in told(value))
        elif value not in (None, "", []):
            yield name, _said(key, value)


def _said(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_said(key, one) for one in value)
    text = str(value)
    if key == "by":
        return _("staff") if text.startswith("staff:") else str(ACTORS.get(text, text))
    if key == "source":
        return str(dict(Source.choices).get(text, text))
    if key == "language":
        return str(_LANGUAGES.get(text, text))
    return _moment(text) if _INSTANT.match(text) else text


def _moment(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return date_format(timezone.localtime(at, legal_zone()) if at.tzinfo else at, "SHORT_DATETIME_FORMAT")


def proof_in_words() -> Callable[[Any], str]:
    """Reads the sealed proof of a consent, a line each: the wording that was shown, and what else proves it.

    Beside it stand the channel, the address and the rest that is sealed with it. What names somebody else, and was
    blackened so that it is no whole any more, stays as it is.
    """
    titles: dict[str, str] = {}

    def read(value: Any) -> str:
        try:
            payload = orjson.loads(str(value)[SALT:])
            evidence, wording = payload["evidence"], payload.get("wording", {})
        except (ValueError, KeyError, TypeError):
            return str(value)
        lines = [f"{name}: {said}" for name, said in told(evidence)]
        if name := wording.get("name", ""):
            lines.insert(0, ": ".join((_("Wording"), _title(titles, name, wording.get("language", "")))))
        lines.append(_("Sealed with a check value that stands in the files of a copy."))
        return "\n".join(lines)

    return read


def _title(titles: dict[str, str], name: str, language: str) -> str:
    """ "Newsletter, version 3, German"; the name alone of a text that is not published here."""
    if name not in titles:
        key, _colon, number = name.rpartition(":")
        found = LegalTextVersion.objects.filter(text__key=key, number=int(number) if number.isdecimal() else 0).first()
        titles[name] = _("%(title)s, version %(number)d") % {
            "title": found.title(language if language in _LANGUAGES else "de"), "number": found.number
        } if found else name  # fmt: skip
    return ", ".join(filter(None, (titles[name], str(_LANGUAGES.get(language, language)))))


def evidence_in_words() -> Callable[[Any], str]:
    """Reads evidence that is not sealed into the ledger yet, and what was asked for with it."""
    purposes = purposes_in_words()

    def read(value: Any) -> str:
        if isinstance(value, list):
            return "\n".join(", ".join(f"{name}: {said}" for name, said in told(_named(one))) for one in value)
        return "\n".join(f"{name}: {said}" for name, said in told(value)) if isinstance(value, dict) else str(value)

    def _named(one: Mapping[str, Any]) -> dict[str, Any]:
        return {**one, "purpose": purposes(one["purpose"])} if "purpose" in one else dict(one)

    return read


def purposes_in_words() -> Callable[[Any], str]:
    """Reads the key of a purpose as its name."""
    names = {purpose.key: purpose.name for purpose in Purpose.objects.all()}
    return lambda key: names.get(key, str(key))
