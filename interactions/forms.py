"""What staff type about contacts, complaints and next steps."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from customers.models import Customer
from datamap.days import MomentField
from datamap.forms import DayField
from datamap.workdays import next_workday
from interactions.models import Complaint, Interaction
from staff.models import User

_CLOCK = "%Y-%m-%dT%H:%M"


def _local_now() -> str:
    return timezone.localtime().strftime(_CLOCK)


class FilesInput(forms.ClearableFileInput):
    """A file input that takes several files at once."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several uploaded files as a list; each no larger than `ATTACHMENT_MAX_BYTES`."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, (list, tuple)) else [data]
        cleaned = [super(FilesField, self).clean(file, initial) for file in files if file]
        limit = getattr(settings, "ATTACHMENT_MAX_BYTES", 10 * 1024 * 1024)
        if any(file.size > limit for file in cleaned):
            mebibytes = limit // 1024 // 1024
            raise forms.ValidationError(
                ngettext_lazy("A file is larger than %(size)d MiB.", "A file is larger than %(size)d MiB.", mebibytes)
                % {"size": mebibytes}
            )
        return cleaned


class ContactForm(forms.Form):
    """The quick log: type and content are enough, everything else has a sensible value already."""

    kind = forms.ChoiceField(label=_("Type"), choices=Interaction.Kind.choices)
    direction = forms.ChoiceField(label=_("Direction"), choices=Interaction.Direction.choices)
    occurred_at = MomentField(
        label=_("When"),
        input_formats=[_CLOCK, "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_CLOCK),
    )
    content = forms.CharField(
        label=_("Content"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 4, "autofocus": True})
    )
    outcome = forms.CharField(
        label=_("Outcome"), max_length=5_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    next_step = forms.CharField(label=_("Next step"), max_length=500, required=False)
    due_on = DayField(label=_("Due"), required=False, help_text=_("Empty: on the next working day."))
    owner = forms.ModelChoiceField(
        label=_("In charge"), queryset=User.objects.none(), required=False, empty_label=_("myself")
    )
    order_number = forms.CharField(
        label=_("Order number"), max_length=60, required=False, validators=[ProhibitNullCharactersValidator()]
    )
    complaint: forms.ModelChoiceField[Complaint] = forms.ModelChoiceField(
        label=_("Belongs to complaint"), queryset=Complaint.objects.none(), required=False, empty_label=_("none")
    )
    new_complaint = forms.CharField(
        label=_("Opens a complaint about"),
        max_length=300,
        required=False,
        help_text=_("Leave empty unless the customer complains."),
    )
    record_class = forms.ChoiceField(
        label=_("Kept as"),
        choices=Interaction.RecordClass.choices,
        required=False,
        help_text=_("Decides how long it is kept: enquiries 12 months, business letters 6 years, disputes 3 years."),
    )
    waits = forms.BooleanField(label=_("Still open: somebody has to answer or close it"), required=False)
    attachments = FilesField(label=_("Attachments"), required=False, widget=FilesInput(attrs={"multiple": True}))
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, customer: Customer, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        _offer(self.fields["owner"], colleagues(), "name")
        _offer(self.fields["complaint"], Complaint.objects.open().filter(customer=customer), "subject")
        for name, value in {"occurred_at": _local_now(), "owner": user.pk, "token": uuid.uuid4()}.items():
            self.initial.setdefault(name, value)

    def clean_occurred_at(self) -> Any:
        """A contact that is yet to come is a next step, not a contact."""
        when = self.cleaned_data["occurred_at"]
        if when > timezone.now() + timedelta(minutes=5):
            raise forms.ValidationError(_("This time has not come yet. What is planned belongs into the next step."))
        return when

    def clean_due_on(self) -> date | None:
        """What is still to be done cannot be due on a day that is over."""
        return refuse_past(self.cleaned_data["due_on"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("next_step") and "due_on" in data and not data["due_on"]:
            data["due_on"] = next_working_day(timezone.localdate())
        if data.get("due_on") and not data.get("next_step"):
            self.add_error("next_step", _("What is to be done on this day?"))
        if data.get("new_complaint") and data.get("complaint"):
            self.add_error("new_complaint", _("Choose the open complaint or name a new one, not both."))
        return data


class CloseForm(forms.Form):
    """How an open contact or a complaint ended."""

    outcome = forms.CharField(label=_("Outcome"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 3}))


class KeepOpenForm(forms.Form):
    """Why a complaint rightly stays open, and when somebody looks again."""

    review_on = DayField(label=_("Review on"), help_text=_("At most twelve months ahead."))
    reason = forms.CharField(
        label=_("Why it stays open"),
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[ProhibitNullCharactersValidator()],
    )


class PostponeForm(forms.Form):
    """Another day for a next step."""

    due_on = DayField(label=_("Due"))

    def clean_due_on(self) -> date | None:
        """A step cannot be put off into the past."""
        return refuse_past(self.cleaned_data["due_on"])


class HandOverForm(forms.Form):
    """Who takes the chosen steps."""

    owner = forms.ModelChoiceField(
        label=_("Hand over to"), queryset=User.objects.none(), empty_label=_("please choose")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["owner"], colleagues(), "name")


class ComplaintForm(forms.Form):
    """A complaint noted without a contact."""

    subject = forms.CharField(label=_("What is it about?"), max_length=300)
    order_number = forms.CharField(
        label=_("Order number"), max_length=60, required=False, validators=[ProhibitNullCharactersValidator()]
    )


def _offer(field: Any, rows: Any, label: str) -> None:
    """The rows a choice offers, each under the name it has for staff (`__str__` never holds personal data)."""
    field.queryset = rows
    field.label_from_instance = lambda row: getattr(row, label)


def colleagues() -> Any:
    """Everyone who may work on contacts, by name: a step given to anybody else would be lost."""
    return User.objects.who_may("interactions.log").order_by("name", "pk")


def refuse_past(day: date | None) -> date | None:
    """The day itself, unless it has passed. Raises ValidationError."""
    if day is not None and day < timezone.localdate():
        raise forms.ValidationError(_("This day has passed."))
    return day


def next_working_day(day: date) -> date:
    """The next day on which the shop works."""
    return next_workday(day + timedelta(days=1))
