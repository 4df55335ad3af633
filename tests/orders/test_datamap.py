"""What the declarations of orders say about staff, engravings and delivery notes that never see an invoice."""

from __future__ import annotations

import pytest

from datamap.declarations import registry


@pytest.mark.parametrize(
    ("model", "field", "person"),
    [
        ("orders.Order", "lines_before", "customer"),
        ("orders.Return", "entered_by", "staff"),
        ("orders.Document", "reason", "customer"),
    ],
)
def test_these_fields_are_about_these_people(model, field, person):
    group = registry.declaration_for(model).group_of(field)

    assert group is not None
    assert group.person == person


def test_a_delivery_note_without_an_invoice_ends_counted_from_its_own_date():
    for field in ("lines", "delivery_snapshot"):
        start = registry.declaration_for("orders.Document").group_of(field).start

        assert start.resolve("delivery_note") == ("order.invoiced_at", "issued_at")
