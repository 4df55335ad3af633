"""The form by which anybody signs up: an address, one unticked box for each purpose, and no account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from consents.ages import limit_of
from consents.offering import Offer
from customers.reading import clean_text, is_email
from datamap.controlling import controller

LONGEST_ADDRESS = 320


class SignUpForm(forms.Form):
    """What somebody typed; each box carries the fingerprint of the wording that stood beside it."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=LONGEST_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    born = forms.DateField(
        label=_("Date of birth"),
        required=False,
        help_text=_("Only to check your age; the date itself is not kept. You need not tell it."),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", "autocomplete": "bday"}),
    )
    # Nobody sees this field; what fills it in is a machine.
    website = forms.CharField(required=False, label=_("Leave this empty"))

    def __init__(self, *args: Any, offered: Sequence[Offer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = offered
        jurisdiction = controller().jurisdiction
        if not any(limit_of(offer.purpose, jurisdiction) for offer in offered):
            del self.fields["born"]
        for offer in offered:
            self.fields[f"yes-{offer.purpose.key}"] = forms.BooleanField(required=False, label=offer.name)
            self.fields[f"text-{offer.purpose.key}"] = forms.CharField(
                widget=forms.HiddenInput, required=False, initial=offer.wording.sha256
            )

    @property
    def choices(self) -> list[tuple[Offer, Any, Any]]:
        """Each offer with its box and the hidden field beside it."""
        return [(o, self[f"yes-{o.purpose.key}"], self[f"text-{o.purpose.key}"]) for o in self.offered]

    @property
    def is_machine(self) -> bool:
        """Whether the field was filled in that nobody sees."""
        return bool(self.cleaned_data.get("website"))

    @property
    def chosen(self) -> dict[str, str]:
        """Purpose -> fingerprint of the wording that was shown with it."""
        keys = [offer.purpose.key for offer in self.offered if self.cleaned_data.get(f"yes-{offer.purpose.key}")]
        return {key: self.cleaned_data[f"text-{key}"] for key in keys}

    @property
    def birth(self) -> date | None:
        """The date of birth, where somebody has told it."""
        return self.cleaned_data.get("born")

    def clean_email(self) -> str:
        """The address as typed, without what stands around it."""
        address, _lost = clean_text(self.cleaned_data["email"])
        if not is_email(address):
            raise ValidationError(_("This is no e-mail address."))
        return address

    def clean(self) -> dict[str, Any]:
        """At least one box is ticked."""
        cleaned = super().clean() or self.cleaned_data
        if not any(cleaned.get(f"yes-{offer.purpose.key}") for offer in self.offered):
            raise ValidationError(_("Choose what you would like to get."))
        return cleaned
