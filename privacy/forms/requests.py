"""What staff type about requests, restrictions and changes."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.fields import EmailField, LineField, PhoneField, ProseField
from datamap.controlling import legal_zone
from datamap.days import DayField
from privacy import handling, letters
from privacy.board import BACK, CLOSABLE, MINE, NOBODY, OVERDUE, REFUSALS, SILENT, SOON
from privacy.instants import PICKER, InstantField
from privacy.models import Request, RequestLetter, Restriction
from staff.models import User

ALREADY_TOLD = "told"


def prose(rows: int = 4, **attrs: Any) -> forms.Textarea:
    """A field for several lines."""
    return forms.Textarea(attrs={"rows": rows, **attrs})


def day_input() -> forms.DateInput:
    """A date as browsers send it."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class BoardForm(forms.Form):
    """The filter of the list."""

    kind = forms.ChoiceField(label=_("Right"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    owner = forms.ChoiceField(label=_("In charge"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(pk__in=Request.on_desk().filter(closed_at=None).values("owner")).order_by("name")
        self.fields["kind"].choices = [("", _("all")), *Request.Kind.choices]  # type: ignore[attr-defined]
        self.fields["state"].choices = [  # type: ignore[attr-defined]
            ("", _("all open")),
            (OVERDUE, _("overdue")),
            (SOON, _("due within a week")),
            (BACK, _("letter came back")),
            (CLOSABLE, _("answered, to be closed")),
            (SILENT, _("question without an answer")),
            (REFUSALS, _("refusal waits for a second person")),
            *Request.State.choices,
        ]
        self.fields["owner"].choices = [  # type: ignore[attr-defined]
            ("", _("everybody")),
            (MINE, _("me")),
            (NOBODY, _("nobody yet")),
            *((str(user.pk), user.name) for user in people),
        ]


class TakeForm(forms.Form):
    """A new request, as it was told."""

    channel = forms.ChoiceField(label=_("Came in by"), choices=Request.Channel.choices, initial=Request.Channel.MAIL)
    received_at = InstantField(
        label=_("Received"),
        day_alone=True,
        help_text=_("When it reached the shop, not when it was read: the period counts from then."),
    )
    text = ProseField(label=_("What was written or said"), max_length=20_000, required=False, widget=prose(8))
    kind = forms.ChoiceField(label=_("Right"), choices=[("", _("please choose")), *Request.Kind.choices])
    objects_to = forms.ChoiceField(
        label=_("Objects to"),
        choices=[("", "–"), *Request.ObjectsTo.choices],
        required=False,
        help_text=_("Only for an objection. Against advertising it takes effect with saving."),
    )
    name = LineField(label=_("Name"), max_length=300, required=False)
    email = EmailField(label=_("E-mail"), required=False)
    phone = PhoneField(label=_("Phone"), required=False)
    address = ProseField(label=_("Postal address"), max_length=600, required=False, widget=prose(3))
    language = forms.ChoiceField(label=_("Language of the answer"), choices=[("de", "Deutsch"), ("en", "English")])
    number = LineField(
        label=_("Customer number"), max_length=60, required=False, help_text=_("Where it is known whose request it is.")
    )
    person = forms.CharField(required=False, max_length=60)
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("token", uuid.uuid4())
        self.initial.setdefault("received_at", timezone.localtime(timezone=legal_zone()).strftime(PICKER))

    def clean_received_at(self) -> datetime:
        """Not ahead; and no instant before there were such requests is meant."""
        at = self.cleaned_data["received_at"]
        if at > timezone.now():
            raise ValidationError(gettext("This lies ahead."))
        if at.year < 2018:
            raise ValidationError(gettext("This is too long ago."))
        return at

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("kind") == Request.Kind.OBJECTION and not data.get("objects_to"):
            self.add_error("objects_to", gettext("Say what the objection is against."))
        if not any(data.get(name) for name in ("name", "email", "phone", "address", "number", "person")):
            self.add_error("name", gettext("Enter at least one thing by which the person can be answered."))
        return data


class WayForm(forms.Form):
    """How a letter goes out."""

    way = forms.ChoiceField(label=_("The letter goes"), choices=RequestLetter.Way.choices)

    def __init__(self, *args: Any, case: Request, told_too: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = letters.ways_for(case)
        if told_too:
            ways = [*ways, (ALREADY_TOLD, _("has been told already, no letter"))]
        self.fields["way"].choices = ways  # type: ignore[attr-defined]
        if not ways:
            self.fields["way"].help_text = _("Neither an e-mail address nor a postal address is known.")

    @property
    def chosen_way(self) -> str | None:
        """The way, None where no letter is wanted."""
        way = self.cleaned_data["way"]
        return None if way == ALREADY_TOLD else way


class ReasonForm(forms.Form):
    """A reason that is noted."""

    reason = ProseField(label=_("Reason"), max_length=2_000, widget=prose(3))


class IdentityForm(WayForm):
    """The question about identity, with the doubt that makes it necessary."""

    doubt = ProseField(
        label=_("Reason for doubt"),
        max_length=2_000,
        widget=prose(3),
        help_text=_("It stands in the letter. Without a doubt nothing is asked (Art. 12(6))."),
    )
    field_order = ("doubt", "way")


class ClarifyForm(WayForm):
    """The question what a request is about."""

    words = ProseField(
        label=_("What do you ask?"),
        max_length=2_000,
        widget=prose(3),
        help_text=_("It stands in the letter: which kinds of data or which time could be meant."),
    )
    field_order = ("words", "way")


class SettleForm(forms.Form):
    """How identity was settled."""

    method = forms.ChoiceField(label=_("Identity settled by"), choices=Request.Method.choices)
    reason = LineField(label=_("Remark"), max_length=300, required=False)

    def __init__(self, *args: Any, asked: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if asked:  # then nothing goes without saying
            choices = [("", _("please choose")), *Request.Method.choices]
            self.fields["method"].choices = choices  # type: ignore[attr-defined]


class CopyForm(forms.Form):
    """A copy of an identity card."""

    file = forms.FileField(
        label=_("Copy of an identity card"),
        help_text=_("The exception. It is deleted with the check; PDF, PNG or JPEG."),
    )


class ExtendForm(WayForm):
    """The notice of an extension."""

    reasons = ProseField(
        label=_("Reasons"), max_length=2_000, widget=prose(4), help_text=_("They stand in the letter (Art. 12(3)).")
    )
    announced_on = DayField(
        label=_("The notice went out on"),
        required=False,
        widget=day_input(),
        help_text=_("Only where the person has been told already."),
    )
    field_order = ("reasons", "way", "announced_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, told_too=True, **kwargs)


class AnswerForm(WayForm):
    """The answer to a request."""

    decision = ProseField(
        label=_("What is said beside the standard text"),
        max_length=5_000,
        required=False,
        widget=prose(5),
    )
    partly = forms.BooleanField(label=_("This answers only a part; the rest follows."), required=False)
    field_order = ("decision", "partly", "way")

    def __init__(self, *args: Any, case: Request, **kwargs: Any) -> None:
        super().__init__(*args, case=case, told_too=True, **kwargs)
        if case.objects_to == Request.ObjectsTo.REASONS:
            self.fields["decision"].label = _("Decision and balancing of interests")
            self.fields["decision"].required = True


class RefuseForm(WayForm):
    """A refusal: ground, reasons, evidence."""

    ground = forms.ChoiceField(label=_("Ground"), choices=Request.Ground.choices)
    reason = ProseField(
        label=_("Reasons"), max_length=5_000, widget=prose(5), help_text=_("They stand in the letter (Art. 12(4)).")
    )
    evidence = ProseField(
        label=_("Evidence"),
        max_length=5_000,
        widget=prose(4),
        help_text=_("Stays in the file: the shop bears the burden of proof (Art. 12(5))."),
    )
    field_order = ("ground", "reason", "evidence", "way")

    def __init__(self, *args: Any, case: Request, **kwargs: Any) -> None:
        super().__init__(*args, case=case, **kwargs)
        fitting = [(ground, Request.Ground(ground).label) for ground in handling.grounds_for(case)]
        self.fields["ground"].choices = fitting  # type: ignore[attr-defined]


class DecideForm(WayForm):
    """The second person's decision about a refusal."""

    reason = ProseField(label=_("Why not"), max_length=2_000, required=False, widget=prose(2))


class StageForm(forms.Form):
    """One change that is put forward."""

    field = forms.ChoiceField(label=_("Field"))
    after = LineField(label=_("New value"), max_length=400, required=False)
    evidence = ProseField(label=_("Evidence"), max_length=2_000, required=False, widget=prose(2))

    def __init__(self, *args: Any, known: Iterable[tuple[str, str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].choices = [  # type: ignore[attr-defined]
            (key, f"{label}: {value or '–'}") for key, label, value in known
        ]


class RestrictForm(forms.Form):
    """A restriction: case, what it covers, reason."""

    case = forms.ChoiceField(label=_("Case"), choices=Restriction.Case.choices, widget=forms.RadioSelect)
    parts = forms.MultipleChoiceField(
        label=_("What is restricted"),
        choices=Restriction.Part.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Whatever is ticked, the customer leaves daily work as a whole."),
    )
    reason = ProseField(label=_("Reason"), max_length=2_000, widget=prose(3))


class RestrictPersonForm(forms.Form):
    """A restriction of a contact person: the row is small and leaves daily work as a whole."""

    case = forms.ChoiceField(label=_("Case"), choices=Restriction.Case.choices, widget=forms.RadioSelect)
    reason = ProseField(label=_("Reason"), max_length=2_000, widget=prose(3))


class LiftForm(forms.Form):
    """What the person is told before a restriction ends."""

    way = forms.ChoiceField(label=_("The letter goes"))
    decision = ProseField(
        label=_("What was found out or decided"),
        max_length=2_000,
        widget=prose(4),
        help_text=_("It stands in the letter (Art. 18(3))."),
    )
    field_order = ("decision", "way")

    def __init__(self, *args: Any, case: Request | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = letters.ways_for(case) if case else []
        self.fields["way"].choices = [  # type: ignore[attr-defined]
            *ways,
            (ALREADY_TOLD, _("has been told already, no letter")),
        ]


class ObjectionForm(forms.Form):
    """How an objection to advertising came in."""

    channel = forms.ChoiceField(label=_("Came in by"), choices=Request.Channel.choices, initial=Request.Channel.PHONE)
