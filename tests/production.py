"""Runs a Python program with throw-away production settings: `python -m tests.production manage.py check`."""

import os
import secrets
import sys
from base64 import b64encode


def production_environment() -> dict[str, str]:
    """The smallest environment with which Obhut starts with DEBUG off; its keys are made on the spot."""
    keys = [f"{kind}:1:{b64encode(secrets.token_bytes(32)).decode()}" for kind in ("seal", "index", "list")]
    return {
        "PATH": os.environ.get("PATH", ""),
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(60),
        "VAULT_KEYS": ",".join(keys),
        "DATABASE_URL": "postgres://obhut@localhost/obhut",
        "REDIS_URL": "redis://localhost:6379/0",
        "JOURNAL_URL": "file:///srv/obhut/journal",
        "ALLOWED_HOSTS": "obhut.example",
    }


if __name__ == "__main__":
    os.execve(sys.executable, [sys.executable, *sys.argv[1:]], production_environment())  # noqa: S606
