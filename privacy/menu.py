"""The rail's entries for the rights of people."""

from django.utils.translation import gettext_lazy as _

from datamap.navigation import register_menu
from privacy.board import overdue_badge

register_menu(
    "privacy_requests", _("Requests"), "privacy:requests", "shield", "privacy.view", "privacy", 400, overdue_badge
)
register_menu("restrictions", _("Restrictions"), "privacy:restrictions", "lock", "privacy.requests", "privacy", 410)
