"""Forms of saved views and exports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.models import SavedView
from staff.models import User


class ViewForm(forms.Form):
    """The name of a saved view, and whether everyone sees it."""

    name = forms.CharField(label=_("Name"), max_length=60)
    shared = forms.BooleanField(label=_("Everyone sees this view"), required=False)

    def __init__(self, *args: Any, user: User, view: SavedView | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.view = user, view
        if not user.may("views.share"):
            del self.fields["shared"]

    def clean_name(self) -> str:
        """Two tabs of one person cannot have the same name."""
        name = self.cleaned_data["name"]
        twins = SavedView.objects.filter(owner=self.user, name=name)
        if (twins.exclude(pk=self.view.pk) if self.view else twins).exists():
            raise forms.ValidationError(gettext("You have a view with this name already."))
        return name


class ExportForm(forms.Form):
    """In which shape the list leaves the house, and whether contact data go with it."""

    file_format = forms.ChoiceField(
        label=_("Format"),
        choices=[("csv", _("CSV (text, semicolons)")), ("xlsx", _("XLSX (Excel, LibreOffice)"))],
        initial="csv",
    )
    contacts = forms.BooleanField(label=_("With e-mail address and phone number"), required=False)

    def __init__(self, *args: Any, may_contacts: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_contacts:
            del self.fields["contacts"]
