"""What the desk holds: words its users searched for, views they saved, and who exported what."""

from django.utils.translation import gettext_lazy as _

from datamap.declarations import Basis, Group, PersonalData, register
from portal.models import ExportLog, ListState, SavedView


@register(ListState)
class ListStateData(PersonalData):
    """Words and filters of an open search may name a customer; they end with the working day."""

    groups = [
        Group(
            fields=("query", "view", "created_at", "expires_at"),
            subject="user",
            person="staff",
            purpose=_("Searching without names in addresses of pages"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF:session",
            start="created_at",
            note=_("Sealed; the next search of the same person removes what has ended."),
        )
    ]


@register(SavedView)
class SavedViewData(PersonalData):
    """A saved search of a member of staff."""

    groups = [
        Group(
            fields=("name", "query", "order", "columns", "shared_at", "created_at"),
            subject="owner",
            person="staff",
            purpose=_("Finding a set of customers again"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="STAFF",
            start="owner.disabled_at",
        )
    ]


@register(ExportLog)
class ExportLogData(PersonalData):
    """Who took customer data out of the house; each exported customer also stands in the access log."""

    groups = [
        Group(
            fields=("at", "file_format", "columns", "filters", "sealed", "row_cap", "rows", "finished_at"),
            subject="user",
            person="staff",
            purpose=_("Proof of who exported customer data"),
            basis=Basis.LEGITIMATE_INTERESTS,
            category="ACCESSLOG",
            start="at",
        )
    ]
