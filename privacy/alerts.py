"""What waits for the privacy role, as far as rights, holds, runs and accountability know it: fills the cockpit."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import HeldIntake
from datamap.controlling import legal_zone
from datamap.models import Quarantine, RetentionRule
from datamap.workdays import local_date
from mail.models import Message
from privacy import breaches
from privacy.breach_law import breach_law
from privacy.cockpit import INFO, STOP, WARN, Finding, register_task
from privacy.holding import overdue_cases, overdue_reviews, standing_holds
from privacy.models import Erasure, ErasureStep, Notice, Package, RetentionBatch, RetentionRun
from privacy.papers.versions import changed_kinds
from privacy.progress import failed_erasures, late_erasures
from privacy.recipients import unnamed_kinds

COUNTED = 1000
# A run begins every night; whoever looks in the evening has not missed one yet.
NO_RUN_AFTER = timedelta(hours=30)
HOLDS_SOON = timedelta(days=14)
SOON = timedelta(days=7)


def register_alerts() -> None:
    """Tell the cockpit; called from the app's `ready`."""
    register_task(
        "breaches", gettext_lazy("Breaches to be notified, or decided about"), _breaches, "privacy:breaches", STOP,
        permission="privacy.breaches",
    )  # fmt: skip
    register_task(
        "breaches_untold", gettext_lazy("Breaches of a high risk whose persons have not been told"),
        _untold, "privacy:breaches", STOP, permission="privacy.breaches",
    )  # fmt: skip
    register_task(
        "holds_overdue", gettext_lazy("Holds whose review is overdue"), _holds_overdue, "privacy:holds", STOP,
        permission="privacy.holds",
    )  # fmt: skip
    register_task(
        "restored", gettext_lazy("Restored from a backup: look through holds, rules and requests of after it"),
        _restored, "privacy:holds", STOP, permission="privacy.holds",
    )  # fmt: skip
    register_task(
        "mails_unknown", gettext_lazy("Mails of which nobody knows whether they arrived"), _mails_unknown,
        "mail:list?state=unknown", WARN, permission="mail.view",
    )  # fmt: skip
    register_task("run_guarded", gettext_lazy("Retention runs that wait for a person"), _guarded, "privacy:runs", STOP)
    register_task("run_missing", gettext_lazy("No retention run since yesterday"), _run_missing, "privacy:runs", STOP)
    register_task("rows_past", gettext_lazy("Rows past their last day"), _rows_past, "privacy:runs", STOP)
    register_task("run_failed", gettext_lazy("Failed batches of retention runs"), _failed_batches, "privacy:runs", STOP)
    register_task(
        "erasure_failed",
        gettext_lazy("Erasures with a failed step or store"),
        _failed_erasures,
        "privacy:erasures?state=failed",
        STOP,
    )
    register_task(
        "erasure_late",
        gettext_lazy("Erasures whose hour has come and that no worker ends"),
        _late_erasures,
        "privacy:erasures?state=late",
        STOP,
    )
    register_task(
        "packages", gettext_lazy("Data packages that failed, or that no worker builds"), _packages, "privacy:packages",
        WARN, permission="privacy.packages",
    )  # fmt: skip
    register_task("notices_back", gettext_lazy("Notices that came back"), _bounced, "privacy:notices?show=back", STOP)
    register_task("notices", gettext_lazy("Recipients to be told"), _notices, "privacy:notices", WARN)
    register_task(
        "erasure_waiting",
        gettext_lazy("Erasures that wait for a second person"),
        _waiting,
        "privacy:erasures?state=waiting",
        WARN,
    )
    register_task(
        "holds_soon", gettext_lazy("Holds to look at soon"), _holds_soon, "privacy:holds", WARN,
        permission="privacy.holds",
    )  # fmt: skip
    register_task(
        "cases_overdue", gettext_lazy("Open cases that have held data for a year"), _cases_overdue,
        "privacy:holds?show=cases", WARN, permission="privacy.holds",
    )  # fmt: skip
    register_task(
        "held_rows", gettext_lazy("Rows waiting for a decision"), _held_rows, "customers:held", WARN,
        permission="customers.held",
    )  # fmt: skip
    register_task("oldest_job", gettext_lazy("Jobs not yet done"), _oldest_job, "privacy:runs", INFO)
    register_task(
        "rules_review", gettext_lazy("Retention rules to look at"), _rules, "datamap:rules", INFO,
        permission="datamap.view",
    )  # fmt: skip
    register_task(
        "recipients", gettext_lazy("Kinds of recipients without a name"), _unnamed, "privacy:recipients", INFO
    )
    register_task(
        "papers", gettext_lazy("Papers that have changed since they were kept"), _papers, "privacy:papers", INFO,
        permission="datamap.view",
    )  # fmt: skip


def _restored() -> Finding:
    """The journal brings holds and rules back without their words, and no request; a journal that was lost brings back
    nothing: somebody has to look before the night deletes."""
    ended = Quarantine.objects.filter(ended_at__gt=timezone.now() - SOON).aggregate(last=Max("ended_at"))["last"]
    return Finding(int(ended is not None), _("on %s") % date_format(timezone.localtime(ended)) if ended else "")


def _mails_unknown() -> int:
    return Message.objects.filter(state=Message.State.UNKNOWN)[:COUNTED].count()


def _breaches() -> Finding:
    found = list(breaches.running()[:COUNTED])
    law = breach_law()
    due = min((breaches.due_at(breach, law) for breach in found), default=None)
    if due is None:
        return Finding(0)
    words = _("due %s") if due > timezone.now() else _("overdue since %s")
    return Finding(len(found), words % date_format(due, "SHORT_DATETIME_FORMAT"))


def _untold() -> int:
    return len(breaches.untold())


def _holds_overdue() -> int:
    return overdue_reviews()[:COUNTED].count()


def _holds_soon() -> int:
    today = local_date(timezone.now(), legal_zone())
    return standing_holds().filter(review_on__gte=today, review_on__lte=today + HOLDS_SOON)[:COUNTED].count()


def _cases_overdue() -> int:
    return len(overdue_cases(COUNTED))


def _guarded() -> int:
    return RetentionRun.objects.filter(state=RetentionRun.State.GUARDED)[:COUNTED].count()


def _run_missing() -> int:
    """One where runs have been and none is recent: a fresh installation is no alarm."""
    latest = RetentionRun.objects.order_by("-started_at").values_list("started_at", flat=True).first()
    return int(latest is not None and latest < timezone.now() - NO_RUN_AFTER)


def _rows_past() -> int:
    """What the runs that came to an end had chosen and did not do."""
    return sum(len(batch.ids) for batch in _left_undone())


def _left_undone() -> list[RetentionBatch]:
    """The batches that the last run over all rules left, and those of single rules since, as long as no later run of
    that rule had them again: each run chooses anew what is due, so an earlier one says nothing any more."""
    ended = (RetentionRun.State.DONE, RetentionRun.State.INCOMPLETE)
    runs = RetentionRun.objects.filter(state__in=ended).order_by("-started_at")
    over_all = runs.filter(only="").first()
    since = list(runs.filter(started_at__gte=over_all.started_at) if over_all else runs[:COUNTED])
    later = {run.only: run.started_at for run in reversed(since) if run.only}
    left = RetentionBatch.objects.filter(run__in=since).exclude(state=RetentionBatch.State.DONE)
    return [
        batch
        for batch in left.select_related("run").order_by("pk")[:COUNTED]
        if later.get(batch.category.removeprefix("STORE:"), batch.run.started_at) <= batch.run.started_at
    ]


def _failed_batches() -> int:
    return sum(batch.state == RetentionBatch.State.FAILED for batch in _left_undone())


def _failed_erasures() -> int:
    return failed_erasures().values("pk")[:COUNTED].count()


def _late_erasures() -> int:
    return late_erasures().values("pk")[:COUNTED].count()


def _packages() -> int:
    return Package.objects.waiting_for_a_person().values("pk")[:COUNTED].count()


def _waiting() -> int:
    return Erasure.objects.filter(state=Erasure.State.WAITING)[:COUNTED].count()


def _bounced() -> int:
    return Notice.archive.filter(state=Notice.State.BOUNCED)[:COUNTED].count()


def _notices() -> Finding:
    waiting = Notice.archive.filter(state=Notice.State.QUEUED)
    return Finding(waiting[:COUNTED].count(), _since(waiting.aggregate(first=Min("queued_at"))["first"]))


def _held_rows() -> int:
    return HeldIntake.objects.filter(decision="")[:COUNTED].count()


def _oldest_job() -> Finding:
    """Batches and steps that some worker should have taken by now."""
    batches = RetentionBatch.objects.filter(state=RetentionBatch.State.WAITING, run__state=RetentionRun.State.RUNNING)
    steps = ErasureStep.objects.filter(state=ErasureStep.State.WAITING, erasure__state=Erasure.State.RUNNING)
    since = [
        batches.aggregate(first=Min("run__started_at"))["first"],
        steps.aggregate(first=Min("at"))["first"],
    ]
    oldest = min((at for at in since if at), default=None)
    return Finding(batches[:COUNTED].count() + steps[:COUNTED].count(), _since(oldest))


def _rules() -> int:
    today = local_date(timezone.now(), legal_zone())
    newest: dict[str, RetentionRule] = {}
    for rule in RetentionRule.objects.order_by("version"):
        newest[rule.full_key] = rule
    return sum(rule.review_on is not None and rule.review_on < today for rule in newest.values())


def _unnamed() -> Finding:
    kinds = unnamed_kinds()
    return Finding(len(kinds), ", ".join(map(str, kinds)))


def _papers() -> int:
    return len(changed_kinds())


def _since(at: datetime | None) -> str:
    return _("oldest since %s") % date_format(at, "SHORT_DATETIME_FORMAT") if at else ""
