"""The templates of this app itself; upper apps register their own."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from mail.models import MessageClass
from mail.templates import register

ENCLOSED = "enclosed"
TRIAL = "trial"


def register_own() -> None:
    """Called at start."""
    register(ENCLOSED, _("Letter with enclosures"), MessageClass.LETTER)
    register(TRIAL, _("Trial mail to staff"), MessageClass.NOTICE)
