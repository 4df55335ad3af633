"""The settings of a process that a test of faults starts: the test's own database, files and journal."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, SEALED_ROOT

DEBUG = True  # the points at which a process ends itself exist on a developer's machine alone
DATABASES["default"]["NAME"] = os.environ["PROCESS_DATABASE"]
SEALED_ROOT = os.environ.get("PROCESS_SEALED_ROOT", SEALED_ROOT)
JOURNAL_RECHECK_SECONDS = 0
