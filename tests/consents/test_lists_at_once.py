"""Long lists of addresses while others write about addresses too: nobody is turned away because of the order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from time import sleep

import pytest
from django.db import connections, transaction
from django.utils import timezone

from consents.audience import allowed_among
from consents.models import Purpose, Record
from consents.proving import prove_import
from consents.rebuilding import compare_states
from consents.recording import record_many
from customers.models import OptInClaim, Origin, Suppression
from customers.suppression import hashes_of, suppress, suppress_many
from tests.consents.making import ON_EMAIL, event
from tests.consents.test_intake import UNSUBSCRIBED
from tests.consents.test_ledger_together import at_once
from tests.consents.test_overview import PROOF
from tests.intake.importing import import_file, write_csv
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 120


def a_list(folder: Path, name: str) -> Callable[[], None]:
    """A file of unsubscribed addresses that nobody here knows."""
    lines = [UNSUBSCRIBED, *(f"{name}.{n}@laden.example,2,2026-10-01 10:00:00,{n}" for n in range(MANY))]
    path = write_csv(folder, "\n".join(lines) + "\n", f"{name}.csv")
    return lambda: import_file("customers", path) and None


def test_two_lists_and_the_proving_of_an_import_at_once(tmp_path: Path) -> None:
    origin = Origin.objects.create(kind="file", platform="mailchimp", label="audience.csv")
    people = [make_person(f"{7000 + n}") for n in range(MANY)]
    for one in people:
        OptInClaim.objects.create(customer=one, origin=origin, channel="email", state="yes", evidence=PROOF)
    given = [make_person(f"{8000 + n}") for n in range(MANY)]

    def proves() -> None:
        prove_import(origin.pk, "staff:1")

    def records() -> None:
        record_many([event(one) for one in given])

    def bounced() -> None:
        suppress_many((("email", f"x{n}@laden.example") for n in range(MANY)), reason="bounced", since=timezone.now())

    raised = at_once(a_list(tmp_path, "eins"), a_list(tmp_path, "zwei"), proves, records, bounced)
    assert raised == []
    assert Suppression.objects.count() == 3 * MANY
    assert Record.objects.count() == 2 * MANY
    assert compare_states().ok


def test_the_proving_of_an_import_waits_for_whoever_suppresses_and_is_waited_for() -> None:
    """The desk and the provider lock addresses as they are told of them: the worker begins its page again."""
    origin = Origin.objects.create(kind="file", platform="mailchimp", label="audience.csv")
    people = [make_person(f"{7000 + n}") for n in range(20)]
    for one in people:
        OptInClaim.objects.create(customer=one, origin=origin, channel="email", state="yes", evidence=PROOF)
    addresses = sorted(
        (ON_EMAIL.format(one.number) for one in people), key=lambda address: hashes_of("email", address)[0][-1]
    )
    raised: list[BaseException] = []

    def proves() -> None:
        try:
            prove_import(origin.pk, "staff:1")
        except BaseException as error:  # noqa: BLE001  (told to the test)
            raised.append(error)
        finally:
            connections.close_all()

    proving = Thread(target=proves)
    with transaction.atomic():
        suppress("email", addresses[-1], reason="unsubscribed")
        proving.start()
        sleep(0.5)
        suppress("email", addresses[0], reason="unsubscribed")
    proving.join()
    assert raised == []
    assert len(allowed_among([one.pk for one in people], Purpose.objects.get(key="newsletter"), "email")) == 18
    assert compare_states().ok
