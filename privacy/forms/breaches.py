"""Input of the register of breaches."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from privacy.instants import InstantField
from privacy.models import Breach

LONG = 10_000


def _text(label: Any, required: bool = True, rows: int = 4) -> forms.CharField:
    return forms.CharField(label=label, required=required, max_length=LONG, widget=forms.Textarea(attrs={"rows": rows}))


class BreachForm(forms.ModelForm):
    """What is known of a breach (Art. 33(3), (5)); it can be completed later."""

    aware_at = InstantField(label=_("Became aware"), help_text=_("The 72 hours count from here."))
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
