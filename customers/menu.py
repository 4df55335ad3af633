"""The rail's entries of this app: what waits for the privacy role, and settings."""

from typing import cast

from django.utils.translation import gettext_lazy as _

from customers.access import SEES_RESTRICTED
from datamap.navigation import register_menu
from datamap.preparing import ask
from staff.models import User

# The question of `deciders.waiting`, as every page asks it; more than 1,000 are "many", the badge need not count on.
_WAITING = """
SELECT count(*) FROM (
    SELECT 1 FROM customers_heldintake h LEFT JOIN customers_customer c ON c.id = h.customer_id
    WHERE h.decision = '' AND (%s OR (h.reason <> 'restricted' AND c.restricted_at IS NULL)) LIMIT 1000
) AS waiting
"""


def held_badge(user: object) -> int | None:
    """How many rows wait for this person; none is no badge."""
    return ask(_WAITING, [cast(User, user).may(SEES_RESTRICTED)])[0][0] or None


register_menu("held", _("Held rows"), "customers:held", "flag", "customers.held", "privacy", 450, badge=held_badge)
register_menu("claims", _("Claimed opt-ins"), "customers:claims", "check", "datamap.view", "privacy", 460)
register_menu("suppression", _("Suppression list"), "customers:suppression", "shield", "datamap.view", "privacy", 470)
register_menu("tags", _("Tags"), "customers:tags", "star", "customers.edit", "settings", 850)
register_menu(
    "number_range", _("Customer numbers"), "customers:number_range", "list", "datamap.controller", "settings", 860
)
