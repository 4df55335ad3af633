"""The rail's entry of the outbox, among the settings."""

from typing import cast

from django.utils.translation import gettext_lazy as _

from customers.access import SEES_RESTRICTED
from datamap.preparing import ask
from staff.menu import register_menu
from staff.models import User

# What `Message.objects.undecided().visible_to(user)` holds, as every page asks it; the badge need not count on.
_UNDECIDED = """
SELECT count(*) FROM (
    SELECT 1 FROM mail_message m LEFT JOIN customers_customer c ON c.id = m.customer_id
    WHERE m.state = 'unknown' AND (%s OR c.restricted_at IS NULL) LIMIT 1000
) AS undecided
"""


def undecided_badge(user: object) -> int | None:
    """How many mails in doubt wait for this person's decision; none is no badge."""
    person = cast(User, user)
    if not person.may("mail.decide"):
        return None
    return ask(_UNDECIDED, [person.may(SEES_RESTRICTED)])[0][0] or None


register_menu("outbox", _("Outbox"), "mail:list", "mail", "mail.view", "settings", 820, badge=undecided_badge)
