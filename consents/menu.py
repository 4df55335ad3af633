"""The rail's entries of consents."""

from django.utils.translation import gettext_lazy as _

from staff.menu import register_menu

register_menu("consents", _("Consents"), "consents:overview", "chart", "consents.overview", "privacy", 380)
register_menu("ledger", _("Ledger of consents"), "consents:ledger", "list", "consents.ledger", "privacy", 385)
register_menu("purposes", _("Purposes"), "consents:purposes", "check", "consents.settings", "settings", 820)
register_menu("legal_texts", _("Legal texts"), "consents:texts", "doc", "consents.view", "settings", 825)
