"""What the declarations of customers say where the law is particular."""

from __future__ import annotations

from datetime import date

import pytest

from customers.models import Customer
from datamap.catalogue import explain
from datamap.checks import find_problems
from datamap.declarations import Basis, registry


@pytest.mark.django_db
def test_a_birthday_is_held_by_consent_alone_and_goes_at_once_when_it_is_withdrawn():
    declaration = registry.declaration_for(Customer)
    assert declaration is not None
    found = declaration.group_of("birthday_day")
    assert found is not None and found is declaration.group_of("birthday_month")
    assert set(found.fields) == {"birthday_day", "birthday_month"}
    assert (found.category, found.bases, found.provided) == ("BDAY", (Basis.CONSENT,), True)
    # No date in the row starts the period: the withdrawal does (Art. 7(3) GDPR), and then it goes the same day.
    assert found.starts == []
    assert explain("BDAY", date(2026, 11, 2), as_of=date(2026, 11, 2)).deletable_from == date(2026, 11, 2)
    assert found.anonymize == {"birthday_day": None, "birthday_month": None}
    assert list(find_problems([Customer])) == []
