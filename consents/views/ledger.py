"""Pages of the ledger for the privacy role: entries, one entry with its proof, and how far all is sealed and signed."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from consents import browsing
from consents.access import record_of
from consents.answering import actors_named, proofs_of
from consents.forms import LedgerForm
from consents.models import Entry
from consents.texts import versions_shown
from staff.access import permission_required


@require_GET
@permission_required("consents.ledger")
def ledger(request: HttpRequest) -> HttpResponse:
    """Entries, the newest first; none names anybody."""
    form = LedgerForm(request.GET)
    valid = form.is_valid()
    wanted = form.cleaned_data if valid else {}
    found = browsing.look_for(_search(wanted), request.GET.get("cursor", ""))
    query = request.GET.copy()
    query["cursor"] = found.next_cursor
    context = {
        "form": form,
        "rows": browsing.rows_of(found.rows),
        "next_url": f"?{query.urlencode()}" if found.next_cursor else "",
        "until": found.until,
        "standing": browsing.standing(),
        "filtered": any(wanted.values()),
    }
    return render(request, "consents/ledger.html", context, status=200 if valid else 422)


@require_GET
@permission_required("consents.ledger")
def ledger_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry: place, seal, hashes, and what it is about where the person may be seen."""
    entry = get_object_or_404(Entry, pk=pk)
    record = record_of(request, entry.pk)
    shown = versions_shown([entry.text_sha256]).get(entry.text_sha256)
    context = {
        "entry": entry,
        "row": browsing.rows_of([entry])[0],
        "by": actors_named([entry.actor_ref])[entry.actor_ref],
        "proof": browsing.proof_of(entry),
        "record": proofs_of([record])[0] if record else None,
        "wording": shown[0] if shown else None,
        "erased": browsing.erased_by(entry),
    }
    return render(request, "consents/entry.html", context)


def _search(wanted: dict[str, Any]) -> browsing.Search:
    return browsing.Search(
        wanted.get("kind", ""), wanted.get("purpose", ""), wanted.get("begin"), wanted.get("end")
    )  # fmt: skip
