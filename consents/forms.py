"""What staff type about purposes, texts and consents becomes clean values here."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

from consents.ages import ages_as_typed
from consents.events import WITH_ENDPOINT, Channel, Kind, Wording
from consents.models import LegalText, LegalTextVersion, Placement, Purpose
from consents.taking import SOURCES
from consents.texts import LANGUAGES, published, reader_language, today
from customers.placing import SIGN_UP, places
from datamap.days import DayField, MomentField, both_readings
from mail.models import MessageClass

CLOCK = "%Y-%m-%dT%H:%M"
CLOCKS = [CLOCK, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"]
_AGES = re.compile(r"([A-Z]{2})\s*:?\s*(\d{1,2})")
BODY_MOST = 200_000
NOTE_MOST = 5_000


def moment_field(label: Any, **given: Any) -> forms.DateTimeField:
    """An instant, as a browser's picker or a person writes it."""
    widget = forms.DateTimeInput(format=CLOCK, attrs={"type": "datetime-local"})
    return MomentField(label=label, input_formats=CLOCKS, widget=widget, **given)


def day_field(label: Any, **given: Any) -> forms.DateField:
    """A day."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return DayField(label=label, widget=widget, **given)


class PurposeForm(forms.ModelForm):
    """A purpose; its key is chosen once."""

    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Channels"), choices=Channel.choices, widget=forms.CheckboxSelectMultiple
    )
    minimum_age = forms.CharField(
        label=gettext_lazy("Minimum age by country"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Such as DE 16, AT 14. Leave it empty where age does not matter."),
    )

    class Meta:
        model = Purpose
        fields: ClassVar[list[str]] = [
            "key", "name_de", "name_en", "description_de", "description_en", "basis", "channels", "advertising",
            "double_opt_in", "existing_customers", "message_class", "minimum_age", "warn_months", "stale_months",
            "position",
        ]  # fmt: skip
        widgets: ClassVar[dict[str, Any]] = {
            "description_de": forms.Textarea({"rows": 2}),
            "description_en": forms.Textarea({"rows": 2}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["key"]
            self.initial["minimum_age"] = ages_as_typed(self.instance.minimum_age or {})
        classes: Any = self.fields["message_class"]
        classes.choices = [("", gettext_lazy("no mails")), *MessageClass.choices]

    def clean_minimum_age(self) -> dict[str, int]:
        """Country -> age."""
        said = self.cleaned_data["minimum_age"].upper().strip()
        found: dict[str, int] = {}
        for part in filter(None, (part.strip() for part in said.replace(";", ",").split(","))):
            fits = _AGES.fullmatch(part)
            if fits is None or not 1 <= int(fits[2]) <= 18:
                raise forms.ValidationError(_("Give a country as two letters and an age, such as DE 16."))
            if found.setdefault(fits[1], int(fits[2])) != int(fits[2]):
                raise forms.ValidationError(_("A country has one minimum age."))
        return found

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        warn, stale = data.get("warn_months"), data.get("stale_months")
        for name, months in (("warn_months", warn), ("stale_months", stale)):
            if months == 0:
                self.add_error(name, _("Leave it empty where a consent never gets stale."))
        if warn and not stale:
            self.add_error("stale_months", _("Say as well from when on the consent is stale."))
        if warn and stale and warn >= stale:
            self.add_error("warn_months", _("The warning comes before the consent is stale."))
        if data.get("existing_customers") and Channel.EMAIL not in (data.get("channels") or ()):
            self.add_error("existing_customers", _("§ 7(3) UWG allows e-mail alone."))
        needs_consent = data.get("advertising") and set(data.get("channels") or ()) & WITH_ENDPOINT
        if needs_consent and data.get("basis") != Purpose.Basis.CONSENT:
            self.add_error("basis", _("Advertising by mail, message or phone needs a consent (§ 7(2) UWG)."))
        return data


class TextForm(forms.ModelForm):
    """A new legal text; what it says stands in its versions."""

    class Meta:
        model = LegalText
        fields: ClassVar[list[str]] = ["key", "kind", "purpose"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["purpose"]
        field.label_from_instance = lambda purpose: purpose.name
        field.empty_label = pgettext_lazy("purpose", "none")
        kinds: Any = self.fields["kind"]
        kinds.choices = [("", gettext_lazy("please choose")), *LegalText.Kind.choices]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("kind") == LegalText.Kind.CONSENT and not data.get("purpose"):
            self.add_error("purpose", _("The wording of a consent belongs to one purpose (Art. 7(2) GDPR)."))
        return data


class VersionForm(forms.Form):
    """The draft of a version in both languages."""

    title_de = forms.CharField(label=gettext_lazy("Title in German"), max_length=200, required=False)
    body_de = forms.CharField(
        label=gettext_lazy("Text in German"), max_length=BODY_MOST, required=False, widget=forms.Textarea({"rows": 14})
    )
    title_en = forms.CharField(label=gettext_lazy("Title in English"), max_length=200, required=False)
    body_en = forms.CharField(
        label=gettext_lazy("Text in English"), max_length=BODY_MOST, required=False, widget=forms.Textarea({"rows": 14})
    )
    valid_from = day_field(gettext_lazy("Valid from"), initial=today)


class PlacementForm(forms.ModelForm):
    """Which text is due where."""

    place = forms.ChoiceField(label=gettext_lazy("Place"))

    class Meta:
        model = Placement
        fields: ClassVar[list[str]] = ["place", "text", "demand", "position"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = list(places().items())  # type: ignore[attr-defined]
        field: Any = self.fields["text"]
        field.label_from_instance = lambda text: f"{text.get_kind_display()}: {text.key}"
        field.empty_label = gettext_lazy("please choose")
        demands: Any = self.fields["demand"]
        demands.choices = Placement.Demand.choices

    def clean(self) -> dict[str, Any]:
        """A consent is free (Art. 7(4) GDPR): it has a box of its own with its purpose, and is no condition."""
        data = super().clean() or self.cleaned_data
        text, is_demanded = data.get("text"), data.get("demand") == Placement.Demand.ACCEPT
        if text and text.kind == LegalText.Kind.CONSENT and (is_demanded or data.get("place") == SIGN_UP):
            self.add_error(
                "text", _("The wording of a consent stands beside its own box and is no condition (Art. 7(4)).")
            )
        return data


class ScansInput(forms.ClearableFileInput):
    """A file input that takes several files at once."""

    allow_multiple_selected = True


class ScansField(forms.FileField):
    """Scanned pages as a list; each no larger than `ATTACHMENT_MAX_BYTES`."""

    widget = ScansInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list | tuple) else [data]
        cleaned = [super(ScansField, self).clean(file, initial) for file in files if file]
        limit = settings.ATTACHMENT_MAX_BYTES
        if any(file.size > limit for file in cleaned):
            mebibytes = limit // 1024 // 1024
            raise forms.ValidationError(
                ngettext_lazy("A file is larger than %(size)d MiB.", "A file is larger than %(size)d MiB.", mebibytes)
                % {"size": mebibytes}
            )
        return cleaned


def wording_choices(purpose: Purpose) -> list[tuple[str, str]]:
    """Every published wording of a purpose in both languages, the newest first."""
    versions = published().filter(text__kind=LegalText.Kind.CONSENT, text__purpose=purpose)
    own, names = reader_language(), {"de": _("German"), "en": _("English")}
    order = sorted(LANGUAGES, key=lambda language: language != own)
    return [
        (
            f"{version.pk}.{language}",
            " · ".join((version.title(language), _("version %d") % version.number, names[language])),
        )
        for version in versions.order_by("-valid_from", "-pk")
        for language in order
    ]


def wording_of(key: str) -> Wording | None:
    """The wording behind a choice."""
    pk, _dot, language = key.partition(".")
    version = LegalTextVersion.objects.filter(pk=pk).select_related("text").first() if pk.isdigit() else None
    return version.wording(language) if version and version.published_at else None


class TakeDownForm(forms.Form):
    """What a customer said about one purpose."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    choice = forms.ChoiceField(label=gettext_lazy("Channel"))
    agrees = forms.ChoiceField(
        label=gettext_lazy("The person says"),
        choices=[("yes", gettext_lazy("yes, agrees")), ("no", gettext_lazy("no, does not agree"))],
        widget=forms.RadioSelect,
    )
    source = forms.ChoiceField(label=gettext_lazy("How"))
    at = moment_field(
        gettext_lazy("When it was said"), required=False, help_text=gettext_lazy("Leave it empty for just now.")
    )
    wording = forms.ChoiceField(label=gettext_lazy("Wording that was read out or shown"), required=False)
    note = forms.CharField(
        label=gettext_lazy("What was said"),
        required=False,
        max_length=NOTE_MOST,
        widget=forms.Textarea({"rows": 3}),
        validators=[ProhibitNullCharactersValidator()],
        help_text=gettext_lazy("It is sealed with the entry and cannot be changed afterwards."),
    )
    scans = ScansField(
        label=gettext_lazy("Scan of the paper"),
        required=False,
        widget=ScansInput(attrs={"multiple": True, "accept": "application/pdf,image/*"}),
    )
    signed = forms.BooleanField(
        label=gettext_lazy("The person has signed this since their no; the scan shows day, purpose and number"),
        required=False,
    )

    def __init__(
        self, *args: Any, purpose: Purpose, choices: list[tuple[str, str]], asks_signed: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not asks_signed:
            del self.fields["signed"]
        self.fields["choice"].choices = choices  # type: ignore[attr-defined]
        self.fields["source"].choices = [(one.value, one.label) for one in SOURCES]  # type: ignore[attr-defined]
        wordings = wording_choices(purpose)
        self.fields["wording"].choices = [*wordings, ("", "–")]  # type: ignore[attr-defined]
        self.initial.setdefault("token", uuid4())
        self.initial.setdefault("agrees", "yes")
        self.initial.setdefault("wording", wordings[0][0] if wordings else "")
        self.has_wording = bool(wordings)

    def clean_at(self) -> datetime | None:
        """Nobody has said yet what is yet to come; a minute belongs to the clocks."""
        return not_yet(self.cleaned_data["at"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("agrees") == "yes" and not data.get("wording") and "wording" not in self.errors:
            self.add_error("wording", _("Say which published wording the person heard or read."))
        return data


class LedgerForm(forms.Form):
    """The filters of the ledger; nothing in them is about a person."""

    kind = forms.ChoiceField(label=gettext_lazy("Event"), required=False)
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose"), required=False)
    begin = day_field(gettext_lazy("From"), required=False)
    end = day_field(gettext_lazy("Until"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        purposes = [(purpose.key, purpose.name) for purpose in Purpose.objects.all()]
        self.fields["kind"].choices = [("", _("all")), *Kind.choices]  # type: ignore[attr-defined]
        self.fields["purpose"].choices = [("", _("all")), *purposes]  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if isinstance(field, forms.ChoiceField) else "form-control"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("begin") and data.get("end") and data["begin"] > data["end"]:
            self.add_error("end", _("The end comes after the beginning."))
        return data


class AnswerForm(forms.Form):
    """Which answer, at which moment."""

    purpose = forms.ChoiceField(label=gettext_lazy("Purpose"))
    choice = forms.ChoiceField(label=gettext_lazy("Channel"))
    at = moment_field(gettext_lazy("At"), required=False, help_text=gettext_lazy("Leave it empty for just now."))
    first = forms.BooleanField(
        label=gettext_lazy("This hour came twice: the first one is meant, in summer time"), required=False
    )

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purpose"].choices = [(p.key, p.name) for p in Purpose.objects.all()]  # type: ignore[attr-defined]
        self.fields["choice"].choices = choices  # type: ignore[attr-defined]
        self.comes_twice = False

    def clean_at(self) -> datetime:
        """The future has no answer."""
        return not_yet(self.cleaned_data["at"]) or timezone.now()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if at := data.get("at"):
            first, second = both_readings(timezone.make_naive(at))
            self.comes_twice = first != second
            data["at"] = first if self.comes_twice and data.get("first") else at
        return data


class ProveForm(forms.Form):
    """What proves an opt-in that an import asserts."""

    endpoint = forms.ChoiceField(label=gettext_lazy("Address or number"))
    at = moment_field(gettext_lazy("When the person consented"))
    confirmed = forms.BooleanField(
        label=gettext_lazy("The person confirmed it from exactly this address (double opt-in)"), required=False
    )
    wording = forms.ChoiceField(label=gettext_lazy("Wording that the person saw"), required=False)
    note = forms.CharField(
        label=gettext_lazy("What proves it"),
        max_length=NOTE_MOST,
        widget=forms.Textarea({"rows": 3}),
        validators=[ProhibitNullCharactersValidator()],
        help_text=gettext_lazy("Such as where the form lies, or the line of the old system's log."),
    )

    def __init__(self, *args: Any, purpose: Purpose, endpoints: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["endpoint"].choices = endpoints  # type: ignore[attr-defined]
        self.fields["wording"].choices = [("", _("not known")), *wording_choices(purpose)]  # type: ignore[attr-defined]

    def clean_at(self) -> datetime:
        """A consent lies in the past."""
        at = not_yet(self.cleaned_data["at"])
        assert at is not None
        return at


def not_yet(at: datetime | None) -> datetime | None:
    """The moment, unless it is yet to come: a minute is granted to the clocks, and counts as now."""
    now = timezone.now()
    if at is None or at <= now:
        return at
    if at <= now + timedelta(minutes=1):
        return now
    raise forms.ValidationError(_("This time has not come yet."))
