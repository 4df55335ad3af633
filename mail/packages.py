"""What the copy of a person's data shows of mails: what was sent when, whether it arrived, and letters as they went."""

from __future__ import annotations

from datamap.packages import ACCESS, Row, register_file

TEXT = {"type": ["string", "null"]}
SENT = ("message_class", "template", "state", "bounce", "created_at", "sent_at", "delivered_at")
LETTER = ("subject", "recipient_lines", "body", "kept_as", "created_at", "sent_at")


def message(row: Row) -> Row:
    """A mail as the outbox knows it; its text is rendered when it is sent and kept of letters alone."""
    return {"medium": "mail", **{name: row.pop(name, None) for name in SENT}}


def letter(row: Row) -> Row:
    """A letter exactly as it went out."""
    return {"medium": "sent letter", **{name: row.pop(name, None) for name in LETTER}}


def _schema(*names: str) -> dict[str, object]:
    return {
        "type": "object",
        "required": ["medium"],
        "properties": {"medium": TEXT, **dict.fromkeys(names, TEXT), "additional": {"type": "object"}},
        "additionalProperties": False,
    }


register_file("data/communications.json", "mail.Message", shape=message, schema=_schema(*SENT), kinds=(ACCESS,))
register_file("data/communications.json", "mail.Letter", shape=letter, schema=_schema(*LETTER), kinds=(ACCESS,))
