"""Pages do not ask the database more often because it holds more rows."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.models import Customer
from datamap.quarantine import watch
from staff.models import Role, User
from tests.house import routes
from tests.shop import open_shop

pytestmark = pytest.mark.django_db

# Longer lists than these have pages, and a page is as long as the one before.
FEW, MANY = {"customers": 20, "days": 1}, {"customers": 40, "days": 2}


@pytest.fixture(autouse=True)
def looked_at_once(settings, monkeypatch):
    """Every few seconds some page, whichever comes then, asks whether the database is in quarantine."""
    settings.JOURNAL_RECHECK_SECONDS = 3600
    monkeypatch.setattr(watch, "until", 0.0)


def asked(size: dict[str, int]) -> dict[str, int]:
    """Queries of every page without an argument, and of the pages of one busy customer, in a shop of this size."""
    with transaction.atomic():
        user = User.objects.create_user("alle@laden.example", name="Alma", roles=list(Role.NAMES))
        client = Client()
        open_shop(client, user, **size)
        number = Customer.objects.order_by("pk").values_list("number", flat=True)[0]
        pages = {route.name: route.url() for route in routes() if not route.arguments}
        for name in ("portal:customer_detail", "portal:customer_timeline", "orders:customer"):
            pages[name] = reverse(name, args=[number])
        counts = {}
        for name, url in pages.items():
            answer = client.get(url)  # and once more, so that whatever is kept between requests is there
            if answer.status_code == 200:
                with CaptureQueriesContext(
                    connection,
                ) as queries:
                    client.get(url)
                counts[name] = len(queries)
        transaction.set_rollback(True)
    return counts


def test_twice_the_rows_are_no_query_more():
    few, many = asked(FEW), asked(MANY)
    assert set(few) == set(many)
    assert len(few) > 40
    assert {name: (few[name], many[name]) for name in few if many[name] > few[name]} == {}
