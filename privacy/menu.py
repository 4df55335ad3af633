"""The rights of people and accountability in the rail, under privacy."""

from django.utils.translation import gettext_lazy as _

from datamap.navigation import register_menu
from privacy.board import LATE

register_menu("privacy_requests", _("Requests"), "privacy:requests", "shield", "privacy.view", "privacy", 400, LATE)
register_menu("restrictions", _("Restrictions"), "privacy:restrictions", "lock", "privacy.requests", "privacy", 410)
register_menu("privacy", _("Tasks"), "privacy:cockpit", "check", "privacy.view", "privacy", 390)
register_menu("holds", _("Holds"), "privacy:holds", "lock", "privacy.holds", "privacy", 440)
register_menu("recipients", _("Recipients"), "privacy:recipients", "building", "privacy.view", "privacy", 480)
register_menu("notices", _("Notices"), "privacy:notices", "mail", "privacy.view", "privacy", 485)
register_menu("breaches", _("Breaches"), "privacy:breaches", "flag", "privacy.breaches", "privacy", 490)
register_menu("papers", _("Record and concept"), "privacy:papers", "doc", "datamap.view", "privacy", 520)
register_menu("policy", _("Privacy settings"), "privacy:policy", "gear", "privacy.settings", "settings", 810)
register_menu("packages", _("Data packages"), "privacy:packages", "download", "privacy.packages", "privacy", 430)
register_menu("erasures", _("Erasures"), "privacy:erasures", "trash", "privacy.view", "privacy", 420)
register_menu("runs", _("Retention runs"), "privacy:runs", "clock", "privacy.view", "privacy", 425)
