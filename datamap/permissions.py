"""What the privacy pages of the ground floor ask for."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import declare

declare(
    "datamap.view",
    _("See the data map and the retention rules"),
    roles=("privacy", "manager", "tax", "operator"),
)
declare(
    "datamap.controller",
    _("Change who the shop is and how its dates are computed"),
    roles=("privacy", "operator"),
)
declare("datamap.rules", _("Change retention rules"), roles=("privacy",))
declare("accesslog.view", _("See who opened which customer"), roles=("privacy",))
