"""An instant in a form: date and time of the controller's clock, also in the hour that comes twice in autumn."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from datamap.controlling import legal_zone
from datamap.days import is_slip
from privacy.deadlines import UnfitDates, instant

PICKER = "%Y-%m-%dT%H:%M"
GERMAN = {"%d.%m.%Y %H:%M": PICKER, "%d.%m.%Y": "%Y-%m-%d"}


class InstantField(forms.DateTimeField):
    """Date and time as the browser's picker sends them; the hour that comes twice is the earlier one, which is the safe
    reading of a deadline. Where `day_alone` is allowed a date means its first instant, and both may be German."""

    def __init__(self, *, day_alone: bool = False, **kwargs: Any) -> None:
        widget = forms.DateTimeInput(format=PICKER, attrs={"type": "datetime-local"})
        self.day_alone = day_alone
        super().__init__(widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Stored instants as the controller's clock showed them."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(legal_zone()).replace(tzinfo=None)
        return value

    def to_python(self, value: Any) -> datetime | None:
        """An instant with its zone. Raises ValidationError for what is no date, and for what the clock skips."""
        if value in self.empty_values:
            return None
        text = str(value).strip()
        if self.day_alone:
            text = _from_german(text)
        elif "T" not in text and " " not in text:
            raise ValidationError(_("Give a date and a time."))
        try:
            if is_slip(datetime.fromisoformat(text)):
                raise ValidationError(self.error_messages["invalid"], code="invalid")
            return instant(text, legal_zone())
        except ValueError as error:
            if not isinstance(error, UnfitDates):
                raise ValidationError(self.error_messages["invalid"], code="invalid") from None
            raise ValidationError(_("There is no such time on this day.")) from None


def _from_german(text: str) -> str:
    for written, form in GERMAN.items():
        with suppress(ValueError):
            return datetime.strptime(text, written).strftime(form)
    return text
