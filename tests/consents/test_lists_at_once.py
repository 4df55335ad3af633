"""Long lists of addresses while others write about addresses too: nobody is turned away because of the order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from consents.models import Record
from consents.proving import prove_import
from consents.rebuilding import compare_states
from consents.recording import record_many
from customers.models import OptInClaim, Origin, Suppression
from customers.suppression import suppress_many
from tests.consents.making import event
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
