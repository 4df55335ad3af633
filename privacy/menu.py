"""The rail's entries of this app."""

from django.utils.translation import gettext_lazy as _

from datamap.navigation import register_menu

register_menu("packages", _("Data packages"), "privacy:packages", "download", "privacy.packages", "privacy", 430)
