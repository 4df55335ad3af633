"""What people type about orders becomes clean values here."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.fields import AmountField
from datamap.days import DayField
from orders.models import FieldRule, Order, OrderLine, OrderType, Return

MOST = Decimal("9999999.99")


class FilterForm(forms.Form):
    """The filters of the list; nothing in them is about a person, so they may stand in the address."""

    number = forms.CharField(label=gettext_lazy("Order number"), required=False, max_length=120)
    status = forms.ChoiceField(label=gettext_lazy("Status"), required=False)
    payment = forms.ChoiceField(label=gettext_lazy("Payment"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    currency = forms.RegexField(
        r"^[A-Z]{3}$", label=gettext_lazy("Currency"), required=False, max_length=3, empty_value=""
    )
    begin = DayField(label=gettext_lazy("From"), required=False)
    end = DayField(label=gettext_lazy("Until"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("status", Order.Status.choices),
            ("payment", Order.Payment.choices),
            ("kind", Order.Kind.choices),
        ):
            self.fields[name].choices = [("", _("all")), *choices]  # type: ignore[attr-defined]
        for name in ("begin", "end"):
            self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        for field in self.fields.values():
            choice = isinstance(field, forms.ChoiceField)
            field.widget.attrs["class"] = "form-select" if choice else "form-control"
        self.fields["currency"].widget.attrs["size"] = 4

    def choosers(self) -> list[forms.BoundField]:
        """The filters with a box of their own; a number is typed into the search."""
        return [field for field in self if field.name not in {"number", "begin", "end"}]

    def days(self) -> list[forms.BoundField]:
        """The period, whose two ends stay side by side."""
        return [self["begin"], self["end"]]


def not_ahead(at: datetime) -> None:
    """Refuse an instant to come: no purchase yet, and a slip of the year would keep its customer for ever."""
    if at > timezone.now() + timedelta(minutes=5):
        raise forms.ValidationError(_("This time has not come yet."))


def text_field(label: Any, length: int, *, required: bool = False, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=length, required=required, widget=forms.TextInput(attrs=attrs or None)
    )


def amount_field(label: Any, **given: Any) -> AmountField:
    given = {"min_value": Decimal(0), "max_value": MOST, "decimal_places": 2, "required": False, **given}
    return AmountField(label=label, **given)


class CreditForm(forms.Form):
    """How much of an invoice is given back, and why."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    gross = amount_field(gettext_lazy("Amount"), required=True, min_value=Decimal("0.01"))
    reason = text_field(gettext_lazy("Reason on the paper"), 200)


class ReturnForm(forms.Form):
    """Which goods come back; one number field for each line that can."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.ChoiceField(label=gettext_lazy("Reason"), choices=Return.Reason.choices)
    note = forms.CharField(
        label=gettext_lazy("Note"), required=False, max_length=2_000, widget=forms.Textarea({"rows": 2})
    )

    def __init__(self, *args: Any, lines: list[tuple[OrderLine, Decimal]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for line, left in lines:
            self.fields[f"line_{line.pk}"] = amount_field(
                _("%(article)s (up to %(left)s)")
                % {"article": line.name or line.sku or line.position, "left": f"{left.normalize():f}"},
                max_value=left,
                decimal_places=3,
            )
        self.order_fields([name for name in self.fields if name.startswith("line_")])

    def quantities(self) -> dict[int, Decimal]:
        """Line id -> how many come back."""
        names = [name for name in self.fields if name.startswith("line_")]
        return {int(name[5:]): self.cleaned_data.get(name) or Decimal(0) for name in names}


class RefundForm(forms.Form):
    """How much of a return is paid back."""

    amount = amount_field(gettext_lazy("Amount to refund"), required=True)


class OrderTypeForm(forms.ModelForm):
    """An order type with one rule for each field it may ask for."""

    class Meta:
        model = OrderType
        fields = ["name", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = {rule.field: rule.rule for rule in self.instance.rules.all()} if self.instance.pk else {}
        for key, label in FieldRule.Field.choices:
            self.fields[f"rule_{key}"] = forms.ChoiceField(
                label=label, choices=FieldRule.Rule.choices, initial=rules.get(key, FieldRule.Rule.OPTIONAL)
            )

    def save(self, commit: bool = True) -> OrderType:
        """Save the type with all its rules."""
        saved = super().save(commit)
        for key in FieldRule.Field.values:
            saved.rules.update_or_create(field=key, defaults={"rule": self.cleaned_data[f"rule_{key}"]})
        return saved
