"""Retention runs: what would happen tonight, what happened, and the guard that waits for a person."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datamap.controlling import legal_zone
from datamap.keyset import page_of
from datamap.models import RetentionRule
from datamap.workdays import local_date
from privacy.models import Policy, RetentionBatch, RetentionRun
from privacy.purging import Report, approve_run, next_night, rehearse, report_of
from privacy.tasks import purge_by_night, work_on_run
from staff.access import permission_required, recent_login_required, signed_in


@require_GET
@permission_required("privacy.view")
def runs(http: HttpRequest) -> HttpResponse:
    """All runs, the newest first."""
    page = page_of(RetentionRun.objects.all(), "started_at", cursor=http.GET.get("after", ""))
    next_url = f"?after={page.next_cursor}" if page.next_cursor else ""
    return render(http, "privacy/runs.html", {"page": page, "next_url": next_url})


@require_http_methods(["GET", "POST"])
@permission_required("privacy.view")
def tonight(http: HttpRequest) -> HttpResponse:
    """What the next run of the night would do, or one that is started now: the night is another day, on which more is
    due. Destroys nothing and shows what will be destroyed."""
    now = timezone.now()
    today, night = local_date(now, legal_zone()), next_night(now)
    day = today if "now" in http.POST else night
    report = rehearse(day, warns_first=True) if http.method == "POST" else None
    context = {
        "report": report,
        "rows": named(report) if report else [],
        "days": Policy.current().warn_days,
        "is_another_day": night != today,
        "may_start": signed_in(http).may("privacy.approve"),
        "is_now": report is not None and report.as_of == today,
    }
    return render(http, "privacy/tonight.html", context)


@require_GET
@permission_required("privacy.view")
def run(http: HttpRequest, pk: str) -> HttpResponse:
    """One run: by rule what was due, deleted, anonymized, blocked, held, and what failed."""
    found = get_object_or_404(RetentionRun.objects.select_related("approved_by"), pk=pk)
    report = report_of(found)
    waiting = found.batches.filter(state=RetentionBatch.State.WAITING).count()
    context = {
        "run": found,
        "report": report,
        "rows": named(report),
        "waiting": waiting,
        "total": found.batches.count(),
        "may_approve": found.state == RetentionRun.State.GUARDED and signed_in(http).may("privacy.approve"),
        "failed": found.batches.filter(state=RetentionBatch.State.FAILED).order_by("pk")[:100],
    }
    return render(http, "privacy/run.html", context)


@require_POST
@permission_required("privacy.approve")
@recent_login_required
def run_approve(http: HttpRequest, pk: str) -> HttpResponse:
    """Let a guarded run go on."""
    found = get_object_or_404(RetentionRun, pk=pk)
    try:
        approve_run(found, signed_in(http))
    except RetentionRun.DoesNotExist:
        messages.warning(http, _("This run does not wait any more."))
    else:
        work_on_run.delay(str(found.pk))
        messages.success(http, _("Approved. The run goes on."))
    return redirect("privacy:run", pk=found.pk)


@require_POST
@permission_required("privacy.approve")
@recent_login_required
def run_start(http: HttpRequest) -> HttpResponse:
    """Start tonight's run now."""
    purge_by_night.delay()
    messages.success(http, _("The run starts. It appears in the list in a moment."))
    return redirect("privacy:runs")


def named(report: Report) -> list[dict[str, Any]]:
    """The figures of a report with what their rules are called, and how many rows went with their persons: those are
    not due by a period of their own."""
    rules = {rule.full_key: rule for rule in RetentionRule.objects.order_by("version")}
    return [
        {
            "key": key,
            "label": _(rules[key].category) if key in rules else key,
            "with_persons": max(sum(counts.values()) - 2 * counts["due"], 0),
            **counts,
        }
        for key, counts in report.as_dict()["categories"].items()
    ]
