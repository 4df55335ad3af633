"""What staff may do with consents and texts, and which roles do so in a fresh installation."""

from django.utils.translation import gettext_lazy as _

from staff.permissions import declare

declare("consents.view", _("See consents and legal texts"), roles=["service", "marketing", "manager", "privacy"])
declare("consents.record", _("Take down and withdraw consents of customers"), roles=["service", "manager", "privacy"])
declare("consents.settings", _("Edit purposes, legal texts and their places"), roles=["manager", "privacy"])
declare("consents.overview", _("See the overview of consents"), roles=["marketing", "manager", "privacy"])
declare("consents.claims", _("Prove or drop opt-ins that an import asserts"), roles=["manager", "privacy"])
declare("consents.ledger", _("Browse the ledger of consents"), roles=["privacy"])
