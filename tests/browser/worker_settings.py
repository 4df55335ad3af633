"""Settings of the Celery worker that a browser test starts: the test's own database, files and queue."""

import json
import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES

DATABASES["default"].update(json.loads(os.environ["WORKER_DATABASE"]))
SEALED_ROOT = os.environ["WORKER_SEALED_ROOT"]
CELERY_TASK_DEFAULT_QUEUE = os.environ["WORKER_QUEUE"]
