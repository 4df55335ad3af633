"""What the other settings ask first: the environment, where things lie, and whether this is a developer's machine."""

import os
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from config.refusals import refusals

BASE_DIR = Path(__file__).resolve().parent.parent.parent

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))

DEBUG = env.bool("DEBUG", default=False)
if not DEBUG and (reasons := refusals(os.environ)):
    raise ImproperlyConfigured("\n".join(reasons))
SECRET_KEY = env.str("SECRET_KEY", default="development-only" if DEBUG else "")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
# Links in mails come from here, never from a request's Host header.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000" if DEBUG else f"https://{ALLOWED_HOSTS[0].lstrip('.')}")
