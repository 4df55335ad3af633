"""A long file costs no more memory than a short one, tried or written."""

from __future__ import annotations

import tracemalloc

import pytest

from customers.intake import write_customers
from customers.rows import Source
from tests.customers.making import make_row, make_source

CHUNK = 300


def grown(chunks: int, source: Source, *, dry_run: bool) -> int:
    """Bytes that stay allocated after so many chunks."""
    before = tracemalloc.get_traced_memory()[0]
    for chunk in range(chunks):
        first = chunk * CHUNK
        rows = [make_row(n, external_id=f"m{n}", email=f"m{n}@example.de") for n in range(first, first + CHUNK)]
        write_customers(rows, source, dry_run=dry_run)
    del rows
    return tracemalloc.get_traced_memory()[0] - before


@pytest.mark.django_db
@pytest.mark.parametrize("dry_run", [True, False])
def test_memory_does_not_grow_with_the_file(dry_run):
    source = make_source()
    write_customers([make_row(external_id="warm", email="w@example.de")], source, dry_run=dry_run)
    tracemalloc.start()
    try:
        assert grown(3, source, dry_run=dry_run) < 4_000_000
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
