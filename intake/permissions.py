"""What staff may do with imports, and which roles do so in a fresh installation."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import declare

# The pages show people's data. Operators, who may not see any, import with manage.py.
declare("intake.import", _("Import customers and orders from files"), roles=["manager"])
declare("intake.undo", _("Undo an import"), roles=["manager"])
