"""Two imports at the same time make each person once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from customers.intake import write_customers
from customers.models import Customer
from tests.customers.making import make_row, make_source


@pytest.mark.django_db(transaction=True)
def test_the_same_file_twice_at_once_makes_each_person_once():
    rows = [make_row(n, external_id=str(n), email=f"p{n}@example.de") for n in range(2, 300)]
    sources = [make_source("shopify"), make_source("shopify"), make_source("hubspot")]
    barrier = Barrier(len(sources))

    def write(source):
        try:
            barrier.wait(timeout=20)
            return write_customers(rows, source)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(sources)) as pool:
        outcomes = list(pool.map(write, sources))
    assert sum(outcome.created for outcome in outcomes) == Customer.objects.count() == len(rows)
    assert Customer.objects.values("number").distinct().count() == len(rows)
