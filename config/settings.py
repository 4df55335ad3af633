"""Settings of an Obhut installation, read from the environment; the defaults are safe for production."""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config.logs import logging_settings
from config.refusals import refusals
from ops.places import socket_folder, state_folder

BASE_DIR = Path(__file__).resolve().parent.parent

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

INSTALLED_APPS = [
    "vault",
    "datamap",
    "staff",
    "customers",
    "mail",
    "consents",
    "orders",
    "interactions",
    "tracking",
    "privacy",
    "intake",
    "portal",
    "ops",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "simple_history",
    "anymail",
    "csp",
]
MIDDLEWARE = [
    "config.middleware.request_log",
    "config.middleware.refuse_methods",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.no_store",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "config.middleware.refuse_in_quarantine",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "staff.middleware.LanguageMiddleware",
    "staff.middleware.SessionLifeMiddleware",
    "staff.middleware.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "config.outages.answer_outages",
    *(["config.middleware.own_not_found"] if DEBUG else []),
    "customers.middleware.answer_erased",
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
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
SIMPLE_HISTORY_DATE_INDEX = False

# --- Database and broker ------------------------------------------------------------------------------------
# Without addresses, and only in development, the servers are the embedded ones (`manage.py services`).
EMBEDDED_DATABASE = DEBUG and not env.str("DATABASE_URL", default="")
EMBEDDED_BROKER = DEBUG and not env.str("REDIS_URL", default="")
EMBEDDED_STATE_DIR = state_folder(VAR_DIR)
EMBEDDED_SOCKET_DIR = socket_folder(EMBEDDED_STATE_DIR)
PG_BINDIR = env.str("PG_BINDIR", default="")
# What changes tables, empties them whole, rebuilds their statistics or copies them runs as their owner; everything else
# as the app's own role, which may only read and write rows. `dev` brings the tables up to date and is none but this
# one process: what it starts serves as the app.
OWNER_COMMANDS = {"migrate", "dev", "flush", "test", "demo", "backup", "restore"}
DATABASE_ROLE = env.str("OBHUT_DB_ROLE", default="owner" if OWNER_COMMANDS & set(sys.argv[1:2]) else "app")


def database(role: str) -> dict[str, Any]:
    """The connection of one of the two database roles, "app" or "owner"."""
    config: dict[str, Any]
    if EMBEDDED_DATABASE:
        config = {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": str(EMBEDDED_SOCKET_DIR),
            "NAME": "obhut",
            "USER": f"obhut_{role}",
        }
    elif role == "owner" and env.str("OWNER_DATABASE_URL", default=""):
        config = env.db_url("OWNER_DATABASE_URL")
    else:
        config = env.db_url("DATABASE_URL")
    config.setdefault("OPTIONS", {})
    # config/wsgi.py sets both for web pages.
    options = []
    if milliseconds := env.int("STATEMENT_TIMEOUT_MS", default=0):
        options.append(f"-c statement_timeout={milliseconds}")
    if uses := env.int("PREPARE_AFTER", default=0):
        config["OPTIONS"]["prepare_threshold"] = uses
        # What is prepared has one plan that is right for all values (datamap/preparing.py): none is made again.
        options.append("-c plan_cache_mode=force_generic_plan")
    if sys.argv[1:2] == ["flush"]:
        options.append("-c obhut.flush=on")  # the ledger of consents is emptied by nothing else
    if options:
        config["OPTIONS"]["options"] = " ".join(options)
    return config | {
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": env.str("TEST_DATABASE", default="test_obhut")},
    }


DATABASES = {"default": database(DATABASE_ROLE)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_SOCKET = EMBEDDED_SOCKET_DIR / "valkey.sock"
REDIS_URL = f"unix://{VALKEY_SOCKET}" if EMBEDDED_BROKER else env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "obhut",
        "OPTIONS": {"serializer": "config.serializing.JsonSerializer"},
    }
}

# Celery only wakes workers; what is to be done stands in PostgreSQL.
CELERY_BROKER_URL = f"redis+socket://{VALKEY_SOCKET}" if EMBEDDED_BROKER else REDIS_URL
# A killed worker's task comes back after this many seconds; kombu looks on every sweep, not on each tenth.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env.int("CELERY_VISIBILITY_TIMEOUT", default=900),
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Europe/Berlin"
# A task that finds nothing to do costs a query; what must not be lost is asked for every minute.
CELERY_BEAT_SCHEDULE = {
    "seal-ledger": {"task": "consents.tasks.seal_ledger", "schedule": 60.0},
    "send-receipts": {"task": "consents.tasks.send_receipts", "schedule": crontab(minute="*/10")},
    "send-checkpoint": {"task": "consents.tasks.send_checkpoint", "schedule": crontab(hour="7", minute="5")},
    "sign-ledger": {"task": "consents.tasks.sign_ledger", "schedule": crontab(minute="35")},
    "prepare-months": {"task": "tracking.tasks.prepare_months", "schedule": crontab(hour="1", minute="40")},
    "cut-devices": {"task": "tracking.tasks.cut_devices", "schedule": crontab(hour="2", minute="25")},
    "resume-batches": {"task": "intake.tasks.resume_batches", "schedule": 60.0},
    "follow-notices": {"task": "privacy.tasks.follow_notices", "schedule": 300.0},
    "resume-packages": {"task": "privacy.packages.tasks.resume_packages", "schedule": 60.0},
    "expire-packages": {"task": "privacy.packages.tasks.expire_packages", "schedule": crontab(minute="15")},
    "expire-import-files": {"task": "intake.tasks.expire_files", "schedule": crontab(hour="2", minute="10")},
    "pulse": {"task": "ops.tasks.pulse", "schedule": 60.0},
    "rotate-backups": {"task": "ops.tasks.rotate_backups", "schedule": crontab(hour="3", minute="10")},
    "keep-journal": {"task": "datamap.tasks.keep_journal", "schedule": crontab(minute="5")},
    "trim-journal": {"task": "datamap.tasks.trim_journal", "schedule": crontab(hour="3", minute="20")},
    "purge": {"task": "privacy.tasks.purge_by_night", "schedule": crontab(hour="3", minute="30")},
    "resume-rights": {"task": "privacy.tasks.resume_rights", "schedule": 60.0},
    "retry-erasures": {"task": "privacy.tasks.retry_erasures", "schedule": crontab(minute="45")},
    "warn-inactive": {"task": "privacy.tasks.warn_inactive_accounts", "schedule": crontab(hour="4", minute="30")},
    "keep-first-papers": {"task": "privacy.tasks.keep_first_papers", "schedule": crontab(hour="4", minute="50")},
    "end-sessions": {"task": "staff.tasks.drop_ended_sessions", "schedule": crontab(hour="2", minute="30")},
    "drop-claims": {"task": "customers.tasks.drop_claims", "schedule": crontab(hour="2", minute="20")},
    "deliver-mail": {"task": "mail.tasks.deliver", "schedule": 60.0},
    "work-off-mail-events": {"task": "mail.tasks.work_off", "schedule": 60.0},
    "drop-orphan-enclosures": {"task": "mail.tasks.drop_orphan_files", "schedule": crontab(hour="2", minute="50")},
    "recount-search-words": {
        "task": "customers.tasks.recount_search_words",
        "schedule": crontab(hour="2", minute="40"),
    },
}

# --- Keys of the vault --------------------------------------------------------------------------------------
VAULT_KEYS = env.str("VAULT_KEYS", default="")
VAULT_KEY_FILE = env.str("VAULT_KEY_FILE", default="")
SEALED_ROOT = env.str("SEALED_ROOT", default=str(VAR_DIR / "sealed"))  # sealed files, outside any web root

# --- Journal and backups ------------------------------------------------------------------------------------
# Outside the database and its backups: file:///folder on one host, postgres://... of another cluster on several.
JOURNAL_URL = env.str("JOURNAL_URL", default=(VAR_DIR.resolve() / "journal").as_uri() if DEBUG else "")
JOURNAL_RECHECK_SECONDS = 10
# Signed marks of how far the ledger of consents reaches: outside the database and its backups.
CHECKPOINT_FILE = env.str("CHECKPOINT_FILE", default=str(VAR_DIR / "checkpoints.txt"))
BACKUP_DIR = env.str("BACKUP_DIR", default=str(VAR_DIR / "backups"))

# --- Signing in ---------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=True)
STAFF_IDLE_SECONDS = 1800
STAFF_ABSOLUTE_SECONDS = 43200
ACCOUNT_ADAPTER = "staff.adapters.AccountAdapter"
MFA_ADAPTER = "staff.adapters.MFAAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # no mail to strangers
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key", "reauthenticate": "5/m/user"}
PASSWORD_RESET_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Obhut"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an invite has proved the address
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be off by half a minute
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Cookies, transport, headers ----------------------------------------------------------------------------
# The __Host- prefix needs TLS, which a developer's machine has not.
COOKIE_PREFIX = "" if DEBUG else "__Host-"
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # survives a lost Redis
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}obhut-session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = STAFF_ABSOLUTE_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}obhut-csrf"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}obhut-language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(SITE_URL))]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=not DEBUG)
# A mail program that unsubscribes follows no redirect (RFC 8058).
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^c/u/"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 63072000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
if env.bool("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies of ours stand before the app, for the caller's address in rate limits.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # Bootstrap's arrows and the QR code of the second factor
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}

# --- Files, mail, language ----------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = None if DEBUG else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_BACKEND = "django.contrib.staticfiles.storage.StaticFilesStorage"
MANIFEST_BACKEND = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": STATIC_BACKEND if DEBUG else MANIFEST_BACKEND},
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG
MEDIA_ROOT = env.str("MEDIA_ROOT", default=str(VAR_DIR / "media"))
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "config.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "config.uploads.SealedUpload",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # files of a form are not counted
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
INTAKE_MAX_BYTES = env.int("INTAKE_MAX_BYTES", default=2 * 1024**3)
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=10 * 1024 * 1024)
# Pages that may report visits, and what signs whom a device belongs to; without them those doors are closed.
TRACKING_ORIGINS = env.list("TRACKING_ORIGINS", default=[])
TRACKING_LINK_SECRETS = env.list("TRACKING_LINK_SECRETS", default=[])  # several while one is replaced
EXPORT_CAP = env.int("EXPORT_CAP", default=5000)  # rows of a list that one export may take out

MAIL = env.email_url("EMAIL_URL", default=f"filemail:///{VAR_DIR}/mail" if DEBUG else "smtp://localhost:25")
# Ours also notes how far a mail had come when the connection broke.
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_BACKEND = "mail.smtp.EmailBackend" if MAIL["EMAIL_BACKEND"] == SMTP_BACKEND else MAIL["EMAIL_BACKEND"]
if provider := env.str("MAIL_PROVIDER", default=""):  # brevo, postmark, …: mails go through its web interface
    EMAIL_BACKEND = f"anymail.backends.{provider}.EmailBackend"
EMAIL_FILE_PATH = MAIL["EMAIL_FILE_PATH"]
EMAIL_HOST, EMAIL_PORT = MAIL["EMAIL_HOST"], MAIL["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL["EMAIL_HOST_USER"], MAIL["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = MAIL.get("EMAIL_USE_TLS", False), MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
# Keys of the provider as JSON, and who may report to us ("user:password", several while one is replaced).
ANYMAIL = {
    "IGNORE_UNSUPPORTED_FEATURES": True,
    "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
    **env.json("ANYMAIL", default={}),
    "WEBHOOK_SECRET": env.list("MAIL_WEBHOOK_SECRET", default=[]),
}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="obhut@localhost")

LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
FORMAT_MODULE_PATH = "config.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True

LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_settings(plain=DEBUG)
