"""A case that was taken for the wrong customer's: what it set on them is taken back, and the page says so before."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import AdvertisingStop, Customer
from customers.suppression import suppressed
from datamap import journal
from privacy import identifying, objecting, receiving, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Policy, Request, Restriction
from privacy.packages.building import ask
from privacy.steps import StepRefused
from tests.privacy.making import days_ago, person, take
from tests.privacy.noting import disclose, make_recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong(db) -> Customer:
    return person("10001")


@pytest.fixture
def right(db) -> Customer:
    return person("10002", first_name="Zora", email="zora@laden.example", phone="+49405550143")


def assign(client, case: Request, customer: Customer):
    case.refresh_from_db()
    url = reverse("privacy:request_assign", args=[case.pk])
    return client.post(url, {"version": case.version, "other": customer.number})


def page(client, case: Request) -> str:
    return client.get(reverse("privacy:request", args=[case.pk])).text


def note(case: Request) -> str:
    return case.events.filter(kind="assigned").latest("pk").reason


def is_restricted(customer: Customer) -> bool:
    customer.refresh_from_db()
    return customer.restricted_at is not None


def is_stopped(customer: Customer) -> bool:
    return objecting.customer_objected(customer)


def test_an_objection_with_reasons_restricts_the_right_one_and_frees_the_wrong(privacy_client, privacy, wrong, right):
    recipient = make_recipient("Nordpost")
    for customer in (wrong, right):
        disclose(recipient, customer, "2026-10-01")
    case = take(privacy, kind="objection", objects_to="reasons", customer=wrong)
    words = "Die Einschränkung endet: Widerspruch noch nicht entschieden (Art. 18 Abs. 1 Buchst. d)."
    assert words in page(privacy_client, case)
    assert assign(privacy_client, case, right).status_code == 302
    assert not is_restricted(wrong) and is_restricted(right)
    assert words in note(case)
    case.refresh_from_db()
    told = set(case.notices.values_list("kind", "customer"))
    assert told == {("restriction", wrong.pk), ("lifting", wrong.pk), ("restriction", right.pk)}
    assert [entry.kind for entry in journal.entries()][-2:] == ["restriction_lifted", "restriction_set"]


def test_another_objection_keeps_the_restriction(privacy_client, privacy, wrong, right):
    case = take(privacy, kind="objection", objects_to="reasons", customer=wrong)
    other = take(privacy, kind="objection", objects_to="reasons", customer=wrong)
    assert f"Die Einschränkung bleibt, denn auch Anfrage {other.code} verlangt sie" in page(privacy_client, case)
    assign(privacy_client, case, right)
    assert is_restricted(wrong) and is_restricted(right)
    assert Restriction.objects.get(customer=wrong).request == other
    # Nothing else wants it: the second one ends it.
    assign(privacy_client, other, right)
    assert not is_restricted(wrong)


def test_a_restriction_of_the_wrong_one_is_taken_back_and_another_stays(privacy_client, privacy, wrong, right):
    case, other = (take(privacy, kind="restriction", customer=wrong) for _ in range(2))
    restricting.restrict(wrong, "a", ["address"], "Anschrift strittig", by=privacy, request=case)
    restricting.restrict(wrong, "b", ["all"], "statt Löschung", by=privacy, request=other)
    assign(privacy_client, case, right)
    assert [one.case for one in restricting.standing_of(wrong)] == ["b"]
    assert is_restricted(wrong) and not is_restricted(right)  # the case sets nothing by itself


def test_a_restriction_that_another_request_has_widened_stays(privacy_client, privacy, wrong, right):
    case, other = (take(privacy, kind="restriction", customer=wrong) for _ in range(2))
    restricting.restrict(wrong, "a", ["address"], "Anschrift strittig", by=privacy, request=case)
    restricting.restrict(wrong, "a", ["contact"], "Telefon strittig", by=privacy, request=other)
    assign(privacy_client, case, right)
    assert [one.request for one in restricting.standing_of(wrong)] == [other]


def test_advertising_is_stopped_for_the_right_one_alone(privacy_client, privacy, wrong, right):
    case = take(privacy, kind="objection", objects_to="advertising", customer=wrong, email="wer@laden.example")
    assert is_stopped(wrong) and suppressed("email", "zoe@laden.example")
    assert "Werbung ist nicht mehr gestoppt" in page(privacy_client, case)
    assert assign(privacy_client, case, right).status_code == 302
    assert not is_stopped(wrong) and is_stopped(right)
    assert not suppressed("email", "zoe@laden.example") and not suppressed("phone", "+49405550142")
    assert suppressed("email", "zora@laden.example") and suppressed("email", "wer@laden.example")
    assert AdvertisingStop.objects.get(customer=wrong).ended_at is not None
    assert "Werbung ist nicht mehr gestoppt" in note(case)


def test_an_address_that_somebody_else_objected_for_stays_on_the_list(privacy_client, privacy, wrong, right):
    sister = person("10003", first_name="Ida", email="zoe@laden.example", phone="+49405550199")
    case = take(privacy, kind="objection", objects_to="advertising", customer=wrong)
    take(privacy, kind="objection", objects_to="advertising", customer=sister)
    take(privacy, kind="objection", objects_to="advertising", phone="040 5550142", name="Unbekannt")
    assign(privacy_client, case, right)
    assert not is_stopped(wrong)
    assert suppressed("email", "zoe@laden.example") and suppressed("phone", "+49405550142")


def test_another_objection_keeps_advertising_stopped(privacy_client, privacy, wrong, right):
    first = take(privacy, kind="objection", objects_to="advertising", customer=wrong, received_at=days_ago(9))
    case = take(privacy, kind="objection", objects_to="advertising", customer=wrong)
    assert "Werbung bleibt gestoppt" in page(privacy_client, case)
    assign(privacy_client, case, right)
    assert is_stopped(wrong) and suppressed("email", "zoe@laden.example")
    assign(privacy_client, first, right)
    assert not is_stopped(wrong)


def test_a_restore_does_not_bring_the_wrong_stop_back(privacy_client, privacy, wrong, right):
    case = take(privacy, kind="objection", objects_to="advertising", customer=wrong)
    assign(privacy_client, case, right)
    entries = [entry for entry in journal.entries() if entry.kind in ("objection", "objection_taken_back")]
    AdvertisingStop.objects.all().delete()
    Customer.objects.get(pk=wrong.pk).summary.__class__.objects.update(advertising_stopped_at=None)
    for entry in entries:
        replay = objecting.replay if entry.kind == "objection" else objecting.replay_taken_back
        assert replay(dict(entry.payload)) == "replayed"
    assert not is_stopped(wrong) and is_stopped(right)
    taken_back = next(entry for entry in entries if entry.kind == "objection_taken_back")
    assert objecting.replay_taken_back(dict(taken_back.payload)) == "already"


def test_neither_a_planned_erasure_nor_a_link_nor_a_proof_outlives_the_wrong_person(
    privacy_client, privacy, wrong, right
):
    Policy(erasure_needs_second=True).save()
    wrong.contact_points.filter(kind="email").update(verified_at=timezone.now())
    erasing = take(privacy, kind="erasure", customer=wrong, email="zoe@laden.example")
    erasure = ask_erasure(wrong, request=erasing)
    assign(privacy_client, erasing, right)
    erasing.refresh_from_db()
    erasure.refresh_from_db()
    assert (erasure.state, erasing.identity_method, erasing.customer) == ("cancelled", "", right)
    asking = take(privacy, customer=wrong)
    package = ask(wrong, "access", request=asking)
    assign(privacy_client, asking, right)
    package.refresh_from_db()
    assert (package.request, package.token_hash) == (None, None)


def test_what_has_begun_is_not_assigned_anew(privacy, wrong, right):
    case = take(privacy, kind="erasure", customer=wrong)
    identifying.settle(case, "known_facts", version=None, by=privacy)
    restricting.restrict(wrong, "c", ["all"], "Prozess", by=privacy)
    assert run_erasure(ask_erasure(wrong, request=case).pk, now=True).state == "held"
    with pytest.raises(StepRefused):
        receiving.assign(case, right, version=None, by=privacy)
    case.refresh_from_db()
    assert case.customer == wrong
