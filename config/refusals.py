"""What production must be told before it starts: one sentence for each thing that is missing."""

import os
from collections.abc import Mapping

SHORTEST_SECRET = 50
JOURNALS = ("file:///", "postgres://", "postgresql://")


def refusals(environment: Mapping[str, str]) -> list[str]:
    """Why an installation with DEBUG off does not start; nothing when it may."""

    def given(name: str) -> str:
        return environment.get(name, "").strip()

    reasons = []
    secret = given("SECRET_KEY")
    if not secret:
        reasons.append("SECRET_KEY is not set: give at least 50 random characters.")
    elif len(secret) < SHORTEST_SECRET or len(set(secret)) < 10 or secret.startswith("django-insecure-"):
        reasons.append("SECRET_KEY is too short or a default: give at least 50 random characters.")
    key_file = given("VAULT_KEY_FILE")
    if not given("VAULT_KEYS") and not key_file:
        reasons.append("No vault keys: set VAULT_KEYS or VAULT_KEY_FILE (docs/keys.md tells how to make them).")
    elif key_file and not os.access(key_file, os.R_OK):
        reasons.append("VAULT_KEY_FILE names a file that is missing or cannot be read.")
    if not given("DATABASE_URL"):
        reasons.append("DATABASE_URL is not set: name the PostgreSQL database, postgres://user@host/name.")
    if not given("REDIS_URL"):
        reasons.append("REDIS_URL is not set: name the Redis or Valkey server, redis://host:6379/0.")
    if not given("JOURNAL_URL").startswith(JOURNALS):
        reasons.append(
            "JOURNAL_URL is not set: name a folder that no backup of the database holds, file:///srv/obhut/journal, "
            "or a database of another PostgreSQL cluster, postgres://user@host/name."
        )
    hosts = [host.strip() for host in given("ALLOWED_HOSTS").split(",") if host.strip()]
    if not hosts:
        reasons.append("ALLOWED_HOSTS is not set: name the hosts of this installation, separated by commas.")
    elif "*" in hosts:
        reasons.append("ALLOWED_HOSTS must name the hosts of this installation; '*' is refused.")
    return reasons
