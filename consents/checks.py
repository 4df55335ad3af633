"""What a check of a production installation asks of the links in mails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_links(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """RFC 8058: what unsubscribes with one click is an HTTPS address; a mail program uses no other."""
    site = urlsplit(settings.SITE_URL)
    if site.scheme == "https" and site.hostname:
        return []
    hint = "Set SITE_URL to where people reach this installation, such as https://customers.shop.example."
    return [Error("The links in mails are no HTTPS addresses: SITE_URL.", hint=hint, id="consents.E001")]
