"""The rail's entry of the outbox, among the settings."""

from django.utils.translation import gettext_lazy as _

from customers.access import SEES_RESTRICTED
from datamap.navigation import Badge, register_menu

# What `Message.objects.undecided().visible_to(user)` holds, as every page asks it; the badge need not count on.
_UNDECIDED = """
SELECT count(*) FROM (
    SELECT 1 FROM mail_message m LEFT JOIN customers_customer c ON c.id = m.customer_id
    WHERE m.state = 'unknown' AND (%s OR c.restricted_at IS NULL) LIMIT 1000
) AS undecided
"""
UNDECIDED = Badge(_UNDECIDED, lambda user: [user.may(SEES_RESTRICTED)] if user.may("mail.decide") else None)

register_menu("outbox", _("Outbox"), "mail:list", "mail", "mail.view", "settings", 820, badge=UNDECIDED)
