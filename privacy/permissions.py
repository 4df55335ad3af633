"""What staff may do with the rights of people, and which roles do so in a fresh installation."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import declare

declare("privacy.view", _("See privacy requests, erasures and retention runs"), roles=("privacy", "operator"))
declare("privacy.requests", _("Work on privacy requests"), roles=("privacy",))
declare("privacy.take", _("Take in requests and objections of customers"), roles=("service", "manager", "privacy"))
declare("privacy.erase", _("Plan and run erasures"), roles=("privacy",))
declare("privacy.approve", _("Approve erasures and retention runs as the second person"), roles=("privacy",))
declare("privacy.holds", _("Set and release holds"), roles=("privacy", "tax"))
declare("privacy.settings", _("Change the privacy settings"), roles=("privacy",))
declare("privacy.recipients", _("Keep recipients, disclosures and notices to recipients"), roles=("privacy",))
declare("privacy.breaches", _("Keep the register of breaches"), roles=("privacy",))
declare("privacy.papers", _("Keep versions of record, concept and privacy notice"), roles=("privacy",))
declare("privacy.packages", _("Make, review and hand out data packages of a person"), roles=("privacy",))
