"""Several say no to one address at once, in an order that no lock can foresee: each no counts, and nobody sees a fault.

The database ends one of two stories that wait for each other; a mail program sends its one click no second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import sleep

import pytest
from django.db import connections, transaction
from django.test import Client

import consents
from consents.audience import allowed_among
from consents.events import Source
from consents.models import Purpose, Record, State
from consents.rebuilding import compare_states
from consents.recording import record_many
from consents.withdrawing import withdraw
from customers.models import Customer
from customers.suppression import suppress, suppressed
from datamap import journal
from mail.models import ProviderEvent
from privacy.models import Request
from privacy.objecting import object_now
from tests.consents.making import event, say
from tests.consents.signing_up import advertise, ask, link_of, person, publish
from tests.consents.test_intake import UNSUBSCRIBED, as_file
from tests.consents.test_ledger_together import at_once
from tests.consents.test_unsubscribing import ONE_CLICK, link
from tests.intake.importing import import_file, write_csv
from tests.mail.test_events import SECRET, brevo, report
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _wordings(settings) -> None:
    settings.ANYMAIL = settings.ANYMAIL | {"WEBHOOK_SECRET": [SECRET]}
    for key in ("newsletter", "feedback"):
        publish(key)


def in_turns(test: Callable[[int], None]) -> Callable[[], None]:
    """Three times, since who comes first is chance."""

    def told() -> None:
        for turn in range(3):
            test(turn)

    told.__name__ = test.__name__
    return told


def family(address: str, members: int) -> list[Customer]:
    """Customers who share an address and all get the newsletter there."""
    people = [person(f"{address[:5]}-{n}", address) for n in range(members)]
    for one in people:
        say(one, endpoint=address, confirmed=True)
    return people


def click(customer: Customer) -> Callable[[], None]:
    url = link(advertise(customer))

    def post() -> None:
        assert Client().post(url, ONE_CLICK).status_code == 200

    return post


@in_turns
def test_a_family_unsubscribes_at_once(turn):
    address = f"zoe.{turn}@laden.example"
    people = family(address, 3)
    assert at_once(*map(click, people)) == []
    assert set(State.objects.filter(customer__in=people).values_list("state", flat=True)) == {"withdrawn"}
    assert Record.objects.filter(kind="withdrawn", customer__in=people).count() == len(people)
    assert suppressed("email", address)
    noes = {one.payload["customer"] for one in journal.entries() if one.kind == "consent_withdrawal"}
    assert noes >= {one.pk for one in people}
    assert compare_states().ok


@in_turns
def test_a_click_the_provider_and_the_desk_at_once(turn):
    address = f"zoe.{turn}@laden.example"
    (customer,) = family(address, 1)

    def provider() -> None:
        assert report("brevo", brevo("complaint" if turn else "unsubscribe", address)) == 200

    def desk() -> None:
        withdraw(customer, "newsletter", "email", source=Source.PHONE_CALL, actor="staff:1")

    assert at_once(provider, click(customer), desk) == []
    assert State.objects.get(customer=customer).state == "withdrawn"
    assert Record.objects.filter(kind="withdrawn", customer=customer).count() == 1
    assert suppressed("email", address)
    event = ProviderEvent.objects.latest("pk")
    assert (event.fault, event.processed_at is not None) == ("", True)
    assert compare_states().ok


@in_turns
def test_objections_at_the_desk_and_clicks_at_once(turn):
    address = f"zoe.{turn}@laden.example"
    people = family(address, 4)

    def object_(customer: Customer) -> Callable[[], None]:
        return lambda: object_now(customer, channel="phone", by=None) and None

    assert at_once(*map(object_, people[:2]), *map(click, people[2:])) == []
    assert Request.objects.filter(objects_to=Request.ObjectsTo.ADVERTISING, customer__in=people).count() == 2
    assert set(State.objects.filter(customer__in=people[2:]).values_list("state", flat=True)) == {"withdrawn"}
    assert not State.objects.filter(granted=True, open=True, customer__in=people).exists()
    assert compare_states().ok


@in_turns
def test_one_of_a_family_confirms_while_another_unsubscribes(turn):
    address = f"zoe.{turn}@laden.example"
    people = family(address, 2)
    url = link_of(ask(address, "feedback", customer=people[0]))

    def confirms() -> None:
        assert Client().post(url).status_code == 200

    assert at_once(confirms, *map(click, people)) == []
    assert State.objects.get(purpose__key="feedback", customer__in=people).state == "given"
    assert set(
        State.objects.filter(purpose__key="newsletter", customer__in=people).values_list("state", flat=True)
    ) == {"withdrawn"}
    assert compare_states().ok


@contextmanager
def meanwhile(story: Callable[[], object]) -> Iterator[None]:
    """Begin it once what stands below is written and not committed yet; both have come to an end afterwards."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            story()
        except BaseException as error:  # noqa: BLE001  (told to the test)
            raised.append(error)
        finally:
            connections.close_all()

    other = Thread(target=run)
    with transaction.atomic():
        yield
        other.start()
        sleep(0.7)
    other.join()
    assert raised == []


def assert_stopped(customer: Customer, address: str) -> None:
    """Both forms of the question say the same."""
    assert consents.may(customer, "newsletter", "email", address).reason == "suppressed"
    assert allowed_among([customer.pk], Purpose.objects.get(key="newsletter"), "email") == set()
    assert compare_states().ok


def test_a_yes_that_is_being_written_while_the_list_stops_its_address_is_no_audience():
    address = "zoe@laden.example"
    first, second = person("Z-1", address), person("Z-2", address)
    say(first, endpoint=address)
    with meanwhile(click(first)):
        say(second, endpoint=address)
    assert_stopped(second, address)


@pytest.mark.parametrize("many", [1, 30])
def test_nor_is_one_that_is_written_before_the_entry_of_the_list_is_committed(many):
    address = "zoe@laden.example"
    people = [person(f"Z-{n}", address) for n in range(many)]
    with meanwhile(lambda: record_many([event(one, endpoint=address) for one in people])):
        suppress("email", address, reason="unsubscribed")
    for one in people:
        assert_stopped(one, address)


@pytest.mark.parametrize("kind", ["unsubscribed", "no"])
def test_an_import_and_clicks_at_once(kind, tmp_path):
    """A file that stops half-way because somebody clicked would have to be brought again."""
    people = [make_person(str(7000 + n)) for n in range(40)]
    for one in people:
        say(one, confirmed=True)
    if kind == "unsubscribed":
        lines = [UNSUBSCRIBED, *(f"alma{one.number}@laden.example,2,2026-10-01 10:00:00,1" for one in people)]
        options = {}
    else:
        lines = ["First,Last,Mail,News", *(f"Alma,Neu,alma{one.number}@laden.example,no" for one in people)]
        mapping = {"first_name": "First", "last_name": "Last", "email": "Mail", "newsletter": "News"}
        options = {"mapping": as_file(tmp_path, mapping)}
    path = write_csv(tmp_path, "\n".join(lines) + "\n")

    def clicks(some: list[Customer]) -> Callable[[], None]:
        stories = [click(one) for one in some]
        return lambda: [story() for story in stories] and None

    raised = at_once(
        lambda: import_file("customers", path, **options),
        clicks(people[::3]), clicks(people[1::3][::-1]), clicks(people[2::3]),
    )  # fmt: skip
    assert raised == []
    assert set(State.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert Record.objects.filter(kind="withdrawn").count() == len(people)
    assert compare_states().ok
