"""The privacy pages of the ground floor in the rail."""

from django.utils.translation import gettext_lazy as _

from datamap.navigation import register_menu

register_menu("data_map", _("Data map"), "datamap:data_map", "map", "datamap.view", "privacy", 500)
register_menu("rules", _("Retention rules"), "datamap:rules", "clock", "datamap.view", "privacy", 510)
register_menu("access_log", _("Access log"), "datamap:access_log", "list", "accesslog.view", "privacy", 590)
register_menu(
    "controller", _("Shop and dates"), "datamap:controller", "building", "datamap.controller", "settings", 800
)
