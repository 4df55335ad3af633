"""What people give to an import: the file, and what its columns mean."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.models import Batch

MAX_BYTES = 1 << 30


def max_bytes() -> int:
    """How large an uploaded file may be."""
    return getattr(settings, "INTAKE_MAX_BYTES", MAX_BYTES)


class UploadForm(forms.Form):
    """A file of customers or orders, and the lines of orders where they come apart."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is in the file"),
        choices=Batch.Kind.choices,
        widget=forms.RadioSelect,
        initial="customers",
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, TSV or XLSX. Exports of shops are recognized by themselves."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    lines_file = forms.FileField(
        label=gettext_lazy("File with the lines of the orders"),
        required=False,
        help_text=gettext_lazy("Only where orders and their articles come in two files."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )

    def clean_file(self) -> Any:
        return self._small_enough("file")

    def clean_lines_file(self) -> Any:
        return self._small_enough("lines_file")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("lines_file") and cleaned.get("kind") == Batch.Kind.CUSTOMERS:
            self.add_error("lines_file", _("Only orders have lines."))
        return cleaned

    def _small_enough(self, name: str) -> Any:
        found = self.cleaned_data[name]
        if found and found.size > max_bytes():
            raise forms.ValidationError(_("The file is larger than %(size)s.") % {"size": filesizeformat(max_bytes())})
        return found
