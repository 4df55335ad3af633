"""The settings of a process that a test starts: the test's own database; the journal comes by JOURNAL_URL."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import BACKUP_DIR, DATABASES, INSTALLED_APPS, SEALED_ROOT

DATABASES["default"]["NAME"] = os.environ["PROCESS_DATABASE"]
SEALED_ROOT = os.environ.get("PROCESS_SEALED_ROOT", SEALED_ROOT)
BACKUP_DIR = os.environ.get("PROCESS_BACKUP_DIR", BACKUP_DIR)
INSTALLED_APPS = [*INSTALLED_APPS, "tests.datamap.eraser.apps.EraserConfig"]
JOURNAL_RECHECK_SECONDS = 0
