"""Which mail providers may report to the portal: all that anymail reads, each by what proves that it is they."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from anymail import urls
from anymail.exceptions import AnymailConfigurationError
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

_END = "/tracking/"
# Brevo as it was called before; anymail itself takes the name back.
_FORMER = frozenset({"sendinblue"})
DOORS: dict[str, Any] = {
    name: door.callback
    for door in urls.urlpatterns
    if (name := str(door.pattern).removesuffix(_END)) != str(door.pattern) and name not in _FORMER
}
"""Name of a provider -> the view that reads its reports."""


def proves_itself(name: str) -> bool:
    """Whether a report tells who sent it: by MAIL_WEBHOOK_SECRET, or by a signature whose key stands in ANYMAIL."""
    try:
        return _is_proven(name)
    except AnymailConfigurationError:
        return False


def _is_proven(name: str) -> bool:
    """The same; raises AnymailConfigurationError where a key that the provider always signs with, or a package that
    reads its reports, is missing."""
    # With some secret, since without any anymail warns of what is not meant to be used here.
    door = DOORS[name].view_class(webhook_secret=["-"])
    # Mandrill's key is told only after its door was looked at, so that anymail asks for it late.
    is_signed = not door.warn_if_no_basic_auth and getattr(door, "webhook_key", True) is not None
    return is_signed or bool(settings.ANYMAIL.get("WEBHOOK_SECRET"))


def check_provider(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Whether the provider that sends our mails can report what became of them."""
    _before, is_provider, name = settings.EMAIL_BACKEND.removesuffix(".EmailBackend").rpartition("anymail.backends.")
    if not is_provider or name not in DOORS:
        return []
    try:
        if _is_proven(name):
            return []
    except AnymailConfigurationError as fault:
        told = " ".join(str(fault).split())
        return [Error(f"What {name} reports of our mails cannot be read.", hint=told, id="mail.E001")]
    hint = "Set MAIL_WEBHOOK_SECRET, or the key of its signatures in ANYMAIL."
    return [Warning(f"Nothing proves what {name} reports of bounces and complaints.", hint=hint, id="mail.W001")]
