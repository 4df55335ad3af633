"""Wires orders into the floors below: what goes with a customer, what stands in the timeline."""

from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class OrdersConfig(AppConfig):
    name = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from customers import deciders, summary, timeline, undoing
        from orders import holding
        from orders.happenings import SOURCES
        from orders.models import CustomerTotal
        from orders.totals import NEWEST

        # Totals are counted from orders: they go with a customer and keep none.
        undoing.register_side_table(CustomerTotal)
        summary.register_activity(NEWEST)
        decider = deciders.Decider(
            pgettext_lazy("purchase", "order"), holding.facts_of, holding.person_of, holding.decide_held_order
        )
        deciders.register_decider(holding.KIND, decider)
        for source in SOURCES:
            timeline.register_source(source)
