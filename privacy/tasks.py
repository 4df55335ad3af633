"""What workers do for retention runs and erasures; how far they are stands in the database."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from datamap.controlling import legal_zone
from datamap.workdays import local_date
from privacy import notices, notifying, returning
from privacy.erasing import Refused, run_erasure
from privacy.models import Erasure, RetentionBatch, RetentionRun
from privacy.packages.tasks import build_package, expire_packages, resume_packages
from privacy.papers.versions import keep_first
from privacy.purging import plan_run, work
from privacy.removing import remove_files
from privacy.speakers_files import part_old_files
from privacy.warning import warn_inactive

__all__ = [
    "build_package",
    "expire_packages",
    "follow_notices",
    "purge_by_night",
    "resume_packages",
    "resume_rights",
    "retry_erasures",
    "work_on_erasure",
    "work_on_run",
]
WORKERS = 2


@shared_task
def purge_by_night() -> None:
    """Tell owners of accounts that end, plan tonight's retention run, and wake workers for it.

    In this order in one task: whoever can be told does not end by the same night's run."""
    today = local_date(timezone.now(), legal_zone())
    warn_inactive(today)
    run = plan_run(today, warns_first=True)
    if run.state == RetentionRun.State.RUNNING:
        for _worker in range(WORKERS):
            work_on_run.delay(str(run.pk))


@shared_task
def work_on_run(run_id: str) -> None:
    """Do batches of one run until none is free."""
    work(UUID(run_id))


@shared_task
def work_on_erasure(pk: int) -> None:
    """Run one erasure as far as it gets."""
    try:
        run_erasure(pk)
    except Refused:
        return  # it waits for a person or for its hour, and its page says so


@shared_task
def resume_rights() -> None:
    """Wake workers for what waits and nobody has; beat asks every minute, since the broker may have forgotten."""
    waiting = RetentionBatch.objects.filter(state=RetentionBatch.State.WAITING, run__state=RetentionRun.State.RUNNING)
    for run_id in waiting.values_list("run", flat=True).distinct()[:10]:
        work_on_run.delay(str(run_id))
    now = timezone.now()
    free = Q(lease__isnull=True) | Q(lease_until__lt=now)
    due = Q(state=Erasure.State.SCHEDULED, run_after__lte=now) | Q(state=Erasure.State.RUNNING)
    for pk in Erasure.objects.filter(free & due).values_list("pk", flat=True)[:100]:
        work_on_erasure.delay(pk)


@shared_task
def retry_erasures() -> None:
    """Ask again for erasures that a case or a store keeps open, see to what older ones left; beat asks every hour."""
    today = local_date(timezone.now(), legal_zone())
    waiting = Erasure.objects.filter(state__in=(Erasure.State.HELD, Erasure.State.OPEN_STORES), lease__isnull=True)
    waiting.update(as_of=today)
    for pk in waiting.values_list("pk", flat=True)[:1000]:
        work_on_erasure.delay(pk)
    remove_files()
    part_old_files()


@shared_task
def follow_notices() -> None:
    """What became of mails to recipients and of letters about requests; a notice that has arrived names nobody."""
    notifying.follow()
    returning.follow()
    notices.forget_told()


@shared_task
def keep_first_papers() -> None:
    """Keep the papers that nobody has kept yet; beat asks every night."""
    keep_first()
