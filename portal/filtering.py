"""The words and filters by which the customer list is narrowed, as a form and as stored values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import formats
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from customers.countries import country_name
from customers.fields import AmountField
from customers.models import Customer, Tag
from customers.reading import read_country
from datamap.days import DayField

ANY = ("", _("any"))
YES_NO = [ANY, ("yes", _("yes")), ("no", _("no"))]


class FilterForm(forms.Form):
    """One field for each filter; an empty field does not filter."""

    words = forms.CharField(
        label=_("Name, number, company, town, postcode, e-mail, phone"), max_length=200, required=False
    )
    status = forms.ChoiceField(label=_("Status"), choices=[ANY, *Customer.Status.choices], required=False)
    kind = forms.ChoiceField(label=_("Kind"), choices=[ANY, *Customer.Kind.choices], required=False)
    tag = forms.ModelChoiceField(label=_("Tag"), queryset=Tag.objects.none(), required=False, empty_label=_("any"))
    country = forms.CharField(label=_("Country"), max_length=60, required=False)
    postcode = forms.CharField(label=_("Postcode begins with"), max_length=20, required=False)
    city = forms.CharField(label=_("Town"), max_length=120, required=False)
    revenue_from = AmountField(label=_("Revenue from"), max_digits=14, decimal_places=2, required=False)
    revenue_to = AmountField(label=_("Revenue up to"), max_digits=14, decimal_places=2, required=False)
    active_from = DayField(label=_("Last active from"), required=False)
    active_to = DayField(label=_("Last active up to"), required=False)
    complaints = forms.ChoiceField(label=_("Open complaints"), choices=YES_NO, required=False)
    advertising_stop = forms.ChoiceField(label=_("Advertising stop"), choices=YES_NO, required=False)
    deactivated = forms.ChoiceField(label=_("Deactivated"), choices=YES_NO, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tag"].queryset = Tag.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["tag"].label_from_instance = lambda tag: tag.name  # type: ignore[attr-defined]
        for name in ("active_from", "active_to"):
            self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        self.fields["words"].widget = forms.TextInput(attrs={"type": "search", "autocomplete": "off"})

    def clean_words(self) -> str:
        """Without control characters, which no name holds and PostgreSQL refuses."""
        return "".join(c if c.isprintable() else " " for c in self.cleaned_data["words"]).strip()

    def clean_country(self) -> str:
        """A name or two letters."""
        if not (typed := self.cleaned_data["country"]):
            return ""
        if not (code := read_country(typed)):
            raise forms.ValidationError(gettext("No country that we know, such as Austria or AT."))
        return code

    def clean(self) -> dict[str, Any]:
        """A range that ends before it begins finds nobody: say so."""
        values = super().clean() or {}
        for low, high in (("revenue_from", "revenue_to"), ("active_from", "active_to")):
            if values.get(low) is not None and values.get(high) is not None and values[low] > values[high]:
                self.add_error(high, gettext("The end lies before the beginning."))
        return values

    def stored(self) -> dict[str, Any]:
        """What is kept of the cleaned values: JSON, without what does not filter."""
        return {name: _plain(value) for name, value in self.cleaned_data.items() if value not in ("", None)}


def _plain(value: Any) -> Any:
    if isinstance(value, Tag):
        return value.pk
    if isinstance(value, Decimal | date):
        return str(value)
    return value


def form_for(stored: dict[str, Any]) -> FilterForm:
    """The form as it shows a stored query."""
    initial = dict(stored)
    for name in ("revenue_from", "revenue_to"):
        if name in initial:
            initial[name] = Decimal(initial[name])
    for name in ("active_from", "active_to"):
        if name in initial:
            initial[name] = date.fromisoformat(initial[name])
    return FilterForm(initial=initial)


def active_filters(stored: dict[str, Any], tag_name: str = "") -> Iterator[tuple[str, str]]:
    """Name and everyday words of each filter in use, for the chips above the list."""
    choices: dict[str, dict[str, Any]] = {
        "status": dict(Customer.Status.choices),
        "kind": dict(Customer.Kind.choices),
        "complaints": {"yes": gettext("open complaints"), "no": gettext("no open complaints")},
        "advertising_stop": {"yes": gettext("advertising stop"), "no": gettext("no advertising stop")},
        "deactivated": {"yes": gettext("deactivated"), "no": gettext("not deactivated")},
    }
    sentences = {
        "words": gettext("“%s”"),
        "tag": gettext("tag %s"),
        "country": gettext("country %s"),
        "postcode": gettext("postcode %s*"),
        "city": gettext("town %s"),
        "revenue_from": gettext("revenue from %s €"),
        "revenue_to": gettext("revenue up to %s €"),
        "active_from": gettext("active since %s"),
        "active_to": gettext("active until %s"),
    }
    for name in FilterForm.base_fields:
        if name not in stored:
            continue
        value = stored[name]
        if name in choices:
            yield name, str(choices[name].get(value, value))
        elif name == "tag":
            yield name, sentences[name] % tag_name
        elif name == "country":
            yield name, sentences[name] % country_name(value, get_language() or "de")
        elif name.startswith("active"):
            yield name, sentences[name] % formats.date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT")
        elif name.startswith("revenue"):
            yield (
                name,
                sentences[name] % formats.number_format(Decimal(value).normalize(), force_grouping=True),
            )
        else:
            yield name, sentences[name] % value
