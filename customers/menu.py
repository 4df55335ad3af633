"""The rail's entries of this app: what waits for the privacy role, and settings."""

from typing import Any, cast

from django.utils.translation import gettext_lazy as _

from customers.deciders import waiting
from datamap.navigation import register_menu
from staff.models import User

# More than this is "many"; the badge need not count on.
COUNTED = 1000


def held_badge(user: object) -> int | None:
    """How many rows wait for this person; none is no badge."""
    rows: Any = waiting(cast(User, user)).order_by()[:COUNTED]
    return rows.count() or None


register_menu("held", _("Held rows"), "customers:held", "flag", "customers.held", "privacy", 450, badge=held_badge)
register_menu("claims", _("Claimed opt-ins"), "customers:claims", "check", "datamap.view", "privacy", 460)
register_menu("suppression", _("Suppression list"), "customers:suppression", "shield", "datamap.view", "privacy", 470)
register_menu("tags", _("Tags"), "customers:tags", "star", "customers.edit", "settings", 850)
register_menu(
    "number_range", _("Customer numbers"), "customers:number_range", "list", "datamap.controller", "settings", 860
)
