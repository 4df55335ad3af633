"""What a role may do with customers."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import declare

declare("customers.view", _("See customers"), ("service", "marketing", "manager", "privacy"))
declare("customers.edit", _("Enter and change customers"), ("service", "manager"))
declare("customers.restricted", _("See customers whose data are restricted"), ("privacy",))
declare("customers.export", _("Export lists of customers"), ("marketing", "manager", "privacy"))
declare("customers.held", _("Decide about held rows"), ("manager", "privacy"))
