"""The summary knows the status of its customer, whoever changes it and however."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import IntegrityError, connection, transaction

from customers.models import Customer, Summary
from customers.summary import ensure, ensure_all
from tests.customers.making import bring_in, make_row, only_customer
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

NOW = "2026-11-20T10:00Z"


def _told() -> dict[str, str]:
    return dict(Summary.objects.values_list("customer__number", "status"))


def test_a_summary_takes_the_status_that_its_customer_has_whatever_it_says_itself():
    guest, lead = make_customer(number="1", status="guest"), make_customer(number="2", status="prospect")
    Summary.objects.filter(customer__in=[guest, lead]).delete()
    Summary.objects.create(customer=guest, last_activity=NOW)
    Summary.objects.bulk_create([Summary(customer=lead, last_activity=NOW, status="account")])

    assert _told() == {"1": "guest", "2": "prospect"}


def test_summaries_made_for_sets_take_it_too():
    for number, status in (("1", "guest"), ("2", "prospect"), ("3", "account")):
        make_customer(number=number, status=status)
    Summary.objects.all().delete()
    ensure([Customer.objects.get(number="1").pk])
    ensure([Customer.objects.get(number="1").pk])

    assert ensure_all() == 2
    assert _told() == {"1": "guest", "2": "prospect", "3": "account"}


def test_the_status_is_followed_through_save_update_and_sql():
    customer = make_customer(number="1", status="prospect")
    ensure([customer.pk])
    customer.status = "guest"
    customer.save()
    assert _told() == {"1": "guest"}

    Customer.objects.filter(pk=customer.pk).update(status="account")
    assert _told() == {"1": "account"}

    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET status = 'guest', version = version + 1")
    assert _told() == {"1": "guest"}


def test_an_import_brings_it_and_raises_it():
    bring_in(make_row(external_id="7", email="a@example.de", status="guest"))
    assert set(_told().values()) == {"guest"}

    bring_in(make_row(external_id="7", email="a@example.de", status="account"))
    assert set(_told().values()) == {only_customer().status} == {"account"}


def test_saving_a_summary_read_before_does_not_bring_the_old_status_back():
    customer = make_customer(number="1", status="guest")
    ensure([customer.pk])
    summary = Summary.objects.get(customer=customer)
    Customer.objects.update(status="account")
    summary.orders = 3
    summary.save()

    assert Summary.objects.values_list("orders", "status").get() == (3, "account")
    Summary.objects.update(status="prospect")
    assert _told() == {"1": "account"}


def test_a_summary_of_nobody_is_refused():
    with pytest.raises(IntegrityError), transaction.atomic():
        Summary.objects.create(customer_id=-1, last_activity=NOW)


@pytest.mark.django_db(transaction=True)
def test_a_summary_made_while_the_status_changes_waits_for_the_change():
    customer = make_customer(number="1", status="guest")
    Summary.objects.all().delete()
    changed, go_on = Event(), Event()

    def change() -> None:
        try:
            with transaction.atomic():
                Customer.objects.filter(pk=customer.pk).update(status="account")
                changed.set()
                go_on.wait(20)
        finally:
            connection.close()

    def make() -> None:
        try:
            changed.wait(20)
            ensure([customer.pk])
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(change), pool.submit(make)]
        changed.wait(20)
        _until_somebody_waits()
        go_on.set()
        for one in done:
            one.result(30)

    assert _told() == {"1": "account"}


def _until_somebody_waits() -> None:
    """Look until a lock is waited for; the test ends by itself where nobody ever waits."""
    with connection.cursor() as cursor:
        for _look in range(200):
            cursor.execute(
                "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                "WHERE NOT l.granted AND a.datname = current_database()"
            )
            if cursor.fetchone()[0]:
                return
            cursor.execute("SELECT pg_sleep(0.05)")
