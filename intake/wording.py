"""What people read for a target of a mapping and for a kind of row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class OptionWords:
    """One choice of a mapping: its name, what it is called, what helps to decide, and value -> label."""

    name: str
    label: Any
    help: Any
    choices: tuple[tuple[str, Any], ...]


_OPTIONS = {
    option.name: option
    for option in (
        OptionWords(
            "numbers",
            _("Whose customer numbers are these?"),
            _("With our own numbers the customers of these numbers are changed; numbers of another system make"
              " customers of their own."),
            (("", _("as the column says: “Number” means our own")), ("own", _("our own numbers")),
             ("foreign", _("numbers of another system"))),
        ),
        OptionWords(
            "decimals",
            _("How are amounts written?"),
            _("An amount such as 1.234 or 1,234 can be read in two ways. Where nothing is chosen, rows with such"
              " amounts are rejected."),
            (("", _("each amount shows it")), ("comma", _("German: 1.234,56")), ("point", _("English: 1,234.56"))),
        ),
        OptionWords(
            "discount_as",
            _("What is the discount of a line?"),
            _("Where nothing is chosen, discounts that all lie between 0 and 1 are taken for shares."),
            (("", _("as the figures show it")), ("share", _("a share of the price (0.05)")),
             ("amount", _("an amount"))),
        ),
    )
}  # fmt: skip


def option_words(name: str) -> OptionWords:
    """The words of one choice of a mapping (`mapping.OPTIONS`)."""
    return _OPTIONS[name]


_LABELS: dict[str, Any] = {
    "external_id": _("Id in the other system"),
    "number": _("Number"),
    "kind": _("Person or company"),
    "salutation": _("Salutation"),
    "title": _("Title"),
    "first_name": _("First name"),
    "middle_name": _("Middle name"),
    "last_name": _("Last name"),
    "full_name": _("Whole name"),
    "company": _("Company"),
    "vat_id": _("VAT id"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "phone2": _("Further phone"),
    "street": _("Street and number"),
    "street2": _("Address supplement"),
    "postcode": _("Postcode"),
    "city": _("City"),
    "country": _("Country"),
    "country2": _("Country, written out"),
    "address_line": _("Address in one line"),
    "birthday": _("Birthday (day and month)"),
    "tags": _("Tags"),
    "note": _("Note"),
    "newsletter": _("Newsletter opt-in"),
    "sms": _("SMS opt-in"),
    "whatsapp": _("WhatsApp opt-in"),
    "guest": _("Guest"),
    "username": _("User name"),
    "registered_at": _("Customer since"),
    "last_activity": _("Last activity"),
    "since": _("Unsubscribed on"),
    "cleaned_at": _("Cleaned on"),
    "default_billing": _("Usual billing address"),
    "default_shipping": _("Usual delivery address"),
    "customer_external_id": _("Id of the customer in the other system"),
    "order_external_id": _("Id of the order"),
    "group": _("Number that joins the rows of an order"),
    "placed_at": _("Placed on"),
    "paid_at": _("Paid on"),
    "delivered_at": _("Delivered on"),
    "cancelled_at": _("Cancelled on"),
    "currency": _("Currency"),
    "total": _("Total"),
    "shipping_cost": _("Shipping costs"),
    "tax": _("VAT included"),
    "order_discount": _("Discount on the order"),
    "refunded": _("Refunded"),
    "status": _("State"),
    "financial": _("Payment"),
    "fulfillment": _("Delivery"),
    "items": _("Number of items"),
    "packed_lines": _("Articles"),
    "item": _("Position"),
    "sku": _("Article number"),
    "name": _("Article"),
    "category": _("Category"),
    "quantity": _("Quantity"),
    "unit_price": _("Unit price"),
    "discount": _("Discount"),
}
_SIDES = {
    "billing_": _("Billing: %(what)s"),
    "shipping_": _("Delivery: %(what)s"),
    "line_": _("Article: %(what)s"),
}


def label_of(target: str) -> str:
    """The everyday name of a target."""
    if target in _LABELS:
        return str(_LABELS[target])
    for prefix, pattern in _SIDES.items():
        if target.startswith(prefix):
            rest = target.removeprefix(prefix)
            return str(pattern) % {"what": str(_LABELS.get(rest, rest))}
    return gettext("Further column")


def named_left(left: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows an undo leaves, each with the everyday name of its kind."""
    return [row | {"kind": capfirst(apps.get_model(row["model"])._meta.verbose_name)} for row in left]
