"""The settings of processes whose database or broker is a test's own, to go away under them."""

import os

from tests.privacy.process_settings import *  # noqa: F403
from tests.privacy.process_settings import DATABASES, REDIS_URL, VAR_DIR

if host := os.environ.get("PROCESS_HOST"):
    DATABASES["default"] |= {"HOST": host, "USER": "postgres"}
DEBUG = False  # faults look as they look in production
VAULT_KEY_FILE = str(VAR_DIR / "vault.keys")
ALLOWED_HOSTS = ["127.0.0.1"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
EMAIL_BACKEND = "mail.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("PROCESS_SMTP_PORT", "9"))
