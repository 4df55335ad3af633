"""Pages of recipients, of what went to them about one person, and of the notices they are owed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.access import SEES_RESTRICTED, customer_for
from datamap import accesslog
from datamap.controlling import legal_zone
from datamap.keyset import page_of
from datamap.workdays import local_date
from privacy import notices
from privacy.disclosing import DisclosureRefused, Ended, ended_under, note_disclosure, note_of_erased
from privacy.forms.recipients import DisclosureForm, ErasedDisclosureForm, RecipientForm, SettleForm
from privacy.latecomers import enter_recipient
from privacy.models import Erasure, Notice, Recipient
from privacy.paging import next_url
from privacy.recipients import recipients_of, recipients_of_ref, unnamed_kinds
from privacy.toldwords import in_words
from privacy.views.requests import told_version
from staff.access import permission_required, signed_in

accesslog.name_pages(
    {
        "privacy:disclosures": gettext_lazy("Recipients of a customer's data"),
        "privacy:disclosure_new": gettext_lazy("Note a disclosure"),
        "privacy:erasure_disclosure": gettext_lazy("Note a disclosure"),
        "privacy:ended": gettext_lazy("Recipients of a customer's data"),
        "privacy:ended_disclosure": gettext_lazy("Note a disclosure"),
        "privacy:notice": gettext_lazy("Notice to a recipient"),
    }
)


@require_GET
@permission_required("privacy.view")
def recipient_list(request: HttpRequest) -> HttpResponse:
    """Everyone who receives customers' data, those of today first."""
    today = local_date(timezone.now(), legal_zone())
    everyone = list(Recipient.objects.all())
    current = [one for one in everyone if one.until is None or one.until >= today]
    context = {
        "current": current,
        "former": [one for one in everyone if one not in current],
        "unnamed": unnamed_kinds(),
        "may_edit": signed_in(request).may("privacy.recipients"),
    }
    return render(request, "privacy/recipients.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.recipients")
def recipient_new(request: HttpRequest) -> HttpResponse:
    """Enter a recipient."""
    return _edit(request, Recipient(kind=request.GET.get("kind", "other")))


@require_http_methods(["GET", "POST"])
@permission_required("privacy.recipients")
def recipient_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a recipient; one that ends keeps its row, since what it received stays true."""
    recipient = Recipient.objects.filter(pk=pk).first()
    if recipient is None:
        raise Http404
    return _edit(request, recipient)


def _edit(request: HttpRequest, recipient: Recipient) -> HttpResponse:
    form, stale = RecipientForm(request.POST or None, instance=recipient), False
    if request.method == "POST" and form.is_valid():
        if enter_recipient(form.instance, version=told_version(request)):
            messages.success(request, _("Saved."))
            return redirect("privacy:recipients")
        stale = True
        recipient.refresh_from_db(fields=["version"])
    context = {"form": form, "recipient": recipient, "version": recipient.version, "stale": stale}
    return render(request, "privacy/recipient.html", context, status=409 if stale else 422 if form.errors else 200)


@require_GET
@permission_required("privacy.view")
def disclosures(request: HttpRequest, number: str) -> HttpResponse:
    """Who received what about one customer, and who was told of a change (Art. 15(1)(c), 19)."""
    customer = customer_for(request, number, page="privacy:disclosures", permission="privacy.view")
    context = {
        "customer": customer,
        "rows": recipients_of([customer.pk])[customer.pk],
        "told": notices.told_of(customer_id=customer.pk),
        "may_edit": signed_in(request).may("privacy.recipients"),
        "opens_customers": signed_in(request).may("customers.view"),
    }
    return render(request, "privacy/disclosures.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.recipients")
def disclosure_new(request: HttpRequest, number: str) -> HttpResponse:
    """Note that data of one customer went to somebody."""
    customer = customer_for(request, number, page="privacy:disclosure_new", permission="privacy.recipients")
    form = DisclosureForm(request.POST or None, initial={"at": timezone.now()})
    if request.method == "POST" and form.is_valid():
        said: dict[str, Any] = dict(form.cleaned_data)
        try:
            note_disclosure(said.pop("recipient"), [customer], by=signed_in(request), **said)
            messages.success(request, _("The disclosure is noted."))
            return redirect("privacy:disclosures", number=customer.number)
        except DisclosureRefused as refused:
            form.add_error(refused.field, str(refused))
    context = {"form": form, "back": reverse("privacy:disclosures", args=[customer.number]), "called": customer.number}
    return render(request, "privacy/disclosure_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.recipients")
def erasure_disclosure(request: HttpRequest, pk: int) -> HttpResponse:
    """Note who had received data of somebody who is erased by now; they are told of the erasure."""
    erasure = Erasure.objects.filter(pk=pk, customer=None, started_at__isnull=False).first()
    if erasure is None:
        raise Http404
    accesslog.record(request.user.pk, str(erasure.subject_ref), "privacy:erasure_disclosure", "Art. 19")
    return _note_of_erased(request, erasure, reverse("privacy:erasure", args=[pk]), str(erasure.receipt))


def _note_of_erased(request: HttpRequest, gone: Erasure | Ended, back: str, called: str) -> HttpResponse:
    form = ErasedDisclosureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said: dict[str, Any] = dict(form.cleaned_data)
        try:
            note_of_erased(gone, said.pop("recipient"), by=signed_in(request), **said)
            messages.success(request, _("The disclosure is noted."))
            return redirect(back)
        except DisclosureRefused as refused:
            form.add_error(refused.field, str(refused))
    context = {"form": form, "back": back, "called": called}
    return render(request, "privacy/disclosure_new.html", context, status=422 if form.errors else 200)


@require_GET
@permission_required("privacy.view")
def ended(request: HttpRequest, subject_ref: UUID) -> HttpResponse:
    """Somebody whom the night ended, known by the mark alone: who had received what, and who was told (Art. 19)."""
    gone = _ended(request, subject_ref, page="privacy:ended")
    context = {
        "ended": gone,
        "rows": recipients_of_ref(subject_ref),
        "told": notices.told_of(subject_ref=subject_ref),
        "may_edit": signed_in(request).may("privacy.recipients"),
    }
    return render(request, "privacy/disclosures.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.recipients")
def ended_disclosure(request: HttpRequest, subject_ref: UUID) -> HttpResponse:
    """Note who had received data of somebody whom the night ended; they are told of it."""
    gone = _ended(request, subject_ref, page="privacy:ended_disclosure")
    return _note_of_erased(request, gone, reverse("privacy:ended", args=[subject_ref]), str(subject_ref))


def _ended(request: HttpRequest, subject_ref: UUID, *, page: str) -> Ended:
    gone = ended_under(subject_ref)
    if gone is None:
        raise Http404
    accesslog.record(request.user.pk, str(subject_ref), page, "Art. 19")
    return gone


@require_GET
@permission_required("privacy.view")
def notice_list(request: HttpRequest) -> HttpResponse:
    """The worklist of Art. 19, the oldest first; settled ones on demand."""
    show = request.GET.get("show")
    settled = show == "settled"
    states = [state for state in Notice.State.values if (state in Notice.OPEN_STATES) != settled]
    if show == "back":
        states = [Notice.State.BOUNCED]
    rows = Notice.archive.filter(state__in=states).select_related("recipient", "customer", "request")
    page = page_of(rows, "queued_at", descending=settled, cursor=request.GET.get("cursor", ""))
    sees = signed_in(request).may(SEES_RESTRICTED)
    for row in page.rows:
        hidden = row.customer is None or (row.customer.restricted_at and not sees)
        row.number = "" if hidden else row.customer.number
    context = {
        "page": page,
        "settled": settled,
        "back": show == "back",
        "next_url": next_url(request, page.next_cursor),
    }
    return render(request, "privacy/notices.html", context)


@require_GET
@permission_required("privacy.recipients")
def notice_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a recipient is told about whom, and what became of it."""
    return _notice_page(request, _notice(request, pk), SettleForm())


@require_POST
@permission_required("privacy.recipients")
def notice_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a notice that came back once more."""
    notice = _notice(request, pk)
    try:
        notices.retry(notice.pk, by=signed_in(request))
        messages.success(request, _("The notice is sent again."))
    except notices.NoticeRefused as refused:
        messages.error(request, str(refused))
        return _notice_page(request, notice, SettleForm(), status=422)
    return redirect("privacy:notice", pk=pk)


@require_POST
@permission_required("privacy.recipients")
def notice_settle(request: HttpRequest, pk: int, outcome: str) -> HttpResponse:
    """Note that a recipient was told another way ("told"), or why that is "impossible"."""
    settle = {"told": notices.mark_told, "impossible": notices.mark_impossible}.get(outcome)
    if settle is None:
        raise Http404
    notice, form = _notice(request, pk), SettleForm(request.POST)
    if form.is_valid():
        try:
            settle(notice.pk, form.cleaned_data["reason"], by=signed_in(request))
            messages.success(request, _("Saved."))
            return redirect("privacy:notices")
        except notices.NoticeRefused as refused:
            form.add_error(None, str(refused))
    return _notice_page(request, notice, form, status=422)


def _notice_page(request: HttpRequest, notice: Notice, form: SettleForm, status: int = 200) -> HttpResponse:
    context = {"notice": notice, "told": in_words(notice.details), "form": form}
    return render(request, "privacy/notice.html", context, status=status)


def _notice(request: HttpRequest, pk: int) -> Notice:
    """The notice; reading whom it is about is a look at that person, also where only a pseudonym is left."""
    found = Notice.archive.filter(pk=pk).select_related("recipient", "customer", "request", "settled_by").first()
    if found is None:
        raise Http404
    if found.customer is not None:
        customer_for(request, found.customer.number, page="privacy:notice", permission="privacy.recipients")
    elif found.subject_ref is not None:
        accesslog.record(request.user.pk, str(found.subject_ref), "privacy:notice", "Art. 19")
    return found
