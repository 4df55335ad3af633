"""Settings of an Obhut installation, read from the environment; the defaults are safe for production."""

import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from django.utils.translation import gettext_lazy as _

from ops.places import socket_folder, state_folder

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="development-only" if DEBUG else "")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"] if DEBUG else [])

# Without addresses, and only in development, the servers are the embedded ones (`manage.py services`).
EMBEDDED_DATABASE = DEBUG and not env.str("DATABASE_URL", default="")
EMBEDDED_BROKER = DEBUG and not env.str("REDIS_URL", default="")
EMBEDDED_STATE_DIR = state_folder(VAR_DIR)
EMBEDDED_SOCKET_DIR = socket_folder(EMBEDDED_STATE_DIR)
PG_BINDIR = env.str("PG_BINDIR", default="")
# What changes tables or empties them whole runs as their owner; everything else as the app's own role.
OWNER_COMMANDS = (["migrate"], ["flush"], ["test"], ["demo"], ["sqlflush"], ["createcachetable"])


def database(role: str) -> dict[str, Any]:
    """The connection of one of the two database roles, "app" or "owner"."""
    if EMBEDDED_DATABASE:
        return environ.Env.db_url_config(
            f"postgres://obhut_{role}@{quote(str(EMBEDDED_SOCKET_DIR), safe='')}/obhut"
        )
    if role == "owner" and env.str("OWNER_DATABASE_URL", default=""):
        return env.db_url("OWNER_DATABASE_URL")
    return env.db_url("DATABASE_URL")


INSTALLED_APPS = [
    "vault",
    "datamap",
    "staff",
    "customers",
    "orders",
    "interactions",
    "intake",
    "portal",
    "ops",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "simple_history",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASE_ROLE = env.str("OBHUT_DB_ROLE", default="owner" if sys.argv[1:2] in OWNER_COMMANDS else "app")
DATABASES = {"default": database(DATABASE_ROLE)}
DATABASES["default"]["CONN_MAX_AGE"] = 60
DATABASES["default"]["TEST"] = {"NAME": env.str("TEST_DATABASE", default="test_obhut")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default=f"unix://{EMBEDDED_SOCKET_DIR}/valkey.sock" if DEBUG else "")
VAULT_KEYS = env.str("VAULT_KEYS", default="")
VAULT_KEY_FILE = env.str("VAULT_KEY_FILE", default="")
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=True)
STAFF_IDLE_SECONDS = 1800
STAFF_ABSOLUTE_SECONDS = 43200
AUTH_USER_MODEL = "staff.User"
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = VAR_DIR / "media"
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
SIMPLE_HISTORY_DATE_INDEX = False
