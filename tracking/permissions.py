"""Who sees which pages a customer has visited."""

from django.utils.translation import gettext_lazy as _

from staff.permissions import declare

declare("tracking.view", _("See visits to the shop's pages"), roles=["marketing", "manager", "privacy"])
