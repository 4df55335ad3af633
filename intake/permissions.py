"""What staff may do with imports, and which roles do so in a fresh installation."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import declare

declare("intake.import", _("Import customers and orders from files"), roles=["manager", "operator"])
declare("intake.undo", _("Undo an import"), roles=["manager", "operator"])
