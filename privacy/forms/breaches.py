"""Input of the register of breaches."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from datamap.forms import DayField
from privacy.breach_law import breach_law
from privacy.instants import InstantField
from privacy.models import Breach, BreachRule

LONG = 10_000


def _text(label: Any, required: bool = True, rows: int = 4) -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=LONG, widget=forms.Textarea(attrs={"rows": rows}))


class BreachForm(forms.ModelForm):
    """What is known of a breach (Art. 33(3), (5)); it can be completed later."""

    aware_at = InstantField(
        label=_("Became aware"), help_text=_("The hours for telling the authority count from here.")
    )
    happened_at = InstantField(label=_("Happened"), required=False)
    facts = _text(_("What happened"))
    effects = _text(_("Likely consequences"), required=False)
    measures = _text(_("Measures taken or planned"), required=False)

    class Meta:
        model = Breach
        fields: ClassVar[list[str]] = [
            "title", "aware_at", "happened_at", "facts", "persons", "persons_count", "data", "records_count", "effects",
            "measures", "risk",
        ]  # fmt: skip
        help_texts: ClassVar[dict[str, Any]] = {
            "title": _("Without names of persons: it stands in lists."),
            "persons": _("Such as customers, staff."),
            "data": _("Such as e-mail addresses, orders."),
        }


class DecisionForm(forms.Form):
    """Whether the authority is told, and why or why not."""

    decision = forms.ChoiceField(label=_("Decision"), choices=[c for c in Breach.Decision.choices if c[0]])
    reasons = _text(_("Reasons of the decision"), required=False)


class NotifiedForm(forms.Form):
    """When the authority was told; late wants reasons."""

    notified_at = InstantField(label=_("Authority notified"))
    late_reasons = _text(_("Reasons for the delay"), required=False, rows=3)


class PersonsForm(forms.Form):
    """When and how the persons were told (Art. 34)."""

    persons_told_at = InstantField(label=_("Persons told"), required=False)
    persons_told = _text(_("How they were told, or why they need not be"), required=False, rows=3)


class EntryForm(forms.Form):
    """What became known later."""

    text = _text(_("What became known"), required=False, rows=3)
    told_authority_at = InstantField(label=_("Authority told of it"), required=False)


class BreachRuleForm(forms.ModelForm):
    """The next version of what the law wants after a breach; those before stay as they are."""

    valid_from = DayField(label=_("Valid from"), help_text=_("For breaches that become known from this day on."))

    class Meta:
        model = BreachRule
        fields: ClassVar[list[str]] = ["valid_from", "hours", "told_from", "statute", "reason"]
        widgets: ClassVar[dict[str, Any]] = {"reason": forms.Textarea(attrs={"rows": 3})}
        help_texts: ClassVar[dict[str, Any]] = {
            "reason": _("What has changed, such as the law and where it was published. It stays with the version."),
        }

    def clean_valid_from(self) -> date:
        """A version begins after its predecessor."""
        day: date = self.cleaned_data["valid_from"]
        before = breach_law().versions[-1].valid_from
        if before is not None and day <= before:
            raise forms.ValidationError(_("A version begins after its predecessor."))
        return day
