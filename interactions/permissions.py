"""What staff may do with contacts, and which roles do so in a fresh installation."""

from django.utils.translation import gettext_lazy as _

from staff.permissions import declare

declare("interactions.view", _("See contacts"), roles=["service", "manager", "privacy"])
declare("interactions.log", _("Note contacts, complaints and next steps"), roles=["service", "manager", "privacy"])
declare("interactions.manage", _("Hand over the follow-ups of others, see service figures"), roles=["manager"])
