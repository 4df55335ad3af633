"""The portal as it is served in production, with Django's admin and a bare page beside it to compare with."""

import os

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("PREPARE_AFTER", "5")  # as config/wsgi.py does

from config.settings import *  # noqa: F403, E402
from config.settings import (  # noqa: E402
    DATABASES,
    INSTALLED_APPS,
    STORAGES,
    VAR_DIR,
    VAULT_KEY_FILE,
    VAULT_KEYS,
)

# Query logs and template reloading would be measured otherwise.
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
# The keys that development made; without DEBUG nothing makes any.
VAULT_KEY_FILE = VAULT_KEY_FILE or ("" if VAULT_KEYS else str(VAR_DIR / "vault.keys"))
STAFF_MFA_REQUIRED = False
DATABASES["default"]["NAME"] = os.environ.get("BENCH_DATABASE", DATABASES["default"]["NAME"])
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.admin"]
ROOT_URLCONF = "benchmarks.page_urls"
LOGGING_CONFIG = None
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
