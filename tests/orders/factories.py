"""Plain makers of what the tests of orders need."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from customers.models import ContactPoint, Customer, ExternalId
from orders.models import Order, OrderLine
from staff.models import RolePermission, User

_numbers = count(1)
PLACED = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def make_customer(**given: Any) -> Customer:
    """A customer with an account, an e-mail address and, if asked, an id of a platform."""
    n = next(_numbers)
    email = given.pop("email", "")
    platform, external_id = given.pop("platform", ""), given.pop("external_id", "")
    given = {
        "number": f"K{n:05d}",
        "first_name": "Änne",
        "last_name": "Groß",
        "sort_name": "gross anne",
        **given,
    }
    customer = Customer.objects.create(**given)
    if email:
        ContactPoint.objects.create(customer=customer, kind="email", value=email)
    if external_id:
        ExternalId.objects.create(customer=customer, platform=platform, value=external_id)
    return customer


def make_order(customer: Customer | None = None, lines: int = 2, **given: Any) -> Order:
    """A paid order of two lines at 11.90 each, tax 19 percent included."""
    n = next(_numbers)
    customer = customer or make_customer()
    given = {
        "number": f"B-2026-{n:05d}",
        "customer": customer,
        "placed_at": PLACED,
        "total": Decimal("11.90") * lines,
        "tax": Decimal("1.90") * lines,
        "billing": {"name": "Änne Groß", "street": "Am Deich 4", "postcode": "20095", "city": "Hamburg"},
        **given,
    }
    order = Order.objects.create(**given)
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=position,
            sku=f"A-{position}",
            name=f"Artikel {position}",
            unit_price=Decimal("11.90"),
            tax_rate=Decimal(19),
        )
        for position in range(1, lines + 1)
    )
    return order


def make_staff(*permissions: str) -> User:
    """Someone who may do just this."""
    n = next(_numbers)
    user = User.objects.create_user(f"staff{n}@shop.example", "x", name="Mitarbeit")
    role = user.roles.model.objects.create(key=f"role-{n}", name=f"Role {n}")
    RolePermission.objects.bulk_create(RolePermission(role=role, permission=key) for key in permissions)
    user.roles.add(role)
    return user
