"""What the copy of a person's data shows of calls, mails, chats, visits and letters."""

from __future__ import annotations

from datamap.packages import ACCESS, named, register_file

TEXT = {"type": ["string", "null"]}
WHEN = TEXT | {"format": "date-time"}
NAMES = ("direction", "occurred_at", "content", "outcome", "staff", "record_class", "order_number", "closed_at")

register_file(
    "data/communications.json",
    "interactions.Interaction",
    # The way it took, when, what was said and what came of it, with whom as a role.
    layout=named({"medium": "kind", **{name: name for name in NAMES}}),
    schema={
        "type": "object",
        "required": ["medium"],
        "properties": {
            "medium": TEXT,
            **dict.fromkeys(NAMES, TEXT),
            "occurred_at": WHEN,
            "closed_at": WHEN,
            "additional": {"type": "object"},
        },
        "additionalProperties": False,
    },
    kinds=(ACCESS,),
    newest="occurred_at",
)
