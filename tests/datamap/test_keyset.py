"""Pages of model rows by keyset."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from datamap.keyset import page_of
from datamap.models import AccessLog

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("descending", [True, False])
def test_pages_join_without_gap_or_repeat_where_sort_keys_are_equal(descending):
    now = timezone.now()
    AccessLog.objects.bulk_create(
        [AccessLog(customer_number=str(n), page="p", at=now - timedelta(hours=n // 5)) for n in range(23)]
    )
    seen, cursor, first = [], "", []
    while True:
        page = page_of(AccessLog.objects.all(), "at", descending=descending, cursor=cursor, size=4)
        seen += page.rows
        first.append(page.is_first)
        cursor = page.next_cursor
        if not cursor:
            break
    sign = "-" if descending else ""
    assert seen == list(AccessLog.objects.order_by(f"{sign}at", f"{sign}pk"))
    assert first == [True] + [False] * 5


@pytest.mark.parametrize("cursor", ["1", "1:forged", "x" * 5000, "\x00", "²:²"])
def test_a_cursor_nobody_signed_starts_at_the_top(cursor):
    AccessLog.objects.create(customer_number="1", page="p")
    page = page_of(AccessLog.objects.all(), "at", cursor=cursor)
    assert len(page.rows) == 1
    assert page.is_first


def test_the_row_of_a_cursor_may_be_gone():
    rows = [AccessLog.objects.create(customer_number=str(n), page="p") for n in range(3)]
    cursor = page_of(AccessLog.objects.all(), "at", size=1).next_cursor
    rows[-1].delete()
    assert page_of(AccessLog.objects.all(), "at", cursor=cursor, size=1).is_first
