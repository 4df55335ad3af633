"""Where sealed values and hashes lie, and which keys they name, counted with sets."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from django.apps import apps
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

from vault.fields import BlindIndexField, SealedField
from vault.files import SealedFileStorage
from vault.keyring import keyring
from vault.models import Rotation


class Store(Protocol):
    """Sealed values outside sealed fields: files, third-party columns."""

    def uses(self) -> Mapping[int, int]:
        """How many ciphertexts name each seal key."""

    def reseal(self) -> Iterator[int]:
        """Bring everything under the writing key, yielding how many values each step did."""


# Hears of every table and store that was looked through.
Progress = Callable[[int], object]

stores: dict[str, Store] = {}
list_columns: set[tuple[str, str]] = set()


def all_stores() -> list[Store]:
    """What was registered, and the storage of every FileField that keeps its files sealed."""
    found: dict[str, Store] = {}
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            storage = getattr(field, "storage", None)
            if isinstance(storage, SealedFileStorage):
                found[str(storage.location)] = storage
    return [*stores.values(), *(store for place, store in found.items() if place not in stores)]


def register_store(name: str, store: Store) -> None:
    """Have a store counted by vault_status and rotated by vault_rotate; called from an app's ready()."""
    stores[name] = store


def register_list_column(model_label: str, field_name: str) -> None:
    """Have a column of list hashes counted by vault_status; called from an app's ready()."""
    list_columns.add((model_label, field_name))


def _columns(kind: type[models.Field]) -> dict[type[models.Model], list]:
    found = {}
    for model in apps.get_models(include_auto_created=True):
        fields = [f for f in model._meta.local_concrete_fields if isinstance(f, kind)]
        if fields and model._meta.managed and not model._meta.proxy:
            found[model] = fields
    return found


def sealed_columns() -> dict[type[models.Model], list[SealedField]]:
    """Every table with sealed fields, history tables among them."""
    return _columns(SealedField)


def index_columns() -> dict[type[models.Model], list[BlindIndexField]]:
    """Every table with blind indexes."""
    return _columns(BlindIndexField)


def quoted(connection: BaseDatabaseWrapper, *names: str | None) -> tuple[str, ...]:
    """Names of tables and columns, ready for SQL."""
    return tuple(connection.ops.quote_name(name or "") for name in names)


def count_by_key(model: type[models.Model], fields: Sequence[models.Field], start: int = 2) -> Counter[int]:
    """How many values of these columns name each key; one scan, and only the heads of the values."""
    connection = connections["default"]
    (table,) = quoted(connection, model._meta.db_table)
    columns = ", ".join(f"({column})" for column in quoted(connection, *(f.column for f in fields)))
    sql = (
        f"SELECT substring(v FROM {start} FOR 2), count(*) FROM {table} "  # noqa: S608
        f"CROSS JOIN LATERAL (VALUES {columns}) AS cells(v) WHERE v IS NOT NULL GROUP BY 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return Counter({int.from_bytes(bytes(head), "big"): count for head, count in cursor.fetchall()})


def places() -> int:
    """How many tables and stores `seal_uses`, `index_uses` and `list_uses` look through."""
    return len(sealed_columns()) + len(all_stores()) + len(index_columns()) + len(list_columns)


def seal_uses(progress: Progress = lambda place: None) -> Counter[int]:
    """How many ciphertexts name each seal key, in all tables and stores."""
    total: Counter[int] = Counter()
    for model, fields in sealed_columns().items():
        total += count_by_key(model, fields)
        progress(1)
    for store in all_stores():
        total += Counter(store.uses())
        progress(1)
    return total


def list_uses(progress: Progress = lambda place: None) -> Counter[int]:
    """How many list hashes name each list key."""
    total: Counter[int] = Counter()
    for label, name in sorted(list_columns):
        model = apps.get_model(label)
        total += count_by_key(model, [model._meta.get_field(name)], start=1)
        progress(1)
    return total


def index_uses(progress: Progress = lambda place: None) -> Counter[int]:
    """How many blind indexes each index key still serves.

    A hash does not name its key, so the rotations tell: until one has finished in a table, every
    older index key loaded here is taken to be in use there.
    """
    keys = keyring().of_kind("index")
    finished = set(
        Rotation.objects.filter(kind="index", to_id=keys[0].id, finished_at__isnull=False).values_list(
            "model_label", flat=True
        )
    )
    total: Counter[int] = Counter()
    for model, fields in index_columns().items():
        filled = model._base_manager.aggregate(**{f.name: models.Count(f.name) for f in fields})
        for key in keys if model._meta.label not in finished else keys[:1]:
            total[key.id] += sum(filled.values())
        progress(1)
    return total
