"""The rail's entries of this app: what waits for the privacy role, and settings."""

from django.utils.translation import gettext_lazy as _

from customers.access import SEES_RESTRICTED
from datamap.navigation import Badge, register_menu

# The question of `deciders.waiting`, as every page asks it; more than 1,000 are "many", the badge need not count on.
_WAITING = """
SELECT count(*) FROM (
    SELECT 1 FROM customers_heldintake h LEFT JOIN customers_customer c ON c.id = h.customer_id
    WHERE h.decision = '' AND (%s OR (h.reason <> 'restricted' AND c.restricted_at IS NULL)) LIMIT 1000
) AS waiting
"""
HELD = Badge(_WAITING, lambda user: [user.may(SEES_RESTRICTED)])

register_menu("held", _("Held rows"), "customers:held", "flag", "customers.held", "privacy", 450, badge=HELD)
register_menu("claims", _("Claimed opt-ins"), "customers:claims", "check", "datamap.view", "privacy", 460)
register_menu("suppression", _("Suppression list"), "customers:suppression", "shield", "datamap.view", "privacy", 470)
register_menu("tags", _("Tags"), "customers:tags", "star", "customers.edit", "settings", 850)
register_menu(
    "number_range", _("Customer numbers"), "customers:number_range", "list", "datamap.controller", "settings", 860
)
