"""What workers do for packages; which one and how far stands in the database."""

from celery import shared_task

from privacy.models import Package
from privacy.packages.building import work_on
from privacy.packages.expiring import drop_strays
from privacy.packages.expiring import expire_packages as expire_due


@shared_task
def build_package(package_id: int) -> None:
    """Build one package."""
    work_on(package_id)


@shared_task
def resume_packages() -> None:
    """Wake a worker for every package that nobody is building; beat asks every minute."""
    for pk in Package.objects.resumable().order_by("asked_at").values_list("pk", flat=True)[:100]:
        build_package.delay(pk)


@shared_task
def expire_packages() -> None:
    """End packages whose day has come; beat asks every hour."""
    expire_due()
    drop_strays()
