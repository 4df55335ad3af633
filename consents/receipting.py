"""The mails that carry receipts and checkpoints, as mail knows them."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext_lazy as _

from consents.receipts import TEMPLATE, load, load_checkpoint, nothing_left
from mail.gates import register_gate
from mail.models import MessageClass
from mail.templates import register as register_template

LINES = "-----BEGIN OBHUT CONSENT RECEIPT-----\nZXhhbXBsZQ==\n-----END OBHUT CONSENT RECEIPT-----"
NOTE = "laden.example/consents\n12\nZXhhbXBsZQ==\n2026-01-02T03:04:05Z"
PERSON = {
    "who": "Laden am Deich GmbH",
    "what": "Newsletter, E-Mail",
    "about": "Neue Waren und Angebote",
    "why": "Art. 6(1)(a)",
    "withdraw": "info@laden.example",
    "id": "3b0c7a0e",
}


def register() -> None:
    """Called from the app's `ready`."""
    register_gate(MessageClass.NOTICE, nothing_left)
    receipt = {"person": PERSON, "lines": LINES}
    register_template(
        TEMPLATE,
        _("Receipt for a change of consents"),
        MessageClass.NOTICE,
        ("entries",),
        load=load,
        sample={"entries": [1], "receipts": [receipt], "key": "ZXhhbXBsZQ=="},
    )
    register_template(
        "consent_checkpoint",
        _("Newest checkpoint of the consent ledger"),
        MessageClass.NOTICE,
        ("day",),
        load=load_checkpoint,
        sample={"day": date(2026, 1, 2), "note": NOTE, "lines": LINES, "key": "ZXhhbXBsZQ=="},
    )
