"""Pages of contacts, follow-ups and complaints."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers.access import customer_for
from datamap.holds import HoldRefused
from datamap.keyset import page_of
from interactions import complaining
from interactions import evaluation as figures
from interactions import followups as steps
from interactions.access import attachment_for, complaint_for, follow_up_for, interaction_for
from interactions.forms import CloseForm, ComplaintForm, ContactForm, HandOverForm, KeepOpenForm, PostponeForm
from interactions.models import Complaint, FollowUp, Interaction
from interactions.quicklog import save_contact
from interactions.recording import close
from staff.access import permission_required, signed_in
from staff.models import User
from staff.templatetags.look import short_date

LISTS = ("mine", "all", "overdue")
# Content types a browser may show by itself; anything else is only downloaded.
SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "text/plain"})


@require_http_methods(["GET", "POST"])
@permission_required("interactions.log")
def interaction_log(request: HttpRequest, number: str) -> HttpResponse:
    """The quick log of one customer."""
    customer = customer_for(request, number, page="interactions:log")
    start = {
        "kind": request.GET.get("kind", Interaction.Kind.CALL),
        "direction": request.GET.get("direction", Interaction.Direction.IN),
        "complaint": request.GET.get("complaint"),
    }
    form = ContactForm(
        request.POST or None, request.FILES or None, customer=customer, user=signed_in(request), initial=start
    )
    if request.method == "POST" and form.is_valid():
        save_contact(customer, form.cleaned_data, by=signed_in(request))
        messages.success(request, _("The contact is noted."))
        return redirect("portal:customer_detail", number=customer.number)
    status = 422 if form.errors else 200
    return render(request, "interactions/log.html", {"form": form, "customer": customer}, status=status)


@require_GET
@permission_required("interactions.view")
def interaction_list(request: HttpRequest) -> HttpResponse:
    """All contacts, newest first; by type, open ones only, mine only."""
    kind, only = request.GET.get("kind", ""), request.GET.get("only", "")
    rows = _seen(request, Interaction.objects.select_related("customer", "staff"))
    if kind in Interaction.Kind.values:
        rows = rows.filter(kind=kind)
    if only == "open":
        rows = rows.open()
    elif only == "mine":
        rows = rows.filter(staff_id=request.user.pk)
    page = page_of(rows, "occurred_at", descending=True, cursor=request.GET.get("after", ""))
    context = {
        "page": page,
        "kind": kind,
        "only": only,
        "kinds": Interaction.Kind.choices,
        "next_url": _next_url(request, page.next_cursor),
        "manages": signed_in(request).may("interactions.manage"),
    }
    return render(request, "interactions/list.html", context)


@require_GET
@permission_required("interactions.view")
def interaction_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One contact with its files and next steps."""
    interaction = interaction_for(request, pk, page="interactions:detail")
    return render(request, "interactions/detail.html", _around(interaction, CloseForm(), signed_in(request)))


@require_POST
@permission_required("interactions.log")
def interaction_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an open contact with its outcome."""
    interaction = interaction_for(request, pk, page="interactions:close")
    form = CloseForm(request.POST)
    if not form.is_valid():
        return render(request, "interactions/detail.html", _around(interaction, form), status=422)
    if close(interaction, form.cleaned_data["outcome"], by=signed_in(request)):
        messages.success(request, _("The contact is closed."))
    else:
        messages.warning(request, _("Somebody else has closed this contact already; nothing was changed."))
    return redirect("interactions:detail", pk=pk)


@require_GET
@permission_required("interactions.view")
def attachment_download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file as it came; whatever a browser might run is only downloaded."""
    attachment = attachment_for(request, pk, page="interactions:attachment")
    shown = attachment.content_type in SHOWN
    return FileResponse(
        attachment.file.open("rb"),
        as_attachment=not shown,
        filename=attachment.name,
        content_type=attachment.content_type if shown else "application/octet-stream",
    )


@require_GET
@permission_required("interactions.view")
def followups(request: HttpRequest) -> HttpResponse:
    """The follow-up list: mine, all, overdue."""
    show = request.GET.get("show", "mine")
    today = timezone.localdate()
    rows = _seen(request, FollowUp.objects.open().select_related("customer", "owner"))
    if show == "overdue":
        rows = rows.overdue(today)
    elif show != "all":
        show, rows = "mine", rows.owned_by(request.user.pk)
    page = page_of(rows, "due_on", descending=False, cursor=request.GET.get("after", ""))
    context = {
        "page": page,
        "show": show,
        "today": today,
        "next_url": _next_url(request, page.next_cursor),
        # One's own steps may be given to a colleague by anybody who may give them one in the first place.
        "hand_over": HandOverForm() if show == "mine" or signed_in(request).may("interactions.manage") else None,
    }
    return render(request, "interactions/followups.html", context)


@require_POST
@permission_required("interactions.log")
def followup_done(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark a step done."""
    follow_up = follow_up_for(request, pk, page="interactions:followup_done")
    if steps.mark_done(follow_up, by=signed_in(request)):
        messages.success(request, _("Done."))
    else:
        messages.info(request, _("This step was done already."))
    if request.POST.get("back") == "contact" and follow_up.interaction_id:
        return redirect("interactions:detail", pk=follow_up.interaction_id)
    return redirect(_back(request, "interactions:followups"))


@require_http_methods(["GET", "POST"])
@permission_required("interactions.log")
def followup_postpone(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a step to another day."""
    follow_up = follow_up_for(request, pk, page="interactions:followup_postpone")
    form = PostponeForm(request.POST or None, initial={"due_on": follow_up.due_on + timedelta(days=7)})
    if request.method == "POST" and form.is_valid():
        if steps.postpone(follow_up, form.cleaned_data["due_on"]):
            messages.success(request, _("The step is due on %s.") % short_date(form.cleaned_data["due_on"]))
        else:
            messages.info(request, _("This step was done already."))
        return redirect("interactions:followups")
    context = {"form": form, "follow_up": follow_up}
    return render(request, "interactions/postpone.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("interactions.log")
def followup_hand_over(request: HttpRequest) -> HttpResponse:
    """Give the chosen steps to a colleague: one's own, or anybody's where the role may."""
    form = HandOverForm(request.POST)
    chosen = [int(pk) for pk in request.POST.getlist("step")[:1000] if pk.isdecimal() and len(pk) < 19]
    if not chosen or not form.is_valid():
        messages.error(request, _("Choose at least one step and who takes it."))
    else:
        allowed = _seen(request, FollowUp.objects.filter(pk__in=chosen))
        if not signed_in(request).may("interactions.manage"):
            allowed = allowed.owned_by(request.user.pk)
        moved = steps.hand_over(list(allowed.values_list("pk", flat=True)), form.cleaned_data["owner"])
        messages.success(request, ngettext("%(n)d step handed over.", "%(n)d steps handed over.", moved) % {"n": moved})
    return redirect(_back(request, "interactions:followups"))


@require_GET
@permission_required("interactions.view")
def complaint_list(request: HttpRequest) -> HttpResponse:
    """Complaints, oldest open ones first; the closed ones newest first."""
    show = "closed" if request.GET.get("show") == "closed" else "open"
    rows = _seen(request, Complaint.objects.select_related("customer", "owner"))
    cursor = request.GET.get("after", "")
    if show == "open":
        page = page_of(rows.open(), "opened_at", descending=False, cursor=cursor)
    else:
        page = page_of(rows.filter(closed_at__isnull=False), "closed_at", descending=True, cursor=cursor)
    context = {
        "page": page,
        "show": show,
        "next_url": _next_url(request, page.next_cursor),
        "manages": signed_in(request).may("interactions.manage"),
    }
    return render(request, "interactions/complaints.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("interactions.log")
def complaint_open(request: HttpRequest, number: str) -> HttpResponse:
    """Note a complaint of a customer."""
    customer = customer_for(request, number, page="interactions:complaint_open")
    form = ComplaintForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        complaint = complaining.open_complaint(
            customer, data["subject"], by=signed_in(request), order_number=data["order_number"]
        )
        messages.success(request, _("The complaint is noted."))
        return redirect("interactions:complaint", pk=complaint.pk)
    context = {"form": form, "customer": customer}
    return render(request, "interactions/complaint_open.html", context, status=422 if form.errors else 200)


@require_GET
@permission_required("interactions.view")
def complaint_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One complaint with its contacts."""
    return _complaint_page(request, complaint_for(request, pk, page="interactions:complaint"))


@require_POST
@permission_required("interactions.log")
def complaint_move(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Take up, settle or reject a complaint."""
    complaint = complaint_for(request, pk, page="interactions:complaint_move")
    form = CloseForm(request.POST)
    if verb not in ("take-up", "settle", "reject"):
        raise BadRequest
    if verb != "take-up" and not form.is_valid():
        return _complaint_page(request, complaint, form=form, status=422)
    try:
        if verb == "take-up":
            complaining.take_up(complaint, by=signed_in(request))
            messages.success(request, _("The complaint is in progress."))
        elif verb == "settle":
            complaining.settle(complaint, form.cleaned_data["outcome"], by=signed_in(request))
            messages.success(request, _("The complaint is settled."))
        else:
            complaining.reject(complaint, form.cleaned_data["outcome"], by=signed_in(request))
            messages.success(request, _("The complaint is rejected."))
    except complaining.AlreadyClosed:
        messages.warning(request, _("Somebody else has closed this complaint already; nothing was changed."))
    return redirect("interactions:complaint", pk=pk)


@require_POST
@permission_required("interactions.log")
def complaint_keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a complaint rightly stay open, with a reason and the next review."""
    complaint, form = complaint_for(request, pk, page="interactions:complaint_keep"), KeepOpenForm(request.POST)
    if not form.is_valid():
        return _complaint_page(request, complaint, review=form, status=422)
    try:
        complaining.keep_open(complaint, **form.cleaned_data, by=signed_in(request))
        messages.success(request, _("The complaint stays open."))
    except HoldRefused as refused:
        form.add_error(refused.field, str(refused))
        return _complaint_page(request, complaint, review=form, status=422)
    except complaining.AlreadyClosed:
        messages.warning(request, _("Somebody else has closed this complaint already; nothing was changed."))
    return redirect("interactions:complaint", pk=pk)


@require_GET
@permission_required("interactions.manage")
def evaluation(request: HttpRequest) -> HttpResponse:
    """Service figures."""
    since = timezone.localdate() - timedelta(days=365)
    months = figures.contacts_by_month()
    context = {
        "kinds": Interaction.Kind.choices,
        "months": months,
        "most": max([month.total for month in months] or [0]) or 1,
        "times": figures.answer_times(since),
        "complaint_times": figures.complaint_times(since),
        "ages": figures.open_complaints_by_age(),
        "owners": figures.complaints_by_owner(),
    }
    return render(request, "interactions/evaluation.html", context)


def _around(interaction: Interaction, form: CloseForm, user: User | None = None) -> dict[str, Any]:
    """What the page of a contact shows."""
    return {
        "interaction": interaction,
        "form": form,
        "attachments": interaction.attachments.order_by("pk"),
        "steps": interaction.follow_ups.select_related("owner").order_by("due_on", "pk"),
        "may_log": user is None or user.may("interactions.log"),
    }


def _complaint_page(
    request: HttpRequest,
    complaint: Complaint,
    *,
    form: CloseForm | None = None,
    review: KeepOpenForm | None = None,
    status: int = 200,
) -> HttpResponse:
    next_review = complaining.next_review(complaint)
    context = {
        "complaint": complaint,
        "form": form or CloseForm(),
        "review": review or KeepOpenForm(),
        "reviews": complaint.reviews.select_related("by").order_by("-at", "-pk")[:20],
        "next_review": next_review,
        "review_overdue": complaint.is_open and next_review < timezone.localdate(),
        "contacts": _contacts_of(complaint),
    }
    return render(request, "interactions/complaint.html", context, status=status)


def _contacts_of(complaint: Complaint) -> list[Interaction]:
    return list(complaint.interactions.select_related("staff").order_by("-occurred_at", "-pk")[:100])


def _seen(request: HttpRequest, rows: Any) -> Any:
    """Leave out restricted customers for those who may not see them (Art. 18 GDPR)."""
    if signed_in(request).may("customers.restricted"):
        return rows
    return rows.filter(Q(customer__restricted_at__isnull=True))


def _next_url(request: HttpRequest, cursor: str) -> str:
    if not cursor:
        return ""
    query = request.GET.copy()
    query["after"] = cursor
    return f"?{query.urlencode()}"


def _back(request: HttpRequest, default: str) -> str:
    """Back to one of the pages that hold such buttons; anything else is not followed."""
    number = request.POST.get("customer", "")
    if request.POST.get("back") == "customer" and number:
        return resolve_url("portal:customer_detail", number=number)
    show = request.POST.get("show", "")
    return f"{resolve_url(default)}?show={show if show in LISTS else 'mine'}"
