"""What one may be allowed to do at the desk."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import declare

declare("views.share", _("Share saved views with everyone"), ("manager", "privacy", "marketing"))
declare("views.manage", _("Take over shared views of colleagues who have left"), ("manager", "operator"))
# What `customers.export` lets out is capped; these two widen it and are cells of the matrix like any other.
declare("exports.large", _("Export more than 5,000 customers at once"), ("manager", "privacy"))
declare("exports.contacts", _("Export e-mail addresses and phone numbers"), ("manager", "privacy"))
