"""Whatever stands in a field, the row is stored or refused with a sentence, and the rows beside it are unharmed."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.models import Customer
from customers.rows import AddressRow, CustomerRow, OptInRow
from tests.customers.making import bring_in, contents, make_row, try_then_write

pytestmark = pytest.mark.django_db


def naughty_row(line: int, text: str) -> CustomerRow:
    return CustomerRow(
        line,
        external_id=f"n{line}",
        salutation=text,
        title=text[:40],
        first_name=text,
        last_name=text,
        company=text,
        vat_id=text,
        language=text,
        birthday=text,
        kind=text,
        email=text,
        phone=text,
        addresses=[AddressRow("billing", text, text, text, text, text)],
        tags=(text,),
        note=text,
        opt_ins=(OptInRow("email", "yes", {"x": text}),),
    )


def test_the_big_list_of_naughty_strings_comes_in_and_goes_in_again_unchanged(shared_data):
    strings = json.loads((shared_data / "sets" / "blns.json").read_text())
    rows = [naughty_row(line, text) for line, text in enumerate(strings, 2)]
    rows.append(make_row(9999, external_id="good", last_name="Gut"))
    outcome = try_then_write(*rows)
    assert outcome.created + outcome.error_count == len(rows)
    assert Customer.objects.filter(external_ids__value="good", last_name="Gut").exists()
    assert all(problem.message and problem.line for problem in outcome.errors)
    before = contents()
    again = bring_in(*rows)
    assert (again.created, again.updated) == (0, 0)
    assert contents() == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=50))
def test_any_text_comes_in(text):
    row = naughty_row(2, text)
    outcome = bring_in(row, make_row(3, external_id="good"))
    assert outcome.created + outcome.updated + outcome.unchanged + outcome.error_count == 2
