"""The settings of a process that a test starts: the test's own database; the journal comes by JOURNAL_URL."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["PROCESS_DATABASE"]
