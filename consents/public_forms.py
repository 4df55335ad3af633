"""The forms for people outside: signing up without an account, and passing a place at which texts are due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consents.ages import age_on, limit_of
from consents.offering import Offer
from consents.texts import Due
from customers.reading import clean_text, is_email
from datamap.controlling import controller

LONGEST_ADDRESS = 320
OLDEST = 125
"""Nobody has lived longer by much."""


class DueForm(forms.Form):
    """The texts that are due on a page: a box for each that must be accepted, and which versions were shown."""

    needed = _("Without this we cannot sign you up.")
    # The versions of the texts that the page showed.
    seen = forms.CharField(required=False, max_length=1_000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, due: Sequence[Due], language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.due, self.language = due, language
        for one in due:
            if one.must_accept:
                self.fields[_box(one)] = forms.BooleanField(
                    label=_("I accept: %s") % one.version.title(language), error_messages={"required": self.needed}
                )

    @property
    def texts(self) -> list[tuple[str, str, Any]]:
        """Title and wording of each text that is due, and its box where it must be accepted."""
        return [
            (
                one.version.title(self.language),
                one.version.body(self.language),
                self[_box(one)] if one.must_accept else None,
            )
            for one in self.due
        ]

    @property
    def seen_now(self) -> str:
        """How the form names the versions that it shows."""
        return ".".join(str(one.version.pk) for one in self.due)

    @property
    def is_stale(self) -> bool:
        """Whether something that was shown has another wording by now."""
        return self.is_bound and self.data.get("seen", "") != self.seen_now


class PassForm(DueForm):
    """The answer of a customer at a place."""

    needed = _("Tick this if you accept it. Otherwise choose the other button.")

    @property
    def asks(self) -> bool:
        """Whether anything must be accepted: being shown a text, nobody is asked."""
        return any(one.must_accept for one in self.due)

    @property
    def passed(self) -> set[int]:
        """The versions (ids) that were ticked, and those that were shown."""
        return {one.version.pk for one in self.due if not one.must_accept or self.cleaned_data.get(_box(one))}


class SignUpForm(DueForm):
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
            self.fields[f"text-{offer.purpose.key}"] = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_born(self) -> date | None:
        """A slip of the keys checks no age: neither the year 85 nor one to come is when somebody was born."""
        born: date | None = self.cleaned_data["born"]
        if born and not 0 <= age_on(born, timezone.localdate()) <= OLDEST:
            raise ValidationError(_("This cannot be a date of birth."))
        return born

    @property
    def choices(self) -> list[tuple[Offer, Any, bool]]:
        """Each offer with its box, and whether it was ticked for the wording that stands beside it now."""
        return [(o, self[f"yes-{o.purpose.key}"], self._is_ticked(o)) for o in self.offered]

    @property
    def is_stale(self) -> bool:
        """Whether something that was ticked or shown has another wording by now."""
        if not self.is_bound:
            return False
        ticked = [offer for offer in self.offered if self.data.get(f"yes-{offer.purpose.key}")]
        return super().is_stale or not all(map(self._is_ticked, ticked))

    def _is_ticked(self, offer: Offer) -> bool:
        key = offer.purpose.key
        return bool(self.data.get(f"yes-{key}")) and self.data.get(f"text-{key}") == offer.wording.sha256

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


def _box(due: Due) -> str:
    # The version stands in the name: what was ticked for another one does not count for this one.
    return f"accept-{due.version.pk}"
