"""The rail's entries for contacts and follow-ups."""

from django.utils.translation import gettext_lazy as _

from interactions.followups import DUE
from staff.menu import register_menu

register_menu("contacts", _("Contacts"), "interactions:list", "chat", "interactions.view", "", 40)
register_menu(
    "followups",
    _("Follow-ups"),
    "interactions:followups",
    "bell",
    "interactions.view",
    "",
    50,
    badge=DUE,
)
