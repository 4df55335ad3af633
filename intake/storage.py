"""Where uploaded files lie: sealed, under random names, outside the web root."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.tables import Opener, UnreadableFile
from vault.files import SealedFileStorage

LABEL = "intake.files"


def sealed_files() -> SealedFileStorage:
    """The storage of import files."""
    return SealedFileStorage(LABEL)


def opener_of(file: FieldFile) -> Opener:
    """Opens a stored file as often as asked. It raises UnreadableFile where the file lies on another machine."""

    def open_again():
        try:
            return file.storage.open(str(file.name))
        except FileNotFoundError:
            raise UnreadableFile(
                _(
                    "The stored file is not on this machine: the web server and the worker must share one folder "
                    "(SEALED_ROOT)."
                )
            ) from None

    return open_again


def older_files(storage: Storage, age: timedelta) -> Iterator[str]:
    """Names of files that have lain there longer than this, drafts of writers that died included."""
    limit = (timezone.now() - age).timestamp()
    root = Path(storage.path(""))
    for path in root.glob("*/*"):
        try:
            old = path.is_file() and path.stat().st_mtime < limit
        except FileNotFoundError:  # deleted meanwhile
            continue
        if old:
            yield path.relative_to(root).as_posix()
