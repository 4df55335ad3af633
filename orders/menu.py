"""Where orders stand in the rail."""

from django.utils.translation import gettext_lazy as _

from datamap.navigation import register_menu

register_menu("orders", _("Orders"), "orders:list", "bag", "orders.view", "main", 30)
register_menu("order_types", _("Order types"), "orders:types", "gear", "orders.settings", "settings", 60)
