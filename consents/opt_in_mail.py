"""The mail that asks to confirm an opt-in: neutral, without any advertising (BGH I ZR 164/09)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from consents.models import PendingOptIn, Purpose
from consents.models.pending import LIFE, life_of
from consents.tokens import fingerprint, opt_in_tokens
from datamap.controlling import controller
from mail.composing import Text, fill
from mail.gates import Refusal, register_gate
from mail.models import Message, MessageClass
from mail.templates import register, template_of

TEMPLATE = "opt_in"
SETTLED = Refusal("opt_in_settled", _("The opt-in no longer waits for a confirmation."))
# Stands for the link where the mail is shown or kept as proof.
NO_LINK = "0" * 43


def register_mail() -> None:
    """Tell the outbox; called from the app's `ready`."""
    sample = {"names": [_("Newsletter")], "days": LIFE.days, "link": settings.SITE_URL}
    label = _("Request to confirm an opt-in")
    register(TEMPLATE, label, MessageClass.NOTICE, ("opt_in",), load=_load, sample=sample, asked_for=True)
    register_gate(MessageClass.NOTICE, _refuse_settled)


def words_of(pending: PendingOptIn) -> Text:
    """What the mail says, for the proof: all of it but the link, which only the mail itself holds."""
    values = _values(pending, NO_LINK)
    values |= {"controller": controller(), "link": values["link"].replace(NO_LINK, "…")}
    return fill(template_of(TEMPLATE), values, pending.language)


def _load(message: Message) -> Mapping[str, Any]:
    pending = PendingOptIn.objects.get(pk=message.context["opt_in"])
    kept = bytes(pending.token_sha256)
    token = next(one for one in opt_in_tokens(pending.uuid) if fingerprint(one) == kept)
    return _values(pending, token)


def _values(pending: PendingOptIn, token: str) -> dict[str, Any]:
    keys = [one["purpose"] for one in pending.asked]
    name = "name_en" if pending.language == "en" else "name_de"
    return {
        "names": list(Purpose.objects.filter(key__in=keys).values_list(name, flat=True)),
        "days": life_of(pending.asked_at).days,
        "link": settings.SITE_URL.rstrip("/") + reverse("opt_in:confirm", args=[token]),
    }


def _refuse_settled(message: Message) -> Refusal | None:
    if message.template != TEMPLATE:
        return None
    pending = PendingOptIn.objects.filter(pk=message.context.get("opt_in")).first()
    waits = pending is not None and pending.confirmed_at is None
    return None if waits else SETTLED
