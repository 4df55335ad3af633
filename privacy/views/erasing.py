"""Erasures: the plan that is shown before anything happens, the second person, the undo window, the receipt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from customers import tombstones
from customers.access import Erased
from customers.models import Customer
from datamap.catalogue import cited
from datamap.controlling import legal_zone
from datamap.keyset import page_of
from datamap.workdays import local_date
from privacy import letters
from privacy.access import person_for, person_of
from privacy.erasing import Refused, approve_erasure, ask_erasure, cancel_erasure, erasure_of_number
from privacy.models import Erasure, Policy, Request
from privacy.notices import recipients_to_tell
from privacy.paging import next_url
from privacy.planning import plan_erasure, said_holds, said_items
from privacy.progress import failed_erasures, late_erasures
from privacy.tasks import work_on_erasure
from staff.access import permission_required, recent_login_required, signed_in

ACTIONS = ("delete", "anonymize", "block", "keep")
REFRESH_SECONDS = 4


@require_GET
@permission_required("privacy.view")
def erasures(http: HttpRequest) -> HttpResponse:
    """All erasures, the newest first, or those that wait for somebody; finished ones name nobody."""
    rows, state = Erasure.objects.select_related("requested_by", "request"), http.GET.get("state", "")
    if state == "waiting":
        rows = rows.filter(state=Erasure.State.WAITING)
    elif state == "failed":
        rows = rows.filter(pk__in=failed_erasures().values("pk"))
    elif state == "late":
        rows = rows.filter(pk__in=late_erasures().values("pk"))
    page = page_of(rows, "created_at", cursor=http.GET.get("cursor", ""))
    shown = state if state in ("waiting", "failed", "late") else ""
    return render(
        http, "privacy/erasures.html", {"page": page, "shown": shown, "next_url": next_url(http, page.next_cursor)}
    )


@require_POST
@permission_required("privacy.view")
def erased_find(http: HttpRequest) -> HttpResponse:
    """The receipt of who had this customer number; of whom the night ended, the page of their recipients."""
    number = http.POST.get("number", "").strip()
    gone = tombstones.erasure_of_number(number)
    if gone is None or Customer.objects.filter(number=number).exists():
        messages.info(http, _("Nobody who had this customer number has been erased."))
        return redirect("privacy:erasures")
    receipt = erasure_of_number(number)
    return redirect("privacy:erasure", pk=receipt.pk) if receipt else redirect("privacy:ended", subject_ref=gone[1])


@require_http_methods(["GET", "POST"])
@permission_required("privacy.erase")
@recent_login_required
def erase(http: HttpRequest, number: str) -> HttpResponse:
    """What the erasure of this customer will do, and the button that asks for it."""
    try:
        person = person_for(http, number, page="privacy:erase")
    except Erased:
        if (done := erasure_of_number(number)) is None:
            if (gone := tombstones.erasure_of_number(number)) is None:
                raise
            messages.info(http, _("The nightly run has ended this customer."))
            return redirect("privacy:ended", subject_ref=gone[1])
        messages.info(http, _("This customer has been erased already; this is the receipt."))
        return redirect("privacy:erasure", pk=done.pk)
    running = Erasure.objects.filter(customer=person, state__in=Erasure.OPEN_STATES).first()
    if http.method == "POST":
        return _ask(http, person, running)
    asked = Request.objects.filter(
        customer=person, contact_person=None, kind=Request.Kind.ERASURE, closed_at__isnull=True
    )
    context = {
        "customer": person,
        "name": letters.named(person),
        "case": asked.order_by("pk").first(),
        "recipients": recipients_to_tell(person.pk, None),
        "policy": Policy.current(),
        "running": running,
        **_planned(person),
    }
    return render(http, "privacy/erase.html", context)


def _ask(http: HttpRequest, person: Customer, running: Erasure | None) -> HttpResponse:
    return asked(http, ask_erasure(person, user=signed_in(http)), running)


def asked(http: HttpRequest, erasure: Erasure, running: Erasure | None) -> HttpResponse:
    """What becomes of an erasure that was asked for, told on its page; `running` is one that was there before."""
    if running is not None:
        messages.info(http, _("An erasure of this person was asked for before."))
    elif erasure.state == Erasure.State.WAITING:
        messages.success(http, _("The erasure waits for a second person."))
    else:
        messages.success(http, _set_going(erasure))
    return redirect("privacy:erasure", pk=erasure.pk)


def _set_going(erasure: Erasure) -> str:
    """Wake a worker unless the erasure can still be undone; answers what the person is told."""
    if erasure.run_after > timezone.now():
        return _("The erasure is scheduled; until it runs it can be undone.")
    work_on_erasure.delay(erasure.pk)
    return _("The erasure is on its way.")


def _planned(person: Customer) -> dict[str, Any]:
    """What the plan of today says, as the page shows it."""
    plan = plan_erasure(person, local_date(timezone.now(), legal_zone()))
    items = plan.as_dicts()
    return {"rows": shown(items), "sums": sums(items), "holds": plan.holds}


@require_GET
@permission_required("privacy.view")
def erasure(http: HttpRequest, pk: int) -> HttpResponse:
    """One erasure: what it will do, how far it is, and its receipt: counts and reasons, no content."""
    found = get_object_or_404(
        Erasure.objects.select_related("requested_by", "approved_by", "cancelled_by", "request"), pk=pk
    )
    return _show(http, found)


@require_POST
@permission_required("privacy.approve")
@recent_login_required
def erasure_approve(http: HttpRequest, pk: int) -> HttpResponse:
    """The second person agrees."""
    found = get_object_or_404(Erasure, pk=pk)
    try:
        approve_erasure(found, signed_in(http))
    except Refused as refused:
        return _show(http, found, problem=str(refused), status=409)
    messages.success(http, _set_going(found))
    return redirect("privacy:erasure", pk=found.pk)


@require_POST
@permission_required("privacy.erase")
def erasure_cancel(http: HttpRequest, pk: int) -> HttpResponse:
    """Undo an erasure that has not begun."""
    found = get_object_or_404(Erasure, pk=pk)
    try:
        cancel_erasure(found, by=signed_in(http))
    except Refused as refused:
        return _show(http, found, problem=str(refused), status=409)
    messages.success(http, _("The erasure is undone; nothing was deleted."))
    return redirect("privacy:erasure", pk=found.pk)


def _show(http: HttpRequest, found: Erasure, *, problem: str = "", status: int = 200) -> HttpResponse:
    user = signed_in(http)
    person = person_of(http, found, page="privacy:erasure")
    done = {"rows": shown(found.items), "sums": sums(found.items), "holds": said_holds(found.holds)}
    context = {
        "erasure": found,
        "customer": person,
        "steps": found.steps.order_by("pk"),
        "problem": problem,
        # Closing the case of somebody erased blocks its file: then the archive alone leads there.
        "on_desk": found.request_id is not None and Request.on_desk().filter(pk=found.request_id).exists(),
        "may_archive": user.may("documents.archive"),
        "may_note": found.customer_id is None and bool(found.started_at) and user.may("privacy.recipients"),
        "may_cancel": found.is_undoable and user.may("privacy.erase"),
        "may_approve": found.state == Erasure.State.WAITING
        and found.requested_by_id != user.pk
        and user.may("privacy.approve"),
        # Whoever approves sees what goes, as it is today.
        **(_planned(person) if person is not None and found.is_undoable else done),
    }
    response = render(http, "privacy/erasure.html", context, status=status)
    due = found.state == Erasure.State.SCHEDULED and found.run_after <= timezone.now()
    if due or found.state == Erasure.State.RUNNING:
        response["Refresh"] = str(REFRESH_SECONDS)
    return response


def shown(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of a plan or a receipt as the page names them; the history of all models is one line."""
    rows: list[dict[str, Any]] = []
    history = 0
    for item in said_items(items):
        model = apps.get_model(item["model"])
        if hasattr(model, "instance_type"):
            history += item["count"]
            continue
        rows.append(
            item
            | {
                "label": model._meta.verbose_name_plural,
                "day": parse_date(item["until"]) if item["until"] else None,
                "statute": cited(item["statute"]),
            }
        )
    rows.sort(key=lambda row: (ACTIONS.index(row["action"]), str(row["label"]).casefold(), row["until"] or ""))
    if history:
        rows.append(
            {"label": _("history of changes"), "action": "delete", "count": history, "day": None, "statute": "",
             "reason": _("History goes with its row.")}
        )  # fmt: skip
    return rows


def sums(items: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How many rows each action takes."""
    found = dict.fromkeys(ACTIONS, 0)
    for item in items:
        found[item["action"]] += item["count"]
    return found
