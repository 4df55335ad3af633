"""Form fields that read what staff type in the same way as everything else that comes in."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _
from stdnum.ch import vat as ch_vat
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as gb_vat

from customers import reading

# Blanks between figures; a point (or comma, in English) before each three of them.
_GROUPED = re.compile(r"(?<=[0-9])[ \u00a0\u202f](?=[0-9]{3}(?![0-9]))")
_THOUSANDS = {
    ".": re.compile(r"[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?"),
    ",": re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?"),
}
VAT_READERS = (eu_vat, ch_vat, gb_vat)


class AmountField(forms.DecimalField):
    """A number as it is spoken: in German 1.234,50, 1 234,5 or 1.000, and 11.90 as a cash register prints it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(localize=True, **kwargs)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = _GROUPED.sub("", value.strip())
            thousands = "." if get_format("DECIMAL_SEPARATOR") == "," else ","
            if _THOUSANDS[thousands].fullmatch(value):
                value = value.replace(thousands, "")
        return super().to_python(value)


class LineField(forms.CharField):
    """One line of text without control characters, each letter stored in one way."""

    clean_line = staticmethod(reading.clean_text)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        # A NUL is no slip of the keyboard: the validator refuses it, and what was typed stays in the field.
        return text if "\0" in text else reading.same_letters(self.clean_line(text)[0])


class ProseField(LineField):
    """Free text; line breaks stay."""

    clean_line = staticmethod(reading.clean_note)
    widget = forms.Textarea


class EmailField(LineField):
    """An e-mail address, kept as typed."""

    default_error_messages = {"invalid": _("This is no e-mail address.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 320)
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "email", "autocomplete": "off"}))
        super().__init__(**kwargs)

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and "\0" not in value and not reading.is_email(value):
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class PhoneField(LineField):
    """A phone number: E.164 where it can be read, as typed where not."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 60)
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}))
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        return text if "\0" in text else reading.read_phone(text) or text


class CountryField(LineField):
    """A country by its code or its German or English name."""

    default_error_messages = {"unknown": _("This country is not known. Write its code (DE) or its name.")}

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        if not text or "\0" in text:
            return text
        country = reading.read_country(text)
        if country is None:
            raise ValidationError(self.error_messages["unknown"], code="unknown")
        return country


class VatField(LineField):
    """A VAT id of the EU, Switzerland or the United Kingdom whose check digits are right."""

    default_error_messages = {
        "invalid": _("This is no valid VAT id; check the digits, or leave it empty if there is none.")
    }

    def to_python(self, value: Any) -> str:
        return reading.read_vat_id(super().to_python(value))[0]

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and "\0" not in value and not any(reader.is_valid(value) for reader in VAT_READERS):
            raise ValidationError(self.error_messages["invalid"], code="invalid")


class WordsField(LineField):
    """Words separated by commas, each once; a list in Python."""

    default_error_messages = {"long": _("“%(word)s” is too long: at most %(most)d characters fit.")}

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        self.longest = longest
        kwargs.setdefault("max_length", 2000)
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return self.clean(self.prepare_value(initial) or "") != self.clean(data or "")
        except ValidationError:
            return True

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        words = list(dict.fromkeys(word for part in text.split(",") if (word := " ".join(part.split()))))
        for word in words:
            if len(word) > self.longest:
                raise ValidationError(self.error_messages["long"], "long", {"word": word[:30], "most": self.longest})
        return words
