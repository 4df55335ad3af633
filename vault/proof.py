"""Compares the keys of this process with those the database knows, before anything is read or written."""

from typing import Any

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db import connections
from django.db.backends.base.base import NO_DB_ALIAS, BaseDatabaseWrapper

from vault.columns import quoted, sealed_columns
from vault.keyring import Key, KeyRing, SealError, keyring
from vault.models import KeyRecord

_proven: set[tuple[str, str]] = set()

Recorded = dict[tuple[str, int], tuple[str, bool]]


class WrongKeys(ImproperlyConfigured, CommandError):
    """The keys do not belong to this database; commands print it as one sentence."""


def verify_keys(using: str = "default") -> None:
    """Refuse keys that do not belong to this database, and record the fingerprints of new ones.

    Nothing is written before every key already known here has proven itself. The first keys of a
    database must open what is sealed in it. Raises WrongKeys.
    """
    connection = connections[using]
    recorded = _recorded(connection)
    if recorded is None:
        return  # not migrated yet
    ring = keyring()
    if fault := _fault(ring, recorded):
        raise WrongKeys(fault)
    if not recorded:
        _open_samples(connection, ring)
    new = [key for key in ring.keys if (key.kind, key.id) not in recorded]
    if new:
        _record(new, using)
        if fault := _fault(ring, _recorded(connection) or {}):  # another process may have come first
            raise WrongKeys(fault)
    _proven.add((using, connection.settings_dict["NAME"]))


def _recorded(connection: BaseDatabaseWrapper) -> Recorded | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [KeyRecord._meta.db_table])
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute("SELECT kind, key_id, fingerprint, retired_at IS NOT NULL FROM vault_keyrecord")
        return {(kind, key_id): (print_, retired) for kind, key_id, print_, retired in cursor.fetchall()}


def _fault(ring: KeyRing, recorded: Recorded) -> str:
    here = {(key.kind, key.id): key for key in ring.keys}
    for (kind, key_id), (fingerprint, retired) in sorted(recorded.items()):
        key = here.get((kind, key_id))
        if key is None and not retired:
            return (
                f"The vault key {kind}:{key_id} (fingerprint {fingerprint}) is missing: "
                "this database holds values made with it."
            )
        if key is not None and key.fingerprint != fingerprint:
            return (
                f"The vault key {kind}:{key_id} is a wrong key: its fingerprint is {key.fingerprint}, "
                f"this database knows {fingerprint}."
            )
        if key is not None and key.writes and retired:
            return f"The vault key {kind}:{key_id} is retired and must not write."
    return _fault_of_lists(ring, [key_id for kind, key_id in sorted(recorded) if kind == "list"])


def _fault_of_lists(ring: KeyRing, recorded: list[int]) -> str:
    """One key makes all list hashes: what went into them is gone, so that no other could ever take over.

    Nor in two steps, as a key that only reads at first. A database that knows several from before goes on with them.
    """
    here = sorted(key.id for key in ring.of_kind("list"))
    if not recorded and len(here) > 1:
        named = " and ".join(f"list:{key_id}" for key_id in here)
        return f"The list key never changes, so that a database has one: of {named} only one may be among the keys."
    if recorded and (others := [key_id for key_id in here if key_id not in recorded]):
        return (
            f"The list key never changes: that of this database is list:{recorded[0]}; "
            f"take list:{others[0]} out of the keys."
        )
    return ""


def _open_samples(connection: BaseDatabaseWrapper, ring: KeyRing) -> None:
    """One value of each sealed column: keys that cannot open them are not the first keys."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model, fields in sealed_columns().items():
            for field in fields if model._meta.db_table in tables else ():
                column, table = quoted(connection, field.column, model._meta.db_table)
                cursor.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1")  # noqa: S608
                for (sealed,) in cursor.fetchall():
                    try:
                        ring.open(field.label, sealed)
                    except SealError as error:
                        raise WrongKeys(f"These are not the vault keys of this database. {error}") from None


def _record(keys: list[Key], using: str) -> None:
    KeyRecord.objects.using(using).bulk_create(
        [KeyRecord(kind=key.kind, key_id=key.id, fingerprint=key.fingerprint) for key in keys],
        ignore_conflicts=True,
    )


def on_connect(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """The first connection of a process to a database is used only if the keys belong to it."""
    name = connection.settings_dict["NAME"]
    if connection.vendor != "postgresql" or connection.alias == NO_DB_ALIAS:
        return
    if (connection.alias, name) in _proven or not apps.models_ready:
        return
    try:
        verify_keys(connection.alias)
    except BaseException:
        connection.close()
        raise


def after_migrate(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """Record the keys as soon as the table stands, and again after a flush."""
    if connections[using].vendor == "postgresql":
        verify_keys(using)
