"""Files of letters that nobody names any more."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from mail.models import Enclosure

# A file is stored before its letter is committed: a younger one may belong to one that is being written.
ORPHAN_AGE = timedelta(days=1)


def drop_orphans() -> int:
    """Delete files whose letter was never saved, or went without them; answers how many."""
    storage: Any = Enclosure._meta.get_field("file").storage
    oldest = time.time() - ORPHAN_AGE.total_seconds()
    gone = 0
    for path in Path(storage.location).glob("*/*"):
        name = path.relative_to(storage.location).as_posix()
        if path.is_file() and path.stat().st_mtime < oldest and not Enclosure.objects.filter(file=name).exists():
            storage.delete(name)
            gone += 1
    return gone
