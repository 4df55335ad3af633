"""Words for columns and apps that carry none of their own; the data map names everything it shows."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vault.fields import BlindIndexField

# What Django makes of a name in the code -> what people read.
COLUMNS = {
    "created at": pgettext_lazy("column", "created"),
    "origin": pgettext_lazy("column", "origin"),
    "batch": pgettext_lazy("column", "import"),
    "sort number": pgettext_lazy("column", "key for sorting by number"),
    "sort name": pgettext_lazy("column", "key for sorting by name"),
    "version": pgettext_lazy("column", "version"),
    "tag": pgettext_lazy("column", "tag"),
    "set at": pgettext_lazy("column", "set on"),
    "set by": pgettext_lazy("column", "set by"),
    "lifted by": pgettext_lazy("column", "lifted by"),
    "fingerprint": pgettext_lazy("column", "fingerprint"),
    "decided by": pgettext_lazy("column", "decided by"),
    "author": pgettext_lazy("column", "author"),
    "recorded by": pgettext_lazy("column", "recorded by"),
    "text": pgettext_lazy("column", "text"),
    "phonetic": pgettext_lazy("column", "sound of the name"),
    "postcode": pgettext_lazy("column", "postcode"),
    "word": pgettext_lazy("column", "word"),
    "entries": pgettext_lazy("column", "entries"),
    "endpoint": pgettext_lazy("column", "address as a fingerprint"),
    "recorded at": pgettext_lazy("column", "recorded"),
    "mark": pgettext_lazy("column", "mark"),
    "kind": pgettext_lazy("column", "kind"),
    "erased at": pgettext_lazy("column", "erased"),
    "file": pgettext_lazy("column", "file"),
    "lines file": pgettext_lazy("column", "file of lines"),
    "user": pgettext_lazy("column", "staff"),
    "customer": pgettext_lazy("column", "customer"),
    "gift recipient": pgettext_lazy("column", "recipient of the gift"),
    "parent": pgettext_lazy("column", "belongs to"),
    "header": pgettext_lazy("column", "columns of the file"),
    "lines header": pgettext_lazy("column", "columns of the file of lines"),
    "mapping": pgettext_lazy("column", "mapping of columns"),
    "as of": pgettext_lazy("column", "as of"),
    "preview": pgettext_lazy("column", "preview"),
    "counts": pgettext_lazy("column", "counts"),
    "undo": pgettext_lazy("column", "undoing"),
    "position": pgettext_lazy("column", "progress"),
    "rows": pgettext_lazy("column", "rows"),
    "failure": pgettext_lazy("column", "failure"),
    "lease": pgettext_lazy("column", "lease"),
    "lease until": pgettext_lazy("column", "leased until"),
    "attempts": pgettext_lazy("column", "attempts"),
    "dry run": pgettext_lazy("column", "rehearsal"),
    "saved at": pgettext_lazy("column", "saved"),
    "content type": pgettext_lazy("column", "kind of file"),
    "added at": pgettext_lazy("column", "added"),
    "created by": pgettext_lazy("column", "created by"),
    "done by": pgettext_lazy("column", "done by"),
    "interaction": pgettext_lazy("column", "contact"),
    "token": pgettext_lazy("column", "mark against sending twice"),
    "data": pgettext_lazy("column", "secret of the second factor"),
    "last used at": pgettext_lazy("column", "last used"),
    "type": pgettext_lazy("column", "type"),
    "issued by": pgettext_lazy("column", "issued by"),
    "order": pgettext_lazy("column", "order it belongs to"),
    "blocked at": pgettext_lazy("column", "blocked"),
    "subject ref": pgettext_lazy("column", "pseudonym"),
    "source digest": pgettext_lazy("column", "digest of the source"),
    "lines_before": pgettext_lazy("column", "lines before the change"),
    "entered by": pgettext_lazy("column", "entered by"),
    "line": pgettext_lazy("column", "line"),
    "view": pgettext_lazy("column", "view"),
    "token hash": pgettext_lazy("column", "mark of the invitation"),
    "invited by": pgettext_lazy("column", "invited by"),
    "expires at": pgettext_lazy("column", "expires"),
    "used at": pgettext_lazy("column", "used"),
    "session key": pgettext_lazy("column", "sign-in session"),
    "actor": pgettext_lazy("column", "done by"),
    "changed at": pgettext_lazy("column", "changed"),
    "key": pgettext_lazy("column", "mark against sending twice"),
    "message": pgettext_lazy("column", "mail"),
    "provider id": pgettext_lazy("column", "number at the provider"),
    "uuid": pgettext_lazy("column", "random number"),
    "message id": pgettext_lazy("column", "number of the mail"),
    "noted by": pgettext_lazy("column", "noted by"),
    "by": pgettext_lazy("column", "done by"),
    "run": pgettext_lazy("column", "retention run"),
    "erasure": pgettext_lazy("column", "erasure"),
    "needles": pgettext_lazy("column", "what is looked for afterwards"),
    "request": pgettext_lazy("column", "request"),
    "released by": pgettext_lazy("column", "released by"),
    "settled by": pgettext_lazy("column", "settled by"),
    "asked by": pgettext_lazy("column", "asked for by"),
    "staged by": pgettext_lazy("column", "put forward by"),
    "model": pgettext_lazy("column", "kind of record"),
    "row": pgettext_lazy("column", "record"),
    "field": pgettext_lazy("column", "field"),
    "place": pgettext_lazy("column", "place in the text"),
    "begins": pgettext_lazy("column", "from sign"),
    "ends": pgettext_lazy("column", "to sign"),
    "digest": pgettext_lazy("column", "digest"),
    "clock stopped": pgettext_lazy("column", "clock stands"),
    "written by": pgettext_lazy("column", "written by"),
    "ref": pgettext_lazy("column", "reference"),
    "approved by": pgettext_lazy("column", "approved by"),
    "whole index": pgettext_lazy("column", "fingerprint of the whole address or number"),
    "part index": pgettext_lazy("column", "fingerprint of its last digits or the part before the @"),
    "match index": pgettext_lazy("column", "fingerprint by which duplicates are found"),
}
AREAS = {
    "Customers": _("Customers"),
    "Orders": _("Orders"),
    "Interactions": _("Contacts"),
    "Intake": _("Import"),
    "Portal": _("Lists and exports"),
    "Staff": _("Staff and sign-in"),
    "Datamap": _("Data protection"),
    "Vault": _("Encryption"),
    "Mail": _("Mail"),
    "Privacy": _("Rights and accountability"),
    "Consents": _("Consents"),
    "Tracking": _("Page visits"),
    "Ops": _("Operation"),
}
# What stands inside a column that holds several things, as papers do.
PARTS = {
    "sku": _("Article number"),
    "name": _("Name"),
    "quantity": _("Quantity"),
    "unit_price": _("Unit price"),
    "discount": _("Discount"),
    "amount": _("Amount"),
    "tax_rate": _("VAT rate"),
    "rate": _("VAT rate"),
    "net": _("Net"),
    "tax": _("VAT"),
    "gross": _("Total"),
    "company": _("Company"),
    "street": _("Street and number"),
    "postcode": _("Postcode"),
    "city": _("Town"),
    "country": _("Country"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "vat_id": _("VAT id"),
    "tax_number": _("Tax number"),
    "supplied_on": _("Date of supply"),
}


def column_label(field: Any, name: str) -> str:
    """What people call a column: as its field says, or the words here for what Django makes of a name in the code."""
    return _label(field, name, get_language())


@lru_cache(maxsize=8_192)
def _label(field: Any, name: str, _language: str | None) -> str:
    label = getattr(field, "verbose_name", name)
    if isinstance(field, BlindIndexField) and label not in COLUMNS:
        told = column_label(field.model._meta.get_field(field.source), field.source)
        return pgettext("column", "fingerprint of “%s”") % told
    return str(COLUMNS.get(label, label) if isinstance(label, str) else label)
