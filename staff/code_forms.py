"""allauth's forms that ask for a code, as a telephone's keyboard and its memory of codes want them."""

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm as Authenticate
from allauth.mfa.base.forms import ReauthenticateForm as Reauthenticate
from allauth.mfa.totp.forms import ActivateTOTPForm as ActivateTOTP
from django import forms
from django.utils.translation import gettext_lazy as _

DIGITS = {"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True}


def _asks_for_digits(field: forms.Field, label: Any) -> None:
    field.label, field.widget = label, forms.TextInput(attrs=DIGITS)


class ActivateTOTPForm(ActivateTOTP):
    """The first code of a new authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _asks_for_digits(self.fields["code"], _("The six digits that the app shows"))


class AuthenticateForm(Authenticate):
    """The code beside the password: of the app, or one of those on paper."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _asks_for_digits(self.fields["code"], _("Code"))


class ReauthenticateForm(Reauthenticate):
    """The same, asked again before a risky page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _asks_for_digits(self.fields["code"], _("Code"))
