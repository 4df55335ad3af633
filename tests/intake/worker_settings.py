"""The settings of a worker process that a test starts: the test's own database, queue and files."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
SEALED_ROOT = os.environ["WORKER_SEALED_ROOT"]
