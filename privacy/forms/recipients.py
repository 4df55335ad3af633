"""Input of the pages of recipients, disclosures and notices."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.reading import is_email, read_country
from datamap.declarations import Basis
from datamap.forms import DayField
from privacy.instants import InstantField
from privacy.models import Recipient
from privacy.recipients import is_third_country

NOTE = forms.Textarea(attrs={"rows": 3})


class RecipientForm(forms.ModelForm):
    """Who receives data; a third country wants a safeguard (Art. 44 GDPR)."""

    email = forms.CharField(
        label=_("E-mail"), required=False, max_length=254, help_text=_("Notices of Art. 19 go there by themselves.")
    )
    contact = forms.CharField(label=_("Contact"), required=False, max_length=1_000, widget=NOTE)
    country = forms.CharField(label=_("Country"), max_length=60, help_text=_("Where the data go, such as DE."))
    since = DayField(label=_("Since"), required=False)
    until = DayField(label=_("Until"), required=False)

    class Meta:
        model = Recipient
        fields: ClassVar[list[str]] = [
            "name", "kind", "role", "email", "contact", "language", "country", "safeguard", "purposes", "data",
            "contract", "since", "until",
        ]  # fmt: skip
        help_texts: ClassVar[dict[str, Any]] = {
            "kind": _("Ties the recipient to the data that go there every day."),
            "contract": _("Contract of Art. 28: date and where it lies."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles: Any = self.fields["role"]
        roles.choices = [("", _("please choose")), *Recipient.Role.choices]

    def clean_email(self) -> str:
        """An address that mails can go to."""
        email = self.cleaned_data["email"].strip()
        if email and not is_email(email):
            raise forms.ValidationError(_("This is no e-mail address."))
        return email

    def clean_country(self) -> str:
        """The code of a country that exists."""
        code = read_country(self.cleaned_data["country"].strip())
        if code is None:
            raise forms.ValidationError(_("There is no such country."))
        return code

    def clean(self) -> dict[str, Any]:
        """Outside the EEA nothing goes without a safeguard; an end lies after its beginning."""
        cleaned = super().clean() or {}
        country, since, until = cleaned.get("country"), cleaned.get("since"), cleaned.get("until")
        if country and is_third_country(country) and not cleaned.get("safeguard"):
            self.add_error("safeguard", _("A country outside the EEA wants a safeguard (Art. 44 GDPR)."))
        if since and until and until < since:
            self.add_error("until", _("The end lies before the beginning."))
        return cleaned


class DisclosureForm(forms.Form):
    """What went to whom about one person."""

    recipient = forms.ModelChoiceField(
        label=_("Recipient"), queryset=Recipient.objects.none(), empty_label=_("please choose")
    )
    at = InstantField(label=_("When"))
    data = forms.CharField(  # type: ignore[assignment]  # a field, which the form takes out of the class
        label=_("Categories of data"), max_length=300, help_text=_("Such as name, address.")
    )
    purpose = forms.CharField(label=_("Purpose"), max_length=200)
    basis = forms.ChoiceField(label=_("Legal basis"), choices=[(one.value, one.label) for one in Basis])
    note = forms.CharField(label=_("Note"), required=False, max_length=2_000, widget=NOTE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].queryset = Recipient.objects.all()  # type: ignore[attr-defined]
        self.fields["recipient"].label_from_instance = lambda one: one.name  # type: ignore[attr-defined]


class ErasedDisclosureForm(DisclosureForm):
    """The same about somebody who is erased: only the recipient can still find the person."""

    known_by = forms.CharField(
        label=_("By what the recipient finds the person"),
        max_length=300,
        help_text=_("Such as its own number for them. It goes once the recipient was told."),
    )


class SettleForm(forms.Form):
    """How a recipient was told, or why that is impossible."""

    reason = forms.CharField(label=_("How, or why not"), max_length=2_000, widget=NOTE)
