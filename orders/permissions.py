"""What staff may do with orders and papers, and which roles do so in a fresh installation."""

from django.utils.translation import gettext_lazy as _

from staff.permissions import declare

declare("orders.view", _("See orders and papers"), roles=["service", "manager", "tax", "privacy"])
declare("orders.edit", _("Enter and change orders, issue papers, take returns"), roles=["service", "manager"])
declare("orders.settings", _("Change order types and their fields"), roles=["manager"])
declare("documents.archive", _("See papers in the archive"), roles=["tax", "privacy"])
