"""Makes the mail of an outbox row: fills the template, keeps a letter as it is sent, sets the headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.utils import translation

from datamap.controlling import controller
from mail.addressing import greeting, language_of, recipient_lines
from mail.headers import headers_of, values_of
from mail.models import Letter, Message
from mail.templates import MailTemplate, template_of

LONGEST_SUBJECT = 200
# Control and direction characters: no header is ended, no line of a letter reads backwards.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True)
class Text:
    """The words of one mail."""

    subject: str
    body: str
    html: str


def compose(message: Message, address: str) -> EmailMultiAlternatives:
    """The mail for this row, ready to be sent; what a letter says is kept with it, in the caller's transaction."""
    letter = write_letter(message, address)
    text = Text(letter.subject, letter.body, letter.html) if letter else _written(message)
    mail = EmailMultiAlternatives(text.subject, text.body, to=[address], headers=headers_of(message))
    mail.attach_alternative(text.html, "text/html")
    for enclosure in letter.enclosures.order_by("pk") if letter else ():
        with enclosure.file.open("rb") as file:
            mail.attach(one_line(enclosure.name), file.read(), enclosure.content_type)
    # Read by providers' backends alone: reports name the row, and nobody is watched reading (§ 25 TDDDG).
    mail.metadata = {"message": str(message.uuid)}  # type: ignore[attr-defined]
    mail.track_opens = mail.track_clicks = False  # type: ignore[attr-defined]
    return mail


def fill(template: MailTemplate, values: Mapping[str, Any], language: str) -> Text:
    """The words of a template in this language."""
    with translation.override(language):
        everything = {"greeting": greeting(values.get("customer")), "site_name": _site_name(), **values}
        subject = one_line(_filled(template.subject_file, everything, escape=False))[:LONGEST_SUBJECT]
        everything["subject"] = subject
        body = _filled(template.text_file, everything, escape=False)
        html = _filled(template.html_file, everything, escape=True)
    body = _BLANK_LINES.sub("\n\n", _CONTROL.sub("", body.replace("\r\n", "\n"))).strip() + "\n"
    return Text(subject, body, html.strip() + "\n")


def one_line(text: str) -> str:
    """A text that is safe in a header: no line break, no control character."""
    return _CONTROL.sub("", " ".join(text.split())).strip()


def _site_name() -> str:
    """Who writes where nobody has said what the shop is called."""
    return urlsplit(settings.SITE_URL).hostname or ""


def _filled(file: str, values: Mapping[str, Any], *, escape: bool) -> str:
    # No request and no context processors: a mail knows nothing of whoever happens to be signed in.
    return get_template(file).template.render(Context(dict(values), autoescape=escape))  # type: ignore[attr-defined]


def _written(message: Message) -> Text:
    template = template_of(message.template)
    values = {"customer": message.customer, "controller": controller(), **message.context}
    if template.load is not None:
        values |= template.load(message)
    values |= values_of(message)
    language = language_of(message)
    text = fill(template, values, language)
    _refuse_without_way_out(text, values.get("unsubscribe_url"))
    with translation.override(language):
        _refuse_without_notice(text, str(values.get("object_notice") or ""))
    return text


def _refuse_without_way_out(text: Text, url: str | None) -> None:
    """Advertising shows how to end it, in every mail and in each of its parts (§ 7(2) no. 3 UWG)."""
    if url and not (url in text.body and url in text.html):
        raise ValueError("A template of advertising shows {{ unsubscribe_url }}, in plain text and in HTML.")


def _refuse_without_notice(text: Text, notice: str) -> None:
    """To existing customers each mail says that they may object (§ 7(3) no. 4 UWG), however its lines are broken."""
    said = " ".join(notice.split())
    if any(said not in " ".join(part.split()) for part in (text.body, unescape(text.html))):
        raise ValueError("A template of advertising shows {{ object_notice }}, in plain text and in HTML.")


def write_letter(message: Message, address: str) -> Letter | None:
    """What a letter says, kept with it; None where the mail is no letter.

    It is written once: a second attempt sends the same words under the same Message-ID. A letter may be blocked before
    it goes out: the answer to who was erased is kept so from its first day.
    """
    letter = Letter.archive.filter(message=message).first()
    if letter is None:
        return None
    if not letter.body:
        text = _written(message)
        letter.subject, letter.body, letter.html = text.subject, text.body, text.html
    letter.sender = settings.DEFAULT_FROM_EMAIL
    if message.customer is not None or not letter.recipient_lines:
        letter.recipient_lines = recipient_lines(message.customer, address)
    letter.save(update_fields=["subject", "body", "html", "sender", "recipient_lines"])
    return letter
