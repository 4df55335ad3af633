"""What staff type about customers: master data, the rows beside them, remarks, decisions, settings."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf.locale import LANG_INFO
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import reading
from customers.fields import CountryField, EmailField, LineField, PhoneField, ProseField, VatField, WordsField
from customers.models import Address, ContactPoint, Customer, Flag, HeldIntake, Preference
from customers.placing import DESK, PlacedText, box_of, text_label, texts_due
from customers.postal import POST, postal_hashes, read_postal
from customers.preferring import CHANNELS
from customers.suppression import hashes_of
from datamap.workdays import add_months
from staff.models import User

LANGUAGES = ("de", "en", "fr", "nl", "pl", "it", "es", "da", "cs", "sv", "tr", "ru", "uk", "ar")
REVIEW_MONTHS = 12
# Digits of the largest integer the column holds; Python refuses to read thousands of them.
LONGEST_VERSION = 10


def told_version(request: HttpRequest) -> int:
    """The version that a posted form was made from. Raises BadRequest for what no form of ours says."""
    told = request.POST.get("version", "")
    if not told.isdecimal() or len(told) > LONGEST_VERSION:
        raise BadRequest
    return int(told)


def day_input() -> forms.DateInput:
    """A date as browsers send it."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def languages(known: str = "") -> list[tuple[str, str]]:
    """The languages to choose from; one that is stored already stays in the list."""
    codes = dict.fromkeys((*LANGUAGES, *([known] if known else ())))
    return [(code, LANG_INFO.get(code, {}).get("name_local", code)) for code in codes]


class MasterForm(forms.Form):
    """Who the customer is, and what they like."""

    kind = forms.ChoiceField(
        label=_("Person or company"),
        choices=Customer.Kind.choices,
        widget=forms.RadioSelect,
        initial=Customer.Kind.PERSON,
    )
    salutation = forms.ChoiceField(label=_("Salutation"), choices=Customer.Salutation.choices, required=False)
    title = LineField(label=_("Title"), max_length=60, required=False)
    first_name = LineField(label=_("First name"), max_length=150, required=False)
    last_name = LineField(label=_("Last name"), max_length=150, required=False)
    company = LineField(label=_("Company"), max_length=200, required=False)
    vat_id = VatField(label=_("VAT id"), max_length=20, required=False)
    status = forms.ChoiceField(label=_("Status"), choices=Customer.Status.choices, initial=Customer.Status.ACCOUNT)
    language = forms.ChoiceField(label=_("Language"), initial="de")
    birthday_day = forms.IntegerField(
        label=_("Birthday, day"),
        min_value=1,
        max_value=31,
        required=False,
        help_text=_("Day and month only; no year is kept."),
    )
    birthday_month = forms.TypedChoiceField(
        label=_("Birthday, month"),
        choices=[("", "–"), *MONTHS.items()],
        coerce=int,
        empty_value=None,
        required=False,
    )
    tags = WordsField(label=_("Tags"), longest=60, required=False, help_text=_("Several are separated by commas."))
    channels = forms.MultipleChoiceField(
        label=_("Preferred channels"), choices=CHANNELS, widget=forms.CheckboxSelectMultiple, required=False
    )
    interests = WordsField(
        label=_("Interests"), longest=120, required=False, help_text=_("Several are separated by commas.")
    )
    said_by = forms.ChoiceField(
        label=_("Who said so?"),
        choices=[choice for choice in Preference.SaidBy.choices if choice[0] != Preference.SaidBy.FILE],
        initial=Preference.SaidBy.CUSTOMER,
        required=False,
        help_text=_("Counts for channels and interests that are new."),
    )

    def __init__(self, *args: Any, known: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """`known` are the values that stand; one of them that is not touched is not judged again."""
        super().__init__(*args, **kwargs)
        self.known = known or {}
        language: Any = self.fields["language"]
        language.choices = languages(self.known.get("language", ""))
        vat_id = self.known.get("vat_id", "")
        if vat_id and self.data.get("vat_id", "").strip() == vat_id:
            # Kept as an import brought it; whoever edits the street need not settle that now.
            self.fields["vat_id"] = LineField(label=self.fields["vat_id"].label, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        day, month = data.get("birthday_day"), data.get("birthday_month")
        if "birthday_day" in data and bool(day) != bool(month):
            self.add_error("birthday_day", gettext("A birthday has a day and a month."))
        elif day and month:
            try:
                date(2000, month, day)  # 2000 had a 29 February
            except ValueError:
                self.add_error("birthday_day", gettext("This month has no such day."))
        if data.get("kind") == Customer.Kind.COMPANY and "company" in data and not data["company"]:
            self.add_error("company", gettext("A company has a name."))
        return data


class CreateForm(MasterForm):
    """A new customer with one e-mail address, one phone number and one address, and the texts due at the desk."""

    email = EmailField(label=_("E-mail"), required=False)
    phone = PhoneField(label=_("Phone"), required=False)
    recipient = LineField(
        label=_("Recipient"), max_length=300, required=False, help_text=_("Only where it is not the name.")
    )
    street = LineField(label=_("Street and number"), max_length=300, required=False)
    postcode = LineField(label=_("Postcode"), max_length=20, required=False)
    city = LineField(label=_("City"), max_length=120, required=False)
    country = CountryField(label=_("Country"), max_length=60, required=False, initial="DE")
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.initial.setdefault("token", uuid.uuid4())
        self.texts = texts_due(DESK)
        for text in self.texts:
            self.fields[box_of(text)] = forms.BooleanField(label=text_label(text))

    def text_fields(self) -> list[tuple[forms.BoundField, PlacedText, bool]]:
        """The texts that are due, each with its box, and whether this person may open it."""
        return [(self[box_of(text)], text, self.user.may(text.permission)) for text in self.texts]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        named = ("first_name", "last_name", "company", "email")
        if not self.errors and not any(data.get(name) for name in named):
            self.add_error("last_name", gettext("Enter at least a name, a company or an e-mail address."))
        if data.get("postcode"):
            # Where no country is chosen, four figures may be whole: whoever types them sees them.
            data["postcode"] = reading.pad_postcode(data["postcode"], data.get("country", ""))
        data["texts"] = [text.id for text in self.texts]
        return data


class RowForm(forms.Form):
    """One row beside the master data; `id` is empty in a new one."""

    id = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, known: dict[int, dict[str, Any]] | None = None, **kwargs: Any) -> None:
        """`known` are the rows that stand, by id."""
        super().__init__(*args, **kwargs)
        self.known = known or {}

    def stands(self, name: str) -> Any:
        """The stored value of a field of this row, None in a new one."""
        return self.known.get(self.cleaned_data.get("id") or 0, {}).get(name)


class AddressForm(RowForm):
    """One postal address."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Address.Kind.choices, initial=Address.Kind.BILLING)
    recipient = LineField(label=_("Recipient"), max_length=300, required=False)
    street = LineField(label=_("Street and number"), max_length=300, required=False)
    postcode = LineField(label=_("Postcode"), max_length=20, required=False)
    city = LineField(label=_("City"), max_length=120, required=False)
    country = CountryField(label=_("Country"), max_length=60, required=False, initial="DE")
    is_default = forms.BooleanField(label=_("usual address"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not any(data.get(name) for name in ("street", "postcode", "city")):
            self.add_error("street", gettext("An address has a street, a postcode or a city; or tick “remove”."))
        return data


class PointForm(RowForm):
    """One e-mail address or phone number."""

    kind = forms.ChoiceField(label=_("Kind"), choices=ContactPoint.Kind.choices, initial=ContactPoint.Kind.EMAIL)
    value = LineField(label=_("Address or number"), max_length=320)
    label = LineField(label=_("Remark"), max_length=60, required=False)
    is_primary = forms.BooleanField(label=_("primary"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        value = data.get("value", "")
        if value and data.get("kind") == ContactPoint.Kind.EMAIL and not reading.is_email(value):
            # What an import brought may stay as it is; a new value is judged.
            if self.stands("value") != value:
                self.add_error("value", gettext("This is no e-mail address."))
        elif value and data.get("kind") == ContactPoint.Kind.PHONE:
            data["value"] = reading.read_phone(value) or value
        return data


class PersonForm(RowForm):
    """Someone who speaks for a company."""

    salutation = forms.ChoiceField(label=_("Salutation"), choices=Customer.Salutation.choices, required=False)
    first_name = LineField(label=_("First name"), max_length=150, required=False)
    last_name = LineField(label=_("Last name"), max_length=150)
    position = LineField(label=_("Position"), max_length=120, required=False)
    email = EmailField(label=_("E-mail"), required=False)
    phone = PhoneField(label=_("Phone"), required=False)


class RowSet(forms.BaseFormSet):
    """Rows of one kind, each with a box that removes it."""

    def add_fields(self, form: forms.Form, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("remove")


class NoteForm(forms.Form):
    """A remark about a customer."""

    text = ProseField(label=_("Note"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 6, "autofocus": True}))


class FlagForm(forms.Form):
    """A warning mark: why, and when somebody looks at it again."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Flag.Kind.choices, widget=forms.RadioSelect)
    reason = ProseField(label=_("Reason"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 3}))
    review_on = forms.DateField(
        label=_("Looked at again on"),
        widget=day_input(),
        help_text=_("At most twelve months from today: a suspicion does not stay for ever."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("review_on", add_months(timezone.localdate(), 6))

    def clean_review_on(self) -> date:
        """Between tomorrow and twelve months from now."""
        day = self.cleaned_data["review_on"]
        today = timezone.localdate()
        if not today + timedelta(days=1) <= day <= add_months(today, REVIEW_MONTHS):
            raise ValidationError(gettext("Choose a day between tomorrow and twelve months from now."))
        return day


class HeldForm(forms.Form):
    """What becomes of a held row."""

    decision = forms.ChoiceField(choices=HeldIntake.Decision.choices)
    number = LineField(max_length=60, required=False)
    other = LineField(label=_("Customer number"), max_length=60, required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        applied = data.get("decision") == HeldIntake.Decision.APPLIED
        if applied and not (data.get("number") or data.get("other")):
            self.add_error("other", gettext("Say to which customer the row belongs."))
        return data


class TagForm(forms.Form):
    """Another name for a tag; the name of an existing tag merges the two."""

    name = LineField(label=_("Name"), max_length=60)

    def clean_name(self) -> str:
        """A tag is one word or several, but no list."""
        name = " ".join(self.cleaned_data["name"].split())
        if "," in name:
            raise ValidationError(gettext("A tag has no comma: commas separate tags."))
        return name


class RangeForm(forms.Form):
    """Where the next customer number comes from."""

    prefix = LineField(  # type: ignore[assignment]
        label=_("Prefix"),
        max_length=10,
        required=False,
        help_text=_("Stands before each number; may be empty."),
    )
    next_value = forms.IntegerField(label=_("Next number"), min_value=1, max_value=10**15)

    def clean_prefix(self) -> str:
        """Numbers stand in addresses of pages, so a prefix holds letters, digits and dashes only."""
        prefix = self.cleaned_data["prefix"]
        if prefix and not prefix.replace("-", "").replace("_", "").isalnum():
            raise ValidationError(gettext("A prefix holds letters, digits and dashes only."))
        return prefix


class EndpointForm(forms.Form):
    """The question whether an address may be written to."""

    channel = forms.ChoiceField(
        label=_("Channel"), choices=[("email", _("E-mail")), ("phone", _("Phone")), (POST, _("Letter"))]
    )
    endpoint = LineField(
        label=_("Address or number"),
        max_length=320,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        value, channel = data.get("endpoint", ""), data.get("channel")
        if value and channel == "phone":
            data["endpoint"] = reading.read_phone(value) or ""
            if not data["endpoint"]:
                self.add_error("endpoint", gettext("This is no phone number."))
        elif value and channel == "email" and not reading.is_email(value):
            self.add_error("endpoint", gettext("This is no e-mail address."))
        elif value and channel == POST and read_postal(value) is None:
            self.add_error("endpoint", gettext("Write street, number and postcode: Hauptstr. 5, 20095 Hamburg."))
        return data

    @property
    def marks(self) -> list[bytes]:
        """What an entry of the list for this address or number may hold."""
        channel, value = self.cleaned_data["channel"], self.cleaned_data["endpoint"]
        found = read_postal(value) if channel == POST else None
        return postal_hashes(*found) if found else hashes_of(channel, value)
