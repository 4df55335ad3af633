"""Wires orders into the floors below: what goes with a customer, what stands in the timeline."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from customers import timeline, undoing
        from orders.happenings import SOURCES
        from orders.models import CustomerTotal

        # Totals are counted from orders: they go with a customer and keep none.
        undoing.register_side_table(CustomerTotal)
        for source in SOURCES:
            timeline.register_source(source)
