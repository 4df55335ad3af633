"""Hands out receipts, the checkpoints they lead to, and the key that proves both."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from consents.models import Record
from consents.receipts import Erased, NotYet, Receipt, public_key, receipt_of
from customers.access import customer_for
from datamap import accesslog
from datamap.guard import public_page
from staff.access import permission_required

PERMISSION = "consents.ledger"
accesslog.name_pages({"receipts:receipt": _("Receipt of a consent")})


@require_GET
@permission_required(PERMISSION)
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of an entry as a file."""
    found = _receipt_for(request, pk)
    return _file(found.content, found.name, "application/json")


@require_GET
@permission_required(PERMISSION)
def checkpoint(request: HttpRequest, pk: int) -> HttpResponse:
    """The checkpoint that a receipt leads to."""
    found = _receipt_for(request, pk)
    return _file(found.checkpoint.encode(), found.name.replace(".json", ".checkpoint.txt"), "text/plain; charset=utf-8")


@require_GET
@public_page("Anybody proves a receipt with it; it names nobody.")
def key(request: HttpRequest) -> HttpResponse:
    """The public key of the ledger."""
    return HttpResponse(f"{public_key()}\n", content_type="text/plain; charset=utf-8")


def _receipt_for(request: HttpRequest, pk: int) -> Receipt:
    """The receipt, through the door of its customer. Raises Http404 where there is none, or none yet."""
    record = Record.objects.select_related("customer").filter(pk=pk, customer__isnull=False).first()
    if record is None or record.customer is None:
        raise Http404
    customer_for(request, record.customer.number, page="receipts:receipt", permission=PERMISSION)
    try:
        return receipt_of(pk, "en" if get_language() == "en" else "de")
    except (Erased, NotYet) as reason:
        raise Http404 from reason


def _file(content: bytes, name: str, media_type: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
