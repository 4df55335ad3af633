"""The settings of a test run: those of development, quicker where a test would only wait."""

import os
import tempfile

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("OBHUT_DB_ROLE", "owner")

from config.settings import *  # noqa: F403, E402

# Removed with the process: a test run leaves no files.
_files = tempfile.TemporaryDirectory(prefix="obhut-test-")
MEDIA_ROOT = f"{_files.name}/media"
SEALED_ROOT = f"{_files.name}/sealed"
# A process that a test starts shares the test's journal (tests/conftest.py names it).
JOURNAL_URL = os.environ.get("JOURNAL_URL", f"file://{_files.name}/journal")
EMAIL_FILE_PATH = f"{_files.name}/mail"
BACKUP_DIR = f"{_files.name}/backups"
CHECKPOINT_FILE = f"{_files.name}/checkpoints.txt"
# What stands for ever in production is emptied between tests.
DATABASES["default"]["OPTIONS"]["options"] = "-c obhut.flush=on"  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_DEFAULT_QUEUE = "obhut-tests"  # never the queue of a development worker
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
STAFF_MFA_REQUIRED = False  # the tests of the second factor switch it on
