"""The settings of a worker process that a test starts: the test's own database, queue, files and mail server."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["WORKER_DATABASE"]
EMAIL_BACKEND = "mail.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["WORKER_SMTP_PORT"])
