"""Where the database, the broker and the cache are, and as whom a process speaks to the database."""

import sys
from typing import Any

from config.settings.environment import DEBUG, VAR_DIR, env
from ops.places import socket_folder, state_folder

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
# Not where another client may get the connection after the next transaction.
MAY_PREPARE = env.str("PREPARE_AFTER", default="") != "0"

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
