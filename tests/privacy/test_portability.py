"""Art. 20: what the person gave or caused, under consent or contract, and nothing else (domain.md 1.9, WP242)."""

from __future__ import annotations

import pytest

from customers.models import Customer, Preference
from datamap.declarations import Basis, registry
from orders.models import Return
from privacy.packages.building import build
from tests.privacy.making import at, make_order, make_person
from tests.privacy.packaging import everything, files_of, make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(db: None) -> Customer:
    make_shop()
    return make_person("4711")


def portable(customer: Customer) -> dict[str, bytes]:
    return files_of(build(customer, "portability"))


def test_what_staff_have_guessed_is_not_theirs_to_take(customer: Customer) -> None:
    """Inferred by the shop is not provided by the person; what they said themselves is."""
    for value, said_by in (("Espresso", "customer"), ("Filter", "file"), ("vermutlich Tee", "staff")):
        Preference.objects.create(
            customer=customer, kind="interest", value=value, said_by=said_by, said_at=at("2026-05-01")
        )
    read = everything(portable(customer))
    assert "Espresso" in read and "Filter" in read and "vermutlich Tee" not in read
    assert "vermutlich Tee" in everything(files_of(build(customer, "access")))


def test_who_got_a_present_has_provided_nothing_of_it(customer: Customer) -> None:
    """The address was told by somebody else: it is in the copy of Art. 15, and no part of Art. 20."""
    giver = make_person("4712", first_name="Gustav", last_name="Geber")
    make_order(giver, "2026-05-02", gift_recipient=customer, shipping={"name": "Alma", "street": "Geschenkweg 7"})
    assert "Geschenkweg 7" in everything(files_of(build(customer, "access")))
    assert "Geschenkweg 7" not in everything(portable(customer))


def test_where_their_own_goods_went_is_theirs(customer: Customer) -> None:
    make_order(customer, "2026-05-02", shipping={"name": "Alma", "street": "Eigenweg 7"})
    assert "Eigenweg 7" in everything(portable(customer))


def test_what_is_kept_of_a_return_is_kept_for_the_law(customer: Customer) -> None:
    """Withdrawals and complaints are business letters (Art. 6(1)(c)); the order that was sent back is portable."""
    order = make_order(customer, "2026-05-02")
    Return.objects.create(order=order, customer=customer, note="kam nass an", requested_at=at("2026-05-08"))
    read = everything(portable(customer))
    assert "kam nass an" not in read and order.number in read


def test_nothing_is_marked_as_provided_that_neither_consent_nor_contract_carries() -> None:
    for declaration, group in registry:
        if group.provided:
            assert {Basis.CONSENT, Basis.CONTRACT} & set(group.bases), declaration.label
