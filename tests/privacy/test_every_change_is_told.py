"""Each change is told to whoever received the data, also the second one under one request (Art. 19 GDPR)."""

from __future__ import annotations

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation

from customers.models import Customer
from datamap import journal
from mail.sending import deliver_due
from privacy import handling, notices, rectifying, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Notice, Request, Restriction
from privacy.toldwords import in_words
from staff.models import User
from tests.privacy.making import make_order, make_person, person, take
from tests.privacy.noting import disclose, make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


@pytest.fixture
def customer(db: None) -> Customer:
    """Somebody whose address a carrier has."""
    found = person()
    disclose(make_recipient("Nordpost", "parcel", email="post@nord.example", language="en"), found, "2026-10-01")
    return found


def _told() -> list[tuple[str, str]]:
    """Kind and last line of each notice: what changed."""
    return [(one.kind, in_words(one.details).splitlines()[-1]) for one in Notice.archive.order_by("pk")]


def _corrected(case: Request, field: str, value: str, by: User) -> None:
    change = rectifying.stage(case, field, value, "seen", by=by)
    rectifying.apply_all(case, [change.pk], by=by)
    deliver_due(10)


def test_a_second_correction_under_one_request_is_told_too(customer: Customer, privacy: User) -> None:
    case = take(privacy, kind="rectification", customer=customer)
    _corrected(case, "customer:last_name", "Möller", privacy)
    _corrected(case, "customer:first_name", "Zora", privacy)
    # The last word on a field counts, and it alone.
    _corrected(case, "customer:last_name", "Müller", privacy)
    changes = [sent.body for sent in mail.outbox]
    assert len(changes) == 3
    assert "last name: Möller" in changes[0] and "first name: Zora" in changes[1]
    assert "last name: Müller" in changes[2] and "Möller" not in changes[2]
    assert notices.open_notices(request=case) == []


def test_recipients_learn_what_is_restricted_and_of_its_end_once_nothing_is(customer: Customer, privacy: User) -> None:
    first = restricting.restrict(customer, "a", ["address"], "contested", by=privacy)
    other = restricting.restrict(customer, "c", ["orders"], "claims", by=privacy)
    restricting.restrict(customer, "a", ["contact"], "contested too", by=privacy)
    begun = [("restriction", "addresses"), ("restriction", "orders"), ("restriction", "addresses, e-mail and phone")]
    assert _told() == begun
    for one in (first, other):
        restricting.announce_lifting(one, "it is right", by=privacy)
        restricting.lift(one, by=privacy)
        if one is first:
            assert _told() == begun
    assert _told() == [*begun, ("lifting", "orders")]


def test_what_is_contested_anew_after_the_notice_is_not_lifted_with_it(customer: Customer, privacy: User) -> None:
    standing = restricting.restrict(customer, "a", ["address"], "contested", by=privacy)
    restricting.announce_lifting(standing, "it is right", by=privacy)
    case = take(privacy, kind="restriction", customer=customer)
    restricting.restrict(customer, "a", ["contact"], "contested too", by=privacy, request=case)
    with pytest.raises(restricting.LiftRefused):
        restricting.lift(standing, by=privacy)
    assert case.events.filter(kind="done").exists()
    restricting.announce_lifting(standing, "all of it is right", by=privacy)
    restricting.lift(standing, by=privacy)


def test_the_journal_knows_that_a_restriction_was_widened(customer: Customer, privacy: User) -> None:
    restricting.restrict(customer, "a", ["address"], "contested", by=privacy)
    restricting.restrict(customer, "a", ["contact"], "contested too", by=privacy)
    entries = [dict(one.payload) for one in journal.entries() if one.kind == "restriction_set"]
    Restriction.objects.all().delete()  # as in a database from before
    Customer.objects.update(restricted_at=None)
    assert [restricting.replay_set(entry) for entry in [*entries, *entries]] == ["replayed", "replayed"] + [
        "already"
    ] * 2
    assert Restriction.objects.get().parts == ["address", "contact"]


def test_a_second_objection_keeps_the_restriction_until_it_is_decided_as_well(
    customer: Customer, privacy: User
) -> None:
    first, second = (take(privacy, customer=customer, kind="objection", objects_to="reasons") for _ in range(2))
    restriction = Restriction.objects.get()
    handling.answer(first, "No.", way=None, partly=False, version=None, by=privacy)
    restricting.announce_lifting(restriction, "No.", by=privacy)
    with pytest.raises(restricting.LiftRefused):
        restricting.lift(restriction, by=privacy)
    handling.answer(second, "No, neither.", way=None, partly=False, version=None, by=privacy)
    restricting.lift(restriction, by=privacy)
    customer.refresh_from_db()
    assert customer.restricted_at is None


def test_a_notice_is_read_in_the_language_of_its_reader(
    customer: Customer, privacy: User, privacy_client: Client
) -> None:
    case = take(privacy, kind="rectification", customer=customer)
    with translation.override("de"):
        _corrected(case, "customer:last_name", "Möller", privacy)
        restricting.restrict(customer, "a", ["address"], "bestritten", by=privacy)
        deliver_due(10)
    corrected, restricted = (sent.body for sent in mail.outbox)
    assert "Customer number: 10001" in corrected and "last name: Möller" in corrected
    assert "addresses" in restricted and "Kundennummer" not in corrected + restricted
    pages = [privacy_client.get(reverse("privacy:notice", args=[one.pk])).text for one in Notice.archive.order_by("pk")]
    assert "Kundennummer: 10001" in pages[0] and "Nachname: Möller" in pages[0] and "Anschriften" in pages[1]


def test_a_receipt_says_in_the_language_of_its_reader_what_holds_it(privacy_client: Client) -> None:
    made = make_person("4711")
    order = make_order(made, "2026-11-20", delivered_at=None, status="processing")
    with translation.override("en"):
        held = run_erasure(ask_erasure(made).pk, now=True)
    assert held.holds[0]["reason"].startswith("The order is not finished")
    page = privacy_client.get(reverse("privacy:erasure", args=[held.pk])).text
    assert "The order is not finished" not in page and f"Bestellung {order.number}" in page
