"""The staff pages in the rail, among the settings."""

from django.utils.translation import gettext_lazy as _

from datamap.navigation import register_menu

register_menu("staff", _("Staff"), "staff:list", "key", "staff.manage", "settings", 900)
