"""What the copy of a person's data shows of devices and visits; observed under consent, so it can be taken along."""

from __future__ import annotations

from datamap.packages import Nested, Row, named, register_file

TEXT = {"type": ["string", "null"]}
WHEN = TEXT | {"format": "date-time"}
VISIT = ("occurred_at", "path", "referrer", "campaign")
DEVICE = ("kind", "linked_at", "visits_from", "first_seen", "last_seen")


def device(row: Row) -> Row:
    """A device with the fingerprint of its id: whoever has the cookie can have it compared."""
    key = row.pop("key", None)
    return {"device": bytes(key).hex() if isinstance(key, bytes | memoryview) else key} | {
        name: row.pop(name, None) for name in DEVICE
    }


ADDITIONAL = {"additional": {"type": "object"}}
register_file(
    "data/visits.json",
    "tracking.Device",
    shape=device,
    schema={
        "type": "object",
        "required": ["device", "first_seen", "last_seen"],
        "properties": {
            "device": TEXT,
            "kind": TEXT,
            **dict.fromkeys(("linked_at", "visits_from", "first_seen", "last_seen"), WHEN),
            "visits": {"type": "array"},
            **ADDITIONAL,
        },
        "additionalProperties": False,
    },
    nested=(
        Nested(
            "visits",
            "tracking.Visit",
            "device",
            csv="data/visits.csv",
            layout=named({name: name for name in VISIT}),
            schema={
                "type": "object",
                "required": ["occurred_at", "path"],
                "properties": {"occurred_at": WHEN, "path": TEXT, "referrer": TEXT, "campaign": TEXT, **ADDITIONAL},
                "additionalProperties": False,
            },
        ),
    ),
)
