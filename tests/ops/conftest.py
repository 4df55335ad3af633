"""What tests of these commands share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from psycopg import sql

from benchmarks.building import drop
from tests.ops.restoring import server


@pytest.fixture
def target() -> Iterator[str]:
    """An empty database of its own on the same server."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with server() as other:
        drop(other, name)
        other.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield name
    with server() as other:
        drop(other, name)
