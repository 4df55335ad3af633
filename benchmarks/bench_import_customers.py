"""Import of customers: ours against the hand-written limit and against django-import-export, on one file."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection as default_connection
from django.db import transaction

from benchmarks import limit_customers
from benchmarks.measure import row, seconds
from benchmarks.people import write_file
from benchmarks.usual_customers import CustomerResource, dataset
from customers.intake import write_customers
from customers.models import Origin
from customers.rows import AddressRow, CustomerRow, Outcome, Source

CHUNK = 10_000
MOST = 100_000
"""More rows than this say nothing new."""
USUAL_ROWS = 300
"""The usual way is measured on so many rows and scaled; its time a row does not depend on their number."""
ROUNDS = 3


def run(size: int, connection: Any = default_connection) -> list[dict[str, Any]]:
    """Rows per second of a first import and of the same file again; ours and the limit take turns on fresh people."""
    size = min(size, MOST)
    with tempfile.TemporaryDirectory() as folder:
        ours, again, limit = [], [], []
        for turn in range(ROUNDS):
            path = write_file(Path(folder) / "ours.csv", size, seed=200 + turn)
            ours.append(size / seconds(lambda: import_ours(path)))  # noqa: B023
            again.append(size / seconds(lambda: import_ours(path)))  # noqa: B023
            path = write_file(Path(folder) / "limit.csv", size, seed=300 + turn)
            limit.append(size / seconds(lambda: import_limit(path, connection)))  # noqa: B023
        usual = write_file(Path(folder) / "usual.csv", USUAL_ROWS, seed=400)
        one_pass = USUAL_ROWS / seconds(lambda: import_usual(usual))
        usual = write_file(Path(folder) / "usual.csv", USUAL_ROWS, seed=401)
        admin_flow = USUAL_ROWS / seconds(lambda: _admin_flow(usual))
    ours_median, limit_median = sorted(ours)[ROUNDS // 2], sorted(limit)[ROUNDS // 2]
    return [
        row("import customers", size, "rows/s", ours_median, usual=one_pass, limit=limit_median),
        row("import customers, admin flow", size, "rows/s", ours_median, usual=admin_flow, limit=limit_median),
        row("import customers again, unchanged", size, "rows/s", sorted(again)[ROUNDS // 2], limit=ours_median),
    ]


def import_ours(path: Path) -> Outcome:
    """The file through `customers.intake`, chunk by chunk."""
    batch, total = uuid4(), Outcome()
    source = Source(batch, "bench", Origin.objects.create(kind="file", platform="bench", batch=batch).pk)
    lines = enumerate(_lines(path), 2)
    while chunk := [_row(line, values) for line, values in islice(lines, CHUNK)]:
        total.add(write_customers(chunk, source))
    return total


def import_limit(path: Path, connection: Any) -> None:
    """The file through the hand-written loop."""
    batch = uuid4()
    origin = Origin.objects.create(kind="file", platform="bench-limit", batch=batch)
    lines = _lines(path)
    while chunk := list(islice(lines, CHUNK)):
        with transaction.atomic():
            limit_customers.write_chunk(connection, chunk, batch, origin.pk, "bench-limit")


def import_usual(path: Path, *, dry_run: bool = False) -> None:
    """The file through django-import-export as it comes: one pass, each row saved by itself, all in a transaction."""
    result = CustomerResource().import_data(dataset(list(_lines(path))), dry_run=dry_run, use_transactions=True)
    if result.has_errors():
        raise RuntimeError(str(result.row_errors()[0][1][0].error))


def _admin_flow(path: Path) -> None:
    import_usual(path, dry_run=True)
    import_usual(path)


def _lines(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        yield from reader


def _row(line: int, values: list[str]) -> CustomerRow:
    external_id, salutation, first, last, email, phone, street, postcode, city, country, birthday, since = values
    return CustomerRow(
        line,
        external_id=external_id,
        salutation=salutation,
        first_name=first,
        last_name=last,
        email=email,
        phone=phone,
        birthday=birthday,
        registered_at=datetime.fromisoformat(since),
        addresses=[AddressRow("billing", "", street, postcode, city, country)],
    )
