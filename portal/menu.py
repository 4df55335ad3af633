"""The desk's entries in the main menu."""

from django.utils.translation import gettext_lazy as _

from datamap.guard import ANY_STAFF
from datamap.navigation import register_menu

register_menu("dashboard", _("Overview"), "portal:dashboard", "home", ANY_STAFF, "main", 10)
# What is about one customer has the number in its address, whichever app shows it.
register_menu(
    "customers", _("Customers"), "portal:customer_list", "users", "customers.view", "main", 20, argument="number"
)
register_menu("archive", _("Archive"), "portal:archive", "lock", "documents.archive", "privacy", 480)
