"""Pages that are sent while an erasure runs, each in a transaction of its own: the right answer, nothing half done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from customers.models import ContactPoint, Customer, HeldIntake, Note
from customers.suppression import suppressed
from datamap.diagnosis import Options
from datamap.models import AccessLog
from interactions.models import Complaint, Interaction
from orders.models import Order
from privacy import clearing, erasing
from privacy.erasing import ask_erasure, run_erasure
from privacy.invariants import check_erased
from privacy.models import Erasure, Hold, Request, Restriction
from tests.customers.making import bring_in, make_row, sheet_of
from tests.interactions.factories import log_form
from tests.orders.test_pages import order_form
from tests.privacy.beside import closing, somebody_waits, wait_for
from tests.privacy.making import form, make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(transactional_db: None) -> Customer:
    return make_person()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as workers:
        yield workers


def changed(client: Client, customer: Customer) -> dict[str, Any]:
    return sheet_of(client.get(reverse("customers:edit", args=[customer.number]))) | {"last_name": "Neuname"}


def pages(agent: Client, desk: Client, customer: Customer) -> dict[str, Callable[[], Any]]:
    """What somebody may have open about this customer, and sends now."""
    number = customer.number
    sheet = changed(agent, customer)
    return {
        "edit": lambda: agent.post(reverse("customers:edit", args=[number]), sheet),
        "note": lambda: agent.post(reverse("customers:note_add", args=[number]), {"text": "Ruft gern an."}),
        "log": lambda: agent.post(reverse("interactions:log", args=[number]), log_form(content="Hallo")),
        "complaint": lambda: agent.post(reverse("interactions:complaint_open", args=[number]), {"subject": "Kanne"}),
        "order": lambda: agent.post(reverse("orders:new"), order_form(customer_number=number)),
        "objection": lambda: agent.post(reverse("privacy:objection", args=[number]), {"channel": "phone"}),
        "restrict": lambda: desk.post(
            reverse("privacy:restrict", args=[number]), {"case": "a", "parts": ["all"], "reason": "bestritten"}
        ),
        "request": lambda: desk.post(reverse("privacy:request_new"), form(kind="restriction", number=number)),
    }


def _while_rows_go(send: Callable[[], Any], asked: Erasure, pool: ThreadPoolExecutor, monkeypatch: Any) -> Any:
    """The answer to what is sent once the rows are gone and nobody else can know it yet."""
    sent: list[Future[Any]] = []
    clear = clearing.clear

    def clear_with_somebody_at_the_door(*given: Any) -> Any:
        done = clear(*given)
        if not sent:
            sent.append(pool.submit(closing(send)))
            wait_for(lambda: somebody_waits() or sent[0].done())
        return done

    monkeypatch.setattr(erasing, "clear", clear_with_somebody_at_the_door)
    run_erasure(asked.pk, now=True)
    return sent[0].result(timeout=60)


SENT = ["edit", "note", "log", "complaint", "order", "objection", "restrict", "request"]


@pytest.mark.parametrize("name", SENT)
def test_a_page_that_is_sent_while_the_rows_go_waits_and_is_told(
    name: str, agent_client, privacy_client, customer, pool, monkeypatch
) -> None:
    send = pages(agent_client, privacy_client, customer)[name]
    asked = ask_erasure(customer)
    answer = _while_rows_go(send, asked, pool, monkeypatch)
    # A request that came a moment later is that of somebody erased; everything else is told so.
    assert answer.status_code in ({302, 410} if name == "request" else {410, 404, 422}), answer.content[:300]
    assert Erasure.objects.get(pk=asked.pk).state == "done"
    assert not Customer.objects.exists()
    for model in (Note, Interaction, Complaint, Order, Restriction, Hold, ContactPoint):
        assert not model._base_manager.exists(), model
    assert not Request.archive.filter(customer__isnull=False).exists()
    assert not AccessLog.objects.filter(customer_number=customer.number).exists()
    assert check_erased(Options()).ok


def test_an_erasure_that_begins_while_something_is_saved_takes_that_along(customer, pool) -> None:
    """Who saves was first: it is saved, and what was saved is erased with the rest."""
    asked = ask_erasure(customer)
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=customer.pk)
        ContactPoint.objects.create(customer=customer, kind="email", value="neu@laden.example")
        Note.objects.create(customer=customer, text="neu@laden.example")
        running = pool.submit(closing(lambda: run_erasure(asked.pk, now=True)))
        assert wait_for(somebody_waits)
    assert running.result(timeout=60).state == "done"
    assert not Customer.objects.exists() and not ContactPoint.objects.exists() and not Note.objects.exists()
    assert suppressed("email", "neu@laden.example")


def test_somebody_who_looks_while_the_erasure_runs_leaves_no_trace(agent_client, customer, pool) -> None:
    """The door writes the number into the log of accesses: also the last of these lines loses it."""
    agent_client.get(reverse("portal:customer_detail", args=[customer.number]))
    stop, seen = threading.Event(), set()

    def look() -> None:
        while not stop.is_set():
            seen.add(agent_client.get(reverse("portal:customer_detail", args=[customer.number])).status_code)

    asked = ask_erasure(customer)
    looking = [pool.submit(closing(look)) for _ in range(2)]
    try:
        assert wait_for(lambda: 200 in seen)
        done = run_erasure(asked.pk, now=True)
        assert wait_for(lambda: 410 in seen)
    finally:
        stop.set()
    for one in looking:
        one.result(timeout=60)
    assert seen == {200, 410}
    assert done.state == "done", done.hints
    assert not AccessLog.objects.filter(customer_number=customer.number).exists()


@pytest.mark.parametrize("name", ["export", "held"])
def test_a_list_that_goes_out_while_the_rows_go_leaves_no_trace(
    name: str, manager_client, customer, pool, monkeypatch
) -> None:
    """Whom a list names stands in the log of accesses: it waits for the erasure and names those who are left."""
    other = make_person("4712")
    for one in (customer, other):
        ContactPoint.objects.create(customer=one, kind="email", value="familie@laden.example")
    assert bring_in(make_row(email="familie@laden.example", first_name="Alma", last_name="Kanarienvogel")).held == 1
    held = reverse("customers:held_decide", args=[HeldIntake.objects.get().pk])

    def export() -> str:
        answer: Any = manager_client.post("/customers/export/", {"file_format": "csv"})
        return b"".join(answer.streaming_content).decode("utf-8-sig")

    send = {"export": export, "held": lambda: manager_client.get(held).content.decode()}[name]
    shown = _while_rows_go(send, ask_erasure(customer), pool, monkeypatch)
    assert "4712" in shown and "4711" not in shown
    assert Erasure.objects.get().state == "done"
    assert set(AccessLog.objects.values_list("customer_number", flat=True)) == {"4712"}
    assert check_erased(Options()).ok


def test_two_who_ask_and_run_at_once_have_one_erasure(customer, pool, privacy, second) -> None:
    def both(user: Any) -> Callable[[], tuple[int, str]]:
        def there() -> tuple[int, str]:
            found = ask_erasure(Customer.objects.get(pk=customer.pk), user=user)
            gate.wait(30)
            return found.pk, str(run_erasure(found.pk, now=True).receipt)

        return closing(there)

    gate = threading.Barrier(2)
    one, other = [pool.submit(both(user)) for user in (privacy, second)]
    assert one.result(timeout=60) == other.result(timeout=60)
    assert wait_for(lambda: Erasure.objects.get().state == "done")
    assert not Customer.objects.exists()
