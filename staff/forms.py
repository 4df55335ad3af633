"""Forms of the staff pages."""

from typing import Any, cast

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from staff.handover import Work, open_work
from staff.models import Role, User


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: a POST without any field is a POST too, and gets its errors."""
    return request.POST if request.method == "POST" else None


class InviteForm(forms.ModelForm):
    """Who is invited, and what for."""

    class Meta:
        model = User
        fields = ["email", "name", "language", "roles"]
        widgets = {"roles": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].required = True

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].strip().lower()
        if User.objects.filter(email=email).exists():
            raise ValidationError(gettext("Someone with this e-mail address already works here."))
        return email


class RolesForm(forms.ModelForm):
    """What somebody is here for."""

    class Meta:
        model = User
        fields = ["roles"]
        labels = {"roles": ""}  # the panel around it has the heading
        widgets = {"roles": forms.CheckboxSelectMultiple}


class ProfileForm(forms.ModelForm):
    """What everybody may change about themselves."""

    class Meta:
        model = User
        fields = ["name", "language", "theme"]


class PreferencesForm(forms.Form):
    """The switches of the menu: one of the two at a time."""

    theme = forms.ChoiceField(choices=User.THEMES, required=False)
    language = forms.ChoiceField(choices=User.LANGUAGES, required=False)


class SuccessorForm(forms.Form):
    """Who takes over the open work of somebody who leaves."""

    successor = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Who takes over the open work?"),
        required=False,
        empty_label=_("please choose"),
    )

    def __init__(
        self,
        *args: Any,
        leaving: User,
        needed: bool,
        work: Work | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["successor"])
        able = User.objects.filter(is_active=True).exclude(pk=leaving.pk)
        for kind, _number in work if work is not None else open_work(leaving):
            if kind.permission:
                able = able.filter(pk__in=User.objects.who_may(kind.permission).values("pk"))
        field.queryset = able
        field.label_from_instance = lambda user: user.name  # type: ignore[assignment, method-assign]
        field.required = True
        if not needed:
            del self.fields["successor"]


class RoleSuccessorForm(SuccessorForm):
    """The roles as they were chosen, and who takes over what somebody may no longer do with them."""

    roles = forms.ModelMultipleChoiceField(Role.objects.all(), required=False, widget=forms.MultipleHiddenInput)


class MatrixSuccessorsForm(forms.Form):
    """Who takes over what people may no longer do with a matrix: one question for each of them."""

    def __init__(self, *args: Any, work: dict[User, Work], granted: set[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for user, lost in work.items():
            able = User.objects.filter(is_active=True).exclude(pk=user.pk)
            for kind, _number in lost:
                roles = [role for role, permission in granted if permission == kind.permission]
                able = able.filter(pk__in=User.objects.filter(roles__in=roles).values("pk"))
            field = forms.ModelChoiceField(
                able,
                label=gettext("Who takes over the open work of %(name)s?") % {"name": user.name},
                help_text=", ".join(f"{kind.label}: {number}" for kind, number in lost),
                empty_label=gettext("please choose"),
            )
            if not able.exists():
                field.help_text += ". " + gettext("Nobody else could do it with these permissions.")
            field.label_from_instance = lambda one: one.name  # type: ignore[assignment, method-assign]
            self.fields[f"successor-{user.pk}"] = field

    @property
    def successors(self) -> dict[int, User]:
        """The answers by the id of who loses the work."""
        return {int(name.rpartition("-")[2]): user for name, user in self.cleaned_data.items()}


class FirstPasswordForm(forms.Form):
    """The password somebody chooses who was invited."""

    password = forms.CharField(
        label=_("Choose a password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        max_length=256,
    )
    again = forms.CharField(
        label=_("The same password again"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        max_length=256,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = password_validation.password_validators_help_text_html()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        password = cleaned.get("password")
        if password and password != cleaned.get("again"):
            self.add_error("again", gettext("The two passwords differ."))
        if password:
            try:
                password_validation.validate_password(password, self.user)
            except ValidationError as refused:
                self.add_error("password", refused)
        return cleaned
