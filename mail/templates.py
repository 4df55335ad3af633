"""The registry of mail templates: what each is for, and what must be known to fill it.

The files of a template `key` are `templates/mail/texts/<key>.subject.txt`, `<key>.txt` and `<key>.html`; they speak
both languages through gettext and are filled at the moment of sending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.validators import slug_re

from mail.models import Message, MessageClass

Loader = Callable[[Message], Mapping[str, Any]]


@dataclass(frozen=True)
class MailTemplate:
    """One kind of mail.

    fields: names that `queue` must be given as context; simple values, no personal data.
    load: from these, at the moment of sending, whatever else the text needs (`queue` never stores it).
    sample: values for the preview, of fields and of what `load` would bring.
    files: what its files are called where it shares the words of another.
    asked_for: whoever has the address has just asked for this mail, so that it goes to one whose former owner was
      erased before, too.
    """

    key: str
    label: Any
    message_class: str
    fields: tuple[str, ...] = ()
    load: Loader | None = None
    sample: Mapping[str, Any] = field(default_factory=dict)
    files: str = ""
    asked_for: bool = False

    @property
    def subject_file(self) -> str:
        """The template of the subject line."""
        return f"mail/texts/{self.files or self.key}.subject.txt"

    @property
    def text_file(self) -> str:
        """The template of the plain text."""
        return f"mail/texts/{self.files or self.key}.txt"

    @property
    def html_file(self) -> str:
        """The template of the HTML part."""
        return f"mail/texts/{self.files or self.key}.html"


class UnknownTemplate(ValueError):
    """There is no mail template of this name."""


_templates: dict[str, MailTemplate] = {}


def register(
    key: str,
    label: Any,
    message_class: str,
    fields: Iterable[str] = (),
    *,
    load: Loader | None = None,
    sample: Mapping[str, Any] | None = None,
    files: str = "",
    asked_for: bool = False,
) -> MailTemplate:
    """Add a template; called from an app's `ready`. A key used twice for different things fails at start."""
    if not slug_re.match(key):
        raise ImproperlyConfigured(f"A key of a mail template holds letters, digits, - and _ only: {key}.")
    if message_class not in MessageClass.values:
        raise ImproperlyConfigured(f"The mail template {key} names no class of mails: {message_class}.")
    template = MailTemplate(key, label, message_class, tuple(fields), load, dict(sample or {}), files, asked_for)
    if _templates.setdefault(key, template) != template:
        raise ImproperlyConfigured(f"The mail template {key} is registered twice.")
    return template


def template_of(key: str) -> MailTemplate:
    """The template with this key. Raises UnknownTemplate."""
    try:
        return _templates[key]
    except KeyError:
        raise UnknownTemplate(f"There is no mail template called {key}.") from None


def label_of(message: Message) -> Any:
    """What a mail is called; its key where the app that knew it is gone."""
    known = _templates.get(message.template)
    return known.label if known else message.template


def templates() -> list[MailTemplate]:
    """All templates by key."""
    return [_templates[key] for key in sorted(_templates)]


@contextmanager
def templates_temporarily() -> Iterator[None]:
    """For tests: templates registered inside are forgotten afterwards."""
    before = dict(_templates)
    try:
        yield
    finally:
        _templates.clear()
        _templates.update(before)
