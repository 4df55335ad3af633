"""Where imports stand in the rail."""

from django.utils.translation import gettext_lazy as _

from datamap.navigation import register_menu

register_menu("intake", _("Import"), "intake:list", "upload", "intake.import", "marketing", 80)
