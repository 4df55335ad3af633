"""Whoever was erased and comes in again by the shop's own customer number is held for a person (design.md 5, In)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from customers.models import Customer, HeldIntake
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure
from tests.customers.making import bring_in, make_row
from tests.intake.importing import import_file, write_csv
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def erasure() -> Erasure:
    return run_erasure(ask_erasure(make_person("K-4711")).pk)


def test_a_row_of_a_file_with_the_number_of_somebody_erased_is_held(erasure: Erasure, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.json"
    mapping.write_text(json.dumps({"number": "Kundennummer", "last_name": "Name", "city": "Ort"}))
    file = write_csv(tmp_path, "Kundennummer,Name,Ort\nK-4711,Kanarienvogel,Hamburg\nK-4712,Zweig,Bremen\n")
    for dry_run in (True, False):
        told = import_file("customers", file, mapping=mapping, dry_run=dry_run)
        assert (told["rows"], told["created"], told["held"]) == (2, 1, 1)
    held = HeldIntake.objects.get()
    assert (held.reason, held.subject_ref) == (HeldIntake.Reason.TOMBSTONE, erasure.subject_ref)
    assert list(Customer.objects.values_list("number", flat=True)) == ["K-4712"]
    # The same file again holds nothing twice.
    assert import_file("customers", file, mapping=mapping)["held"] == 1
    assert HeldIntake.objects.count() == 1


def test_a_registration_after_the_erasure_is_a_new_customer(erasure: Erasure) -> None:
    later = timezone.now() + timedelta(days=1)
    before = timezone.now() - timedelta(days=1)
    assert bring_in(make_row(external_id="77", number="K-4711", registered_at=before), platform="plain").held == 1
    assert bring_in(make_row(external_id="78", number="K-4711", registered_at=later), platform="plain").created == 1
    assert Customer.objects.count() == 1
