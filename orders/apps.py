"""Wires orders into the floors below: what goes with a customer, what stands in the timeline."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OrdersConfig(AppConfig):
    name = "orders"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from customers import deciders, placing, remains, summary, timeline, undoing
        from datamap import holds
        from orders import holding, opencases
        from orders.entry_forms import order_places
        from orders.happenings import SOURCES
        from orders.models import CustomerTotal
        from orders.remains import NAMES
        from orders.totals import NEWEST

        remains.register_names(NAMES)
        placing.register_places(order_places)
        # Totals are counted from orders: they go with a customer and keep none.
        undoing.register_side_table(CustomerTotal)
        summary.register_activity(NEWEST)
        decider = deciders.Decider(
            pgettext_lazy("purchase", "order"), holding.facts_of, holding.person_of, holding.decide_held_order
        )
        deciders.register_decider(holding.KIND, decider)
        for source in SOURCES:
            timeline.register_source(source)
        holds.register_case_source(
            "open_order",
            _("Open order"),
            opencases.OPEN_ORDER,
            _("The order is not finished: delivery, withdrawal period or refund is open (Art. 6(1)(b) GDPR)."),
            opencases.cut_offs,
            everyone=opencases.EVERY_OPEN_ORDER,
        )
        holds.register_case_source(
            "open_payment",
            _("Open payment"),
            opencases.OPEN_PAYMENT,
            _("The order is not paid (Art. 6(1)(b), (f) GDPR; BGB §§ 195, 199)."),
            opencases.cut_offs,
            everyone=opencases.EVERY_OPEN_PAYMENT,
        )
        holds.register_case_link("orders.Order", order="number")
        for paper in ("orders.Return", "orders.Document"):
            holds.register_case_link(paper, order="order.number")
