"""Databases that a test makes beside its own."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql


def drop(server: psycopg.Connection[Any], name: str) -> None:
    """Remove a database, if it is there, whoever is connected to it."""
    statement = sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name))
    try:
        server.execute(statement)  # ends an autovacuum by itself, which FORCE may not where we are no superuser
    except psycopg.errors.ObjectInUse:
        server.execute(statement + sql.SQL(" WITH (FORCE)"))
