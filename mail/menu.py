"""The rail's entry of the outbox, among the settings."""

from typing import cast

from django.utils.translation import gettext_lazy as _

from mail.models import Message
from staff.menu import register_menu
from staff.models import User

COUNTED = 1000


def undecided_badge(user: object) -> int | None:
    """How many mails in doubt wait for this person's decision; none is no badge."""
    person = cast(User, user)
    if not person.may("mail.decide"):
        return None
    return Message.objects.undecided().visible_to(person)[:COUNTED].count() or None


register_menu("outbox", _("Outbox"), "mail:list", "mail", "mail.view", "settings", 820, badge=undecided_badge)
