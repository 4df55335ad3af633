"""Words for the keys of the suppression list and of what files claim, for the desk and for a person's own copy."""

from __future__ import annotations

from django.utils.translation import gettext as _

from customers import suppression


def channel_words(channel: str) -> str:
    """A channel as people call it."""
    words = {
        "email": _("E-mail"),
        "phone": _("Phone"),
        "sms": _("SMS"),
        "whatsapp": _("WhatsApp"),
        "post": _("Letter"),
    }
    return words.get(channel, channel)


def state_words(state: str) -> str:
    """What a file claims, in words."""
    words = {"yes": _("agreed"), "no": _("declined"), "pending": _("not confirmed yet")}
    return words.get(state, state)


def scope_words(scope: str) -> str:
    """What an entry forbids."""
    return _("advertising") if scope == suppression.ADVERTISING else scope


def mark_words(kind: str) -> str:
    """What a mark of somebody erased was made from."""
    words = {
        "email": _("E-mail"),
        "phone": _("Phone"),
        "number": _("Customer number"),
        "external": _("Number elsewhere"),
    }
    return words.get(kind, kind)
