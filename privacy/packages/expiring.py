"""Packages end: the file goes on its day, whether somebody fetched it or not (DSARPKG), and so do strays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from privacy.models import Package
from privacy.models.packaging import package_files

BATCH = 500
# A file is stored before its row says so: a younger one may belong to a package under way.
STRAY_AFTER = timedelta(days=1)


def expire_packages() -> int:
    """Delete the files of packages whose day has come; answers how many packages ended."""
    ended = 0
    for package in Package.objects.past_their_day().order_by("pk")[:BATCH]:
        ended += expire(package)
    return ended


def expire(package: Package) -> int:
    """End one package now: nobody can fetch it any more, then its file goes."""
    name = package.file.name
    with transaction.atomic():
        done = Package.objects.filter(pk=package.pk).exclude(state=Package.State.EXPIRED).update(
            state=Package.State.EXPIRED, file="", token_hash=None, lease=None, lease_until=None
        )  # fmt: skip
        package.redactions.all().delete()
    if name:
        package.file.storage.delete(name)
    return done


def drop_strays() -> int:
    """Delete files that no package names, and drafts of workers that died; answers how many."""
    storage = package_files()
    dropped = 0
    for name in _older_files(Path(storage.path(""))):
        if not Package.objects.filter(file=name).exists():
            storage.delete(name)
            dropped += 1
    return dropped


def _older_files(root: Path) -> Iterator[str]:
    limit = (timezone.now() - STRAY_AFTER).timestamp()
    for path in root.glob("*/*"):
        try:
            old = path.is_file() and path.stat().st_mtime < limit
        except FileNotFoundError:  # deleted meanwhile
            continue
        if old:
            yield path.relative_to(root).as_posix()
