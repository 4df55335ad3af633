"""Reads which right a text may be about, by plain words in German and English: a suggestion, a person decides."""

from __future__ import annotations

from customers.normalizing import fold
from privacy.models import Request

Kind, ObjectsTo = Request.Kind, Request.ObjectsTo

# Folded pieces of words (no accents, "ß" as "ss"); the more of them a text holds the likelier its right.
WORDS: dict[str, tuple[str, ...]] = {
    Kind.ACCESS: (
        "auskunft", "art. 15", "artikel 15", "art 15", "welche daten", "datenkopie", "kopie meiner daten",
        "gespeicherten daten", "gespeichert haben", "access request", "subject access", "copy of my data",
        "what data", "which data", "information you hold", "dsar",
    ),
    Kind.ERASURE: (
        "losch", "loesch", "art. 17", "artikel 17", "art 17", "vergessenwerden", "entfernen sie meine daten",
        "konto entfernen", "delete", "erase", "erasure", "right to be forgotten", "remove my data", "remove my account",
    ),
    Kind.RECTIFICATION: (
        "berichtig", "art. 16", "artikel 16", "falsch geschrieben", "falsche adresse", "korrigier", "andern sie meine",
        "umgezogen", "rectif", "correct my", "wrong address", "misspelt", "misspelled", "moved house",
    ),
    Kind.RESTRICTION: (
        "einschrank", "art. 18", "artikel 18", "daten sperren", "sperren sie meine", "restrict", "freeze my data",
    ),
    Kind.PORTABILITY: (
        "ubertragbar", "art. 20", "artikel 20", "maschinenlesbar", "datenubertragung", "portab", "machine-readable",
        "machine readable", "transfer my data",
    ),
    Kind.OBJECTION: (
        "widersprech", "widerspruch", "art. 21", "artikel 21", "keine werbung", "keine weitere werbung",
        "nicht mehr anrufen", "keine e-mails mehr", "keine mails mehr", "keinen newsletter", "object to", "objection",
        "no more advertising", "stop advertising", "no marketing", "stop sending", "opt out", "unsubscribe",
    ),
    Kind.WITHDRAWAL: (
        "einwilligung", "art. 7", "artikel 7", "zustimmung zuruck", "abmelden", "newsletter abbestell",
        "withdraw", "revoke", "consent",
    ),
}  # fmt: skip
ADVERTISING = (
    "werbung", "newsletter", "anruf", "e-mails mehr", "mails mehr", "prospekt", "katalog", "advertis", "marketing",
    "promotion", "stop sending", "unsubscribe", "opt out", "spam",
)  # fmt: skip


def suggest_kind(text: str) -> str:
    """The right this text most likely speaks of, "" where no word says so."""
    folded = fold(text)
    hits = {kind: sum(folded.count(word) for word in words) for kind, words in WORDS.items()}
    best = max(hits.values(), default=0)
    return next((kind for kind, count in hits.items() if count == best), "") if best else ""


def suggest_objection(text: str) -> str:
    """What an objection is most likely against; advertising unless the text speaks of something else."""
    folded = fold(text)
    return ObjectsTo.ADVERTISING if any(word in folded for word in ADVERTISING) else ObjectsTo.REASONS
