"""Input of the ground floor's pages: filters, the day calculator, the controller."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.contrib.auth import get_user_model
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datamap import days
from datamap.declarations import PERSONS
from datamap.models import Controller, RetentionRule

DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
ISO = ["%Y-%m-%d", "%d.%m.%Y"]


class DayField(days.DayField):
    """A date as the browser's picker sends it, or as Germans type it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=DAY, input_formats=ISO, **kwargs)


class DataMapFilterForm(forms.Form):
    """Which part of the data map to show; every field may stay empty."""

    area = forms.ChoiceField(label=_("Area"), required=False)
    person = forms.ChoiceField(label=_("Whose"), required=False)
    category = forms.ChoiceField(label=_("Category"), required=False)
    outcome = forms.ChoiceField(label=_("On an erasure request"), required=False)
    kept = forms.ChoiceField(
        label=_("Kept"),
        required=False,
        choices=[("", _("all")), ("sealed", _("sealed")), ("clear", _("clear"))],
    )

    def __init__(self, *args: Any, areas: list[tuple[str, str]], categories: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everything = ("", _("all"))
        for name, choices in {
            "area": areas,
            "person": list(PERSONS.items()),
            "category": [(key, key) for key in categories],
            "outcome": RetentionRule.OnRequest.choices,
        }.items():
            self.fields[name].choices = [everything, *choices]  # type: ignore[attr-defined]


class CategoryForm(forms.Form):
    """Which rule is asked: the first step, since the facts to be given depend on it."""

    key = forms.ChoiceField(label=_("Category"), widget=forms.Select(attrs={"class": "form-select"}))

    def __init__(self, *args: Any, keys: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["key"].choices = keys  # type: ignore[attr-defined]


class LastDayForm(forms.Form):
    """The facts from which the last day of one datum is computed: those that its rule uses, and no others."""

    # Calls count again from each use (UWG § 7a), a repair may extend a warranty once (BGB § 475e(5)).
    USED_BY: ClassVar[dict[str, str]] = {"last_use": "CONSENT-TEL", "contract": "WARR", "repaired": "WARR"}

    start = DayField(label=_("Start"))
    as_of = DayField(label=_("Law as of"), required=False, help_text=_("Empty: today."))
    last_use = DayField(label=_("Last call"), required=False)
    contract = DayField(label=_("Contract"), required=False)
    repaired = DayField(label=_("Repair"), required=False)

    def __init__(self, *args: Any, rule: RetentionRule, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, key in self.USED_BY.items():
            if key != rule.key:
                del self.fields[name]
        if rule.start_label:
            self.fields["start"].help_text = gettext(rule.start_label)


class RuleForm(forms.ModelForm):
    """The next version of a retention rule; the rule it follows stays as it is."""

    valid_from = DayField(label=_("Valid from"))
    review_on = DayField(label=_("Next review"), required=False)
    reason = forms.CharField(
        label=_("Reason of this version"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What has changed, such as the law and where it was published. It stays with the version."),
    )

    class Meta:
        model = RetentionRule
        fields: ClassVar[list[str]] = [
            "number", "unit", "year_end", "valid_from", "transition", "statute", "transition_statute", "action",
            "on_request", "review_on", "reason",
        ]  # fmt: skip
        help_texts: ClassVar[dict[str, Any]] = {
            "statute": _("POLICY where the shop sets the period itself."),
            "year_end": _("The period begins at the end of the year in which it starts."),
            "transition": _("As laws do it: what is past its last day under the old period by then stays deletable."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        units: Any = self.fields["unit"]
        units.choices = [("", _("none")), *RetentionRule.Unit.choices]
        for name, ways in (("action", RetentionRule.Action), ("on_request", RetentionRule.OnRequest)):
            field: Any = self.fields[name]
            field.choices = ways.choices  # the rule before has chosen already

    def clean(self) -> dict[str, Any]:
        """A number needs a unit, and a unit a number."""
        cleaned = super().clean() or {}
        number, unit = cleaned.get("number"), cleaned.get("unit")
        if "unit" in cleaned and number is not None and not unit:
            self.add_error("unit", _("Say whether these are days, months or years."))
        if number is None and "number" in cleaned:
            # OPEN: there is no period that a unit or a year end could belong to.
            cleaned["unit"], cleaned["year_end"] = "", False
        return cleaned


class ControllerForm(forms.ModelForm):
    """Who the shop is."""

    SECTIONS: ClassVar[list[tuple[Any, tuple[str, ...]]]] = [
        (_("Shop"), ("name", "street", "postcode", "city", "country", "email", "phone")),
        (_("Invoices"), ("vat_id", "tax_number")),
        (_("Dates"), ("seat", "land", "zone", "jurisdiction", "regional_holidays", "supervised_financial",
                      "execution_margin_days")),
        (_("Privacy officer"), ("officer_name", "officer_email", "officer_phone")),
        (_("Supervisory authority"), ("authority_name", "authority_contact")),
    ]  # fmt: skip

    class Meta:
        model = Controller
        exclude: ClassVar[list[str]] = ["id"]
        widgets: ClassVar[dict[str, Any]] = {"authority_contact": forms.Textarea(attrs={"rows": 3})}

    def sections(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields as the page groups them."""
        return [(title, [self[name] for name in names]) for title, names in self.SECTIONS]

    def clean_zone(self) -> str:
        """The zone must be one that this machine can compute with."""
        zone = self.cleaned_data["zone"]
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            message = _("There is no time zone of this name. Example: Europe/Berlin.")
            raise forms.ValidationError(message) from error
        return zone


class AccessLogForm(forms.Form):
    """Which accesses to show; sent by POST, since a customer number leads to a person."""

    customer_number = forms.CharField(label=_("Customer number"), required=False, max_length=64)
    staff = forms.ChoiceField(label=_("Staff"), required=False)
    first = DayField(label=_("From"), required=False)
    last = DayField(label=_("Until"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = get_user_model()._default_manager.order_by("pk")
        pairs = [(str(person.pk), name_of(person)) for person in people]
        named = sorted(pairs, key=lambda pair: pair[1].lower())
        self.fields["staff"].choices = [("", _("all")), *named]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A period that ends before it begins is a slip of the hand."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", _("The end lies before the beginning."))
        return cleaned


def name_of(person: Any) -> str:
    """A staff member as pages name them; the user model belongs to the floor above, so it is asked gently."""
    return str(getattr(person, "name", "") or person)
