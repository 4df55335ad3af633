"""Days and instants as people type them into forms: what can only be a slip of the keys is none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.utils import timezone

from datamap.workdays import is_on_earth

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Whoever types "26" into a picker gets the year 0026, whose rows the next night would delete."""


def is_slip(value: date) -> bool:
    """Whether nobody can mean this day, or an instant of it: not in the year 26, and not by a clock of no place."""
    astray = isinstance(value, datetime) and value.tzinfo is not None and not is_on_earth(value)
    return astray or not FIRST_YEAR <= value.year <= LAST_YEAR


class DayField(forms.DateField):
    """A day; one of the year 26 or 20260 is a slip of the keys."""

    def to_python(self, value: Any) -> date | None:
        day = super().to_python(value)
        if day is not None and is_slip(day):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class MomentField(forms.DateTimeField):
    """An instant; of an hour that comes twice the second, unless that is yet to come. One that never was is refused,
    and one of a year that nobody can mean."""

    def to_python(self, value: Any) -> datetime | None:
        moment = self._moment(value)
        if moment is not None and is_slip(moment):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return moment

    def _moment(self, value: Any) -> datetime | None:
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            if error.code != "ambiguous_timezone":
                raise
            first, second = both_readings((error.params or {})["datetime"])
            if second < first:
                raise
            return second if second <= timezone.now() else first


def both_readings(naive: datetime) -> tuple[datetime, datetime]:
    """When a clock on the wall shows this for the first and the second time; one instant but for one hour a year."""
    zone = timezone.get_current_timezone()
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second
