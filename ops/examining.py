"""What `doctor` asks about the installation: database, roles, keys, sealed values, broker, beat, lists, backups."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection, models
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Min, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from customers.models import Suppression, Tombstone
from datamap.catalogue import cutoff
from datamap.diagnosis import Finding, Options
from datamap.workdays import local_date
from intake.models import Batch
from mail.models import Message
from ops.backing_up import backups
from privacy.models import Erasure, Package, RetentionRun
from vault.columns import list_uses, sealed_columns
from vault.fields import SealedField
from vault.keyring import SealError, keyring
from vault.proof import WrongKeys, verify_keys

PULSE = "beat-pulse"
PULSE_SECONDS = 300
JOB_SECONDS = 900
STORE_SECONDS = 2 * 3600
SAMPLE = 200
CHUNK = 2000


def check_database(_options: Options) -> Finding:
    """It answers, is new enough, and has every table."""
    executor = MigrationExecutor(connection)
    waiting = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    version = connection.pg_version // 10000  # type: ignore[attr-defined]
    if version < 15:
        return Finding(False, f"PostgreSQL {version}: 15 or newer is needed")
    return Finding(
        not waiting, f"PostgreSQL {version}, {waiting} migrations wait" if waiting else f"PostgreSQL {version}"
    )


def check_roles(_options: Options) -> Finding:
    """The app's role does not own its tables; one role alone is weaker, and said, but no fault."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND pg_has_role(tableowner::name, 'MEMBER')"
        )
        owned = cursor.fetchone()[0]
    if owned:
        return Finding(True, "weaker: the role that serves pages owns its tables; set OWNER_DATABASE_URL")
    return Finding(True, "the role that serves pages owns no table")


def check_keys(_options: Options) -> Finding:
    """The loaded keys are those of this database."""
    try:
        verify_keys()
    except WrongKeys as fault:
        return Finding(False, str(fault))
    return Finding(True, ", ".join(f"{key} {key.fingerprint}" for key in keyring().keys))


def check_sealed_values(options: Options) -> Finding:
    """Sealed values open: the oldest and newest of every column, with --deep all of them."""
    opened, faults = 0, dict[str, int]()
    for model, fields in sealed_columns().items():
        for field in fields:
            good, bad = _open_column(model, field, deep=options.deep)
            opened += good
            if bad:
                faults[field.label] = bad
    if faults:
        return Finding(False, "; ".join(f"{count} of {label} do not open" for label, count in faults.items()))
    return Finding(True, f"{opened} opened" + ("" if options.deep else " (a sample; --deep opens all)"))


def _open_column(model: type[models.Model], field: SealedField, *, deep: bool) -> tuple[int, int]:
    open_, good, bad = keyring().opener(field.label), 0, 0
    for sealed in _all_values(model, field) if deep else _sample(model, field):
        try:
            open_(bytes(sealed))
            good += 1
        except SealError:
            bad += 1
    return good, bad


def _sample(model: type[models.Model], field: SealedField) -> Iterator[bytes]:
    found: dict[Any, bytes] = {}
    for order in ("", "DESC"):
        found |= _page(model, field, f"ORDER BY {{pk}} {order} LIMIT {SAMPLE // 2}", [])
    yield from found.values()


def _all_values(model: type[models.Model], field: SealedField) -> Iterator[bytes]:
    rows = _page(model, field, f"ORDER BY {{pk}} LIMIT {CHUNK}", [])
    while rows:
        yield from (sealed for _pk, sealed in rows)
        rows = _page(model, field, f"AND {{pk}} > %s ORDER BY {{pk}} LIMIT {CHUNK}", [rows[-1][0]])


def _page(model: type[models.Model], field: SealedField, rest: str, values: list[Any]) -> list[tuple[Any, bytes]]:
    """The raw bytes: the field itself would open them, and stop at the first that does not."""
    quote = connection.ops.quote_name
    pk, column, table = quote(model._meta.pk.column or ""), quote(field.column or ""), quote(model._meta.db_table)
    statement = f"SELECT {pk}, {column} FROM {table} WHERE {column} IS NOT NULL {rest.format(pk=pk)}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def check_broker(_options: Options) -> Finding:
    """Valkey or Redis answers; without it workers are not woken."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5) as broker:
            broker.ping()
    except (redis.RedisError, ValueError) as error:
        return Finding(False, f"no answer ({type(error).__name__})")
    return Finding(True, "answers")


def check_beat(_options: Options) -> Finding:
    """Beat has woken a worker in the last minutes."""
    pulse = cache.get(PULSE)
    if pulse is None:
        return Finding(False, "no sign of beat and a worker")
    age = int(time.time()) - int(pulse)
    return Finding(age <= PULSE_SECONDS, f"last run {age} seconds ago")


def check_jobs(_options: Options) -> Finding:
    """No job waits for long: the age of the oldest one says more than that jobs succeed."""
    now = timezone.now()
    told, ok = [], True
    for what, since, patience in _waiting(now):
        if since is not None:
            age = int((now - since).total_seconds())
            ok = ok and age <= patience
            told.append(f"the oldest {what} has waited for {age} seconds")
    return Finding(ok, "; ".join(told) or "nothing waits")


def _waiting(now: datetime) -> Iterator[tuple[str, datetime | None, int]]:
    """What no worker has in hand, by kind, since when (its hour, or its last step), and for how many seconds it may."""
    yield "import", Batch.objects.resumable().aggregate(at=Min("created_at"))["at"], JOB_SECONDS
    yield "package", Package.objects.resumable().aggregate(at=Min("asked_at"))["at"], JOB_SECONDS
    free = Erasure.objects.filter(Q(lease__isnull=True) | Q(lease_until__lte=now))
    scheduled = free.filter(state=Erasure.State.SCHEDULED, run_after__lte=now)
    yield "erasure", scheduled.aggregate(at=Min("run_after"))["at"], JOB_SECONDS
    begun = free.filter(state=Erasure.State.RUNNING)
    yield "erasure that has begun", begun.aggregate(at=Min(Coalesce("lease_until", "started_at")))["at"], JOB_SECONDS
    # Each hour the stores are asked again.
    unconfirmed = free.filter(state=Erasure.State.OPEN_STORES)
    yield "erasure that a store has not confirmed", unconfirmed.aggregate(at=Min("started_at"))["at"], STORE_SECONDS
    # A run goes on as long as batches get done; how long the whole of it takes is no fault.
    open_runs = RetentionRun.objects.filter(state=RetentionRun.State.RUNNING)
    runs = open_runs.annotate(at=Coalesce(Max("batches__done_at"), "approved_at", "started_at"))
    yield "retention run", runs.aggregate(first=Min("at"))["first"], JOB_SECONDS
    yield "mail", Message.objects.due(now).aggregate(at=Min("next_attempt_at"))["at"], JOB_SECONDS


def check_lists(_options: Options) -> Finding:
    """Suppression and tombstones can be asked, under keys that are here."""
    listed = Suppression.objects.filter(ended_at__isnull=True).count()
    marks = Tombstone.objects.count()
    known = {key.id for key in keyring().of_kind("list")}
    if foreign := sorted(set(list_uses()) - known):
        return Finding(False, f"entries name list keys that are not here: {', '.join(map(str, foreign))}")
    return Finding(True, f"{listed} suppression entries, {marks} tombstones")


def check_backups(_options: Options) -> Finding:
    """No backup is older than its category allows; how old the newest is."""
    made = backups()
    last = cutoff("BACKUP", timezone.localdate())
    overdue = sum(last is not None and local_date(at) <= last for at in made.values())
    if overdue:
        return Finding(False, f"{overdue} backups are past their last day: run `backup --rotate`")
    if not made:
        return Finding(True, f"none in {settings.BACKUP_DIR}")
    return Finding(True, f"{len(made)}, the newest of {max(made.values()).isoformat(timespec='minutes')}")
