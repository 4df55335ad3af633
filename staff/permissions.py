"""What the staff pages ask for."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import declare

declare("staff.manage", _("Invite and disable staff, set roles and permissions"), roles=("operator",))
