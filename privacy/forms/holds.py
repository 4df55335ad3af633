"""Input of the pages of holds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.querysets import CustomerQuerySet
from datamap.forms import DayField
from datamap.models import RetentionRule
from privacy.holding import TAX_CATEGORIES
from privacy.models import Hold
from staff.models import User

REASON = forms.Textarea(attrs={"rows": 3})


class HoldForm(forms.Form):
    """A new hold; a tax matter names years and papers, everything else a person."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Hold.Kind.choices)
    customer = forms.CharField(
        label=_("Customer number"), required=False, max_length=64, help_text=_("Empty for a tax matter.")
    )
    order_number = forms.CharField(
        label=_("Order number"),
        required=False,
        max_length=60,
        help_text=_("Only this order stays; empty: everything about the person."),
    )
    first_year = forms.IntegerField(label=_("From year"), required=False, min_value=1990, max_value=2100)
    last_year = forms.IntegerField(label=_("To year"), required=False, min_value=1990, max_value=2100)
    categories = forms.MultipleChoiceField(
        label=_("Papers of a tax matter"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    owner = forms.ModelChoiceField(label=_("In charge"), queryset=User.objects.none(), empty_label=_("please choose"))
    review_on = DayField(label=_("Review on"), help_text=_("At most twelve months ahead."))
    reason = forms.CharField(label=_("Reason"), max_length=2_000, widget=REASON)

    def __init__(self, *args: Any, visible: CustomerQuerySet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.visible = visible
        papers = RetentionRule.objects.filter(key__in=TAX_CATEGORIES, variant="", version=1)
        names = {rule.key: gettext(rule.category) for rule in papers}
        named = [(key, f"{names.get(key, key)} ({key})") for key in TAX_CATEGORIES]
        self.fields["categories"].choices = named  # type: ignore[attr-defined]
        working: Any = User.objects.filter(is_active=True).order_by("name", "pk")
        self.fields["owner"].queryset = working  # type: ignore[attr-defined]
        self.fields["owner"].label_from_instance = lambda user: user.name  # type: ignore[attr-defined]

    def clean_customer(self) -> Customer | None:
        """The customer with this number whom the person may see."""
        number = self.cleaned_data["customer"].strip()
        if not number:
            return None
        found = self.visible.filter(Q(number=number)).first()
        if found is None:
            raise forms.ValidationError(_("There is no customer with this number."))
        return found


class ReviewForm(forms.Form):
    """Why a hold goes on, and until when."""

    review_on = DayField(label=_("Review on"), help_text=_("At most twelve months ahead."))
    reason = forms.CharField(label=_("Why it goes on"), max_length=2_000, widget=REASON)


class ReleaseForm(forms.Form):
    """Why a hold ends."""

    reason = forms.CharField(label=_("Why it ends"), max_length=2_000, widget=REASON)
