"""An order as staff type it: the order, its lines, and both as their form shows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.access import visible_customers
from customers.models import Customer
from customers.placing import PlacedText, box_of, text_label, texts_due
from customers.reading import read_country
from datamap.controlling import legal_zone
from datamap.days import MomentField
from datamap.workdays import local_date
from orders.entering import LineInput, OrderInput, billing_of
from orders.forms import amount_field, not_ahead, text_field
from orders.models import FieldRule, Order, OrderLine, OrderType
from staff.models import User

CURRENCIES = [(code, code) for code in ("EUR", "CHF", "USD", "GBP", "PLN", "CZK", "DKK", "SEK")]
RATES = [("19", "19 %"), ("7", "7 %"), ("0", "0 %")]
# Fields of the form that a rule of the order type speaks of.
RULED = {
    FieldRule.Field.EMAIL: ("billing_email",),
    FieldRule.Field.PHONE: ("billing_phone",),
    FieldRule.Field.COMPANY: ("billing_company",),
    FieldRule.Field.DELIVERY: (
        "shipping_name",
        "shipping_street",
        "shipping_postcode",
        "shipping_city",
        "shipping_country",
    ),
    FieldRule.Field.GIFT_RECIPIENT: ("gift_number", "gift_new"),
    FieldRule.Field.GIFT_NOTE: ("gift_note",),
    FieldRule.Field.NOTE: ("note",),
}
PLACE = ("name", "company", "street", "postcode", "city", "country", "email", "phone")


class OrderForm(forms.Form):
    """An order as staff enter it; which fields there are depends on the order type."""

    type = forms.ModelChoiceField(OrderType.objects.none(), required=False, widget=forms.HiddenInput)
    token = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    customer_number = text_field(gettext_lazy("Customer number"), 40)
    placed_at = MomentField(
        label=gettext_lazy("Placed"),
        required=False,
        validators=[not_ahead],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=CURRENCIES, initial="EUR")
    billing_name = text_field(gettext_lazy("Name"), 300)
    billing_company = text_field(gettext_lazy("Company"), 200)
    billing_street = text_field(gettext_lazy("Street and number"), 300)
    billing_postcode = text_field(gettext_lazy("Postcode"), 20)
    billing_city = text_field(gettext_lazy("City"), 120)
    billing_country = text_field(gettext_lazy("Country"), 60)
    billing_email = forms.EmailField(label=gettext_lazy("E-mail"), required=False, max_length=254)
    billing_phone = text_field(gettext_lazy("Phone"), 60)
    shipping_name = text_field(gettext_lazy("Name"), 300)
    shipping_street = text_field(gettext_lazy("Street and number"), 300)
    shipping_postcode = text_field(gettext_lazy("Postcode"), 20)
    shipping_city = text_field(gettext_lazy("City"), 120)
    shipping_country = text_field(gettext_lazy("Country"), 60)
    gift_number = text_field(gettext_lazy("Customer number of the recipient"), 40)
    gift_new = forms.BooleanField(
        label=gettext_lazy("Whoever receives the delivery has no number yet"),
        required=False,
        help_text=gettext_lazy("Makes a record of the person at the delivery address (Art. 14 GDPR)."),
    )
    gift_note = forms.CharField(
        label=gettext_lazy("Gift message"),
        required=False,
        max_length=2_000,
        widget=forms.Textarea({"rows": 2}),
    )
    shipping_cost = amount_field(gettext_lazy("Shipping costs"))
    discount = amount_field(gettext_lazy("Discount on the whole"))
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=20_000, widget=forms.Textarea({"rows": 3})
    )

    def __init__(
        self,
        *args: Any,
        user: User,
        order_type: OrderType | None,
        order: Order | None = None,
        gift_hidden: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.order_type, self.order, self.gift_hidden = user, order_type, order, gift_hidden
        self.customer: Customer | None = order.customer if order else None
        self.fields["type"].queryset = OrderType.objects.all()  # type: ignore[attr-defined]
        self.fields["token"].initial = uuid4
        self.fields["placed_at"].initial = timezone.localtime
        self.fields["billing_country"].initial = "DE"
        if order:
            del self.fields["customer_number"]
        self.texts = [] if order else texts_due(place_of(order_type), self._placed_on())
        for text in self.texts:
            self.fields[box_of(text)] = forms.BooleanField(label=text_label(text))
        self.needs_recipient = False
        for rule in order_type.rules.all() if order_type else ():
            self._apply(rule)
        if "shipping_name" not in self.fields:
            self.fields.pop("gift_new", None)
        if gift_hidden:
            # Who may not see the recipient can neither read nor change who gets the present, and where.
            for name in (*RULED[FieldRule.Field.DELIVERY], "gift_number", "gift_new", "gift_note"):
                self.fields.pop(name, None)

    def _placed_on(self) -> date | None:
        """The day on which the order was placed, as typed: it stands under the texts that were valid then."""
        typed = (self.data if self.is_bound else self.initial).get("placed_at")
        with suppress(forms.ValidationError):
            moment = self.fields["placed_at"].clean(typed)
            return local_date(moment, legal_zone()) if moment else None
        return None

    def _apply(self, rule: FieldRule) -> None:
        for name in RULED[FieldRule.Field(rule.field)]:
            if rule.rule == FieldRule.Rule.HIDDEN:
                del self.fields[name]
            elif rule.rule == FieldRule.Rule.REQUIRED and rule.field == FieldRule.Field.GIFT_RECIPIENT:
                self.needs_recipient = True  # by number or by address
            elif rule.rule == FieldRule.Rule.REQUIRED:
                self.fields[name].required = True

    def group(self, *prefixes: str) -> list[forms.BoundField]:
        """The fields that stand together on the page."""
        return [field for field in self.visible_fields() if field.name.startswith(prefixes)]

    def billing_fields(self) -> list[forms.BoundField]:
        """Where the bill goes."""
        return self.group("billing_")

    def shipping_fields(self) -> list[forms.BoundField]:
        """Where the goods go, if elsewhere."""
        return [field for field in self.group("shipping_") if field.name != "shipping_cost"]

    def gift_fields(self) -> list[forms.BoundField]:
        """Who gets it as a present."""
        return self.group("gift_")

    def head_fields(self) -> list[forms.BoundField]:
        """Whose order, when, in which currency."""
        return self.group("customer_number", "placed_at", "currency")

    def closing_fields(self) -> list[forms.BoundField]:
        """What applies to the whole order."""
        return self.group("shipping_cost", "discount", "note")

    def text_fields(self) -> list[tuple[forms.BoundField, PlacedText, bool]]:
        """The texts that are due for this type of order, each with its box, and whether this person may open it."""
        return [(self[box_of(text)], text, self.user.may(text.permission)) for text in self.texts]

    def _country(self, name: str) -> str:
        value = str(self.cleaned_data.get(name) or "").strip()
        country = read_country(value) if value else ""
        if country is None:
            raise forms.ValidationError(_("Give the country as two letters, such as DE."))
        return country

    def clean_billing_country(self) -> str:
        return self._country("billing_country")

    def clean_shipping_country(self) -> str:
        return self._country("shipping_country")

    def _customer(self, name: str) -> Customer | None:
        number = str(self.cleaned_data.get(name) or "").strip()
        if not number:
            return None
        # A restricted customer is not named to who may not see it: the answer is the same as for nobody.
        found = visible_customers(self.user).filter(number=number).first()
        if found and self.order and found.pk == self.order.gift_recipient_id:
            return found
        if found is None or found.restricted_at:
            raise forms.ValidationError(_("No customer who can order has this number."))
        return found

    def clean_customer_number(self) -> str:
        self.customer = self._customer("customer_number")
        return self.customer.number if self.customer else ""

    def clean_gift_number(self) -> Customer | None:
        return self._customer("gift_number")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.customer is None and not self.errors and not self.order:
            if not (data.get("billing_name") or data.get("billing_company")):
                self.add_error("billing_name", _("A guest order needs a name."))
            if not data.get("billing_city"):
                self.add_error("billing_city", _("A guest order needs an address."))
        self._check_recipient(data)
        return data

    def _check_recipient(self, data: dict[str, Any]) -> None:
        """Whoever gets the present is named by number, or by the delivery address."""
        if "gift_number" not in self.fields or data.get("gift_number"):
            return
        if data.get("gift_new"):
            if not data.get("shipping_name"):
                self.add_error("shipping_name", _("Say who receives the present."))
            if not data.get("shipping_city"):
                self.add_error("shipping_city", _("Say where the present goes."))
        elif self.needs_recipient and "gift_number" not in self.errors:
            self.add_error("gift_number", _("Give the number of the recipient, or say that there is none yet."))

    def snapshot(self, prefix: str) -> dict[str, str]:
        """The contact lines of one address that say anything."""
        values = {name: self.cleaned_data.get(f"{prefix}_{name}") or "" for name in PLACE}
        found = {name: str(value).strip() for name, value in values.items() if value}
        return found if set(found) - {"country"} else {}

    def order_input(self, lines: list[LineInput]) -> OrderInput:
        """What the story takes; a customer's own address fills what was left empty."""
        data, billing = self.cleaned_data, self.snapshot("billing")
        if self.customer and not self.order and not set(billing) & {"street", "city"}:
            billing = billing_of(self.customer) | billing
        shipping, gift, gift_note = self.snapshot("shipping"), data.get("gift_number"), data.get("gift_note") or ""
        if shipping and "country" not in shipping and billing.get("country"):
            shipping["country"] = billing["country"]  # who writes none means the country of the invoice
        if self.gift_hidden and self.order:
            shipping = (self.order.shipping or {}) if self.order.deviating else {}
            gift, gift_note = self.order.gift_recipient, self.order.gift_note or ""
        return OrderInput(
            lines=lines,
            billing=billing,
            shipping=shipping,
            customer_id=self.customer.pk if self.customer else None,
            gift_recipient_id=gift.pk if gift else None,
            gift_recipient_new=bool(data.get("gift_new")) and not gift,
            type_id=self.order_type.pk if self.order_type else None,
            placed_at=data.get("placed_at"),
            currency=data["currency"],
            shipping_cost=data.get("shipping_cost") or Decimal(0),
            discount=data.get("discount") or Decimal(0),
            gift_note=gift_note,
            note=data.get("note") or "",
            texts=tuple(text.id for text in self.texts),
            texts_place=place_of(self.order_type),
        )


def place_of(order_type: OrderType | None) -> str:
    """The place at which the texts of an order type are due; "" without a type."""
    return f"order:{order_type.pk}" if order_type else ""


def order_places() -> Iterator[tuple[str, str]]:
    """Each order type as a place at which texts can be due."""
    for order_type in OrderType.objects.filter(retired_at=None):
        yield place_of(order_type), _("Order: %s") % order_type.name


class LineForm(forms.Form):
    """One line of an order; a line left empty is none."""

    WIDTHS: ClassVar = {"sku": 12, "name": 28, "quantity": 6, "unit_price": 9, "discount": 9}

    sku = text_field(gettext_lazy("Article number"), 120)
    name = text_field(gettext_lazy("Article"), 300)
    quantity = amount_field(
        gettext_lazy("Quantity"), decimal_places=3, max_value=Decimal(999_999), min_value=Decimal("0.001")
    )
    unit_price = amount_field(gettext_lazy("Unit price"))
    discount = amount_field(gettext_lazy("Discount"))
    tax_rate = forms.ChoiceField(label=gettext_lazy("VAT rate"), choices=RATES, initial="19", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            # The lines stand in a table: the heading of the column is their label.
            kind = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"
            field.widget.attrs |= {"class": kind, "aria-label": str(field.label)}
        for name, width in self.WIDTHS.items():
            self.fields[name].widget.attrs["size"] = width
        self.fields["tax_rate"].widget.attrs["class"] += " ob-snug"

    def has_changed(self) -> bool:
        """The tax rate alone, which is filled in beforehand, makes no line."""
        return any(name != "tax_rate" for name in self.changed_data)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.has_changed() or self.errors:
            return data
        if not (data.get("name") or data.get("sku")):
            self.add_error("name", _("Say which article."))
        if data.get("unit_price") is None:
            self.add_error("unit_price", _("Say what it costs."))
        elif (data.get("discount") or 0) > (data.get("quantity") or 1) * data["unit_price"]:
            self.add_error("discount", _("The discount is more than the goods cost."))
        return data

    def line_input(self) -> LineInput:
        """What the story takes."""
        data = self.cleaned_data
        return LineInput(
            sku=data.get("sku") or "",
            name=data.get("name") or "",
            quantity=data.get("quantity") or Decimal(1),
            unit_price=data["unit_price"],
            discount=data.get("discount") or Decimal(0),
            tax_rate=Decimal(data["tax_rate"]) if data.get("tax_rate") else None,
        )


LineFormSet = forms.formset_factory(LineForm, extra=0, max_num=200, absolute_max=200)


def line_inputs(formset: Any) -> list[LineInput]:
    """The lines of a valid formset that say anything."""
    return [form.line_input() for form in formset if form.has_changed()]


def initial_of(order: Order) -> dict[str, Any]:
    """An order as its form shows it."""
    initial: dict[str, Any] = {
        "version": order.version,
        "placed_at": timezone.localtime(order.placed_at),
        "currency": order.currency,
        "gift_number": order.gift_recipient.number if order.gift_recipient else "",
        "gift_note": order.gift_note or "",
        "note": order.note or "",
        "shipping_cost": order.shipping_cost,
        "discount": order.discount,
    }
    for prefix, snapshot in (
        ("billing", order.billing),
        ("shipping", order.shipping if order.deviating else None),
    ):
        initial |= {f"{prefix}_{name}": value for name, value in (snapshot or {}).items()}
    return initial


def initial_line(line: OrderLine) -> dict[str, Any]:
    """A line as its form shows it."""
    rate = line.tax_rate
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity.normalize(),
        "unit_price": line.unit_price.quantize(Decimal("0.01")),
        "discount": line.discount,
        "tax_rate": f"{rate.normalize():f}" if rate is not None else "",
    }
