"""Rectification (Art. 16): staged with before and after, decided, applied with history; invoices stay as issued."""

from __future__ import annotations

import pytest
from django.urls import reverse

from orders.documents import issue_document
from orders.models import Document
from privacy import handling, identifying, rectifying, restricting
from privacy.models import Notice, Rectification
from privacy.steps import StepRefused
from tests.orders.factories import make_order
from tests.privacy.making import person, take
from tests.privacy.noting import disclose, make_recipient

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(db):
    return person(last_name="Groos")


@pytest.fixture
def case(customer, privacy):
    return take(privacy, customer=customer, kind="rectification")


def test_staging_changes_nothing(privacy_client, case, customer):
    url = reverse("privacy:request_rectify", args=[case.pk])
    form = {"field": "customer:last_name", "after": "Groß", "evidence": "Ausweis gesehen"}
    assert privacy_client.post(url, form).status_code == 302
    customer.refresh_from_db()
    change = Rectification.objects.get()
    assert customer.last_name == "Groos"
    assert (change.before, change.after, change.state) == ("Groos", "Groß", "staged")
    page = privacy_client.get(reverse("privacy:request", args=[case.pk]))
    assert "Groos" in page.text
    assert "Groß" in page.text


def test_applied_with_history_and_the_recipients_are_told(privacy_client, privacy, case, customer):
    address, point = customer.addresses.get(), customer.contact_points.get(kind="email")
    changes = [
        rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy),
        rectifying.stage(case, f"address:{address.pk}:street", "Am Deich 4", "", by=privacy),
        rectifying.stage(case, f"address:{address.pk}:postcode", "20095", "", by=privacy),
        rectifying.stage(case, f"point:{point.pk}:value", "gross@laden.example", "", by=privacy),
    ]
    told = []
    with rectifying.registered_temporarily():
        rectifying.register_after_rectification("probe", lambda *call: told.append(call))
        form = {"change": [change.pk for change in changes], "apply": "1"}
        assert privacy_client.post(reverse("privacy:request_changes", args=[case.pk]), form).status_code == 302
    customer.refresh_from_db()
    address.refresh_from_db()
    point.refresh_from_db()
    assert (customer.last_name, address.street, address.postcode) == ("Groß", "Am Deich 4", "20095")
    assert (point.value, point.verified_at) == ("gross@laden.example", None)
    last = customer.history.order_by("-history_id").first()
    assert (last.last_name, last.history_user, last.history_change_reason) == (
        "Groß", privacy, last.history_change_reason
    )  # fmt: skip
    assert last.history_change_reason
    ((request, whom, fields),) = told
    assert (request.pk, whom.pk) == (case.pk, customer.pk)
    assert fields == [change.field for change in changes]


def test_an_issued_invoice_is_not_edited(privacy, case, customer):
    order = make_order(customer=customer, billing={"name": "Änne Groos", "city": "Hamburg"})
    issue_document(order.pk, Document.Kind.INVOICE, user_id=privacy.pk)
    before = Document.objects.filter(order=order).values().get()
    rectifying.apply_all(case, [rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy).pk], by=privacy)
    assert Document.objects.filter(order=order).values().get() == before


def test_rejected_with_a_reason_that_the_person_is_told(privacy, case, customer):
    change = rectifying.stage(case, "customer:last_name", "Baron Groß", "", by=privacy)
    with pytest.raises(StepRefused):
        rectifying.reject(case, [change.pk], " ", by=privacy)
    rectifying.reject(case, [change.pk], "Kein Namensbestandteil", by=privacy)
    customer.refresh_from_db()
    assert customer.last_name == "Groos"
    identifying.settle(case, "call_back", version=None, by=privacy)
    handling.answer(case, "", way="mail", partly=False, version=None, by=privacy)
    assert "Kein Namensbestandteil" in case.letters.get(kind="answer").body


def test_no_answer_while_a_change_is_open(privacy, case):
    rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy)
    identifying.settle(case, "call_back", version=None, by=privacy)
    with pytest.raises(StepRefused):
        handling.answer(case, "", way="mail", partly=False, version=None, by=privacy)


def test_a_value_that_was_changed_meanwhile_is_not_overwritten(privacy, case, customer):
    change = rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy)
    customer.last_name = "Grohs"
    customer.save()
    with pytest.raises(StepRefused):
        rectifying.apply_all(case, [change.pk], by=privacy)
    customer.refresh_from_db()
    assert customer.last_name == "Grohs"
    assert Rectification.objects.get().state == "staged"


def test_all_or_nothing(privacy, case, customer):
    point = customer.contact_points.get(kind="email")
    good = rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy)
    bad = rectifying.stage(case, f"point:{point.pk}:value", "keine adresse", "", by=privacy)
    with pytest.raises(StepRefused):
        rectifying.apply_all(case, [good.pk, bad.pk], by=privacy)
    customer.refresh_from_db()
    assert customer.last_name == "Groos"
    assert set(Rectification.objects.values_list("state", flat=True)) == {"staged"}


@pytest.mark.parametrize(
    ("field", "after"),
    [("customer:version", "9"), ("customer:last_name", "Groos"), ("address:987654:street", "x"), ("", "x")],
)
def test_only_fields_of_this_person_that_differ(privacy, privacy_client, case, field, after):
    with pytest.raises(StepRefused):
        rectifying.stage(case, field, after, "", by=privacy)
    page = privacy_client.post(reverse("privacy:request_rectify", args=[case.pk]), {"field": field, "after": after})
    assert page.status_code == 422


def test_one_change_of_a_field_at_a_time(privacy, case):
    rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy)
    with pytest.raises(StepRefused):
        rectifying.stage(case, "customer:last_name", "Grohs", "", by=privacy)


def test_changes_of_another_request_are_not_decided_here(privacy, privacy_client, case):
    other = take(privacy, customer=person("10002", email="b@laden.example"), kind="rectification")
    foreign = rectifying.stage(other, "customer:last_name", "X", "", by=privacy)
    url = reverse("privacy:request_changes", args=[case.pk])
    assert privacy_client.post(url, {"change": [foreign.pk], "apply": "1"}).status_code == 422
    assert privacy_client.post(url, {"apply": "1"}).status_code == 422
    foreign.refresh_from_db()
    assert foreign.state == "staged"


def test_a_restricted_person_is_corrected_too(privacy, case, customer):
    restricting.restrict(customer, "a", ["address"], "bestritten", by=privacy)
    change = rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy)
    rectifying.apply_all(case, [change.pk], by=privacy)
    customer.refresh_from_db()
    assert customer.last_name == "Groß"
    assert customer.restricted_at is not None


def test_nobody_s_data_cannot_be_corrected(privacy, privacy_client):
    case = take(privacy, kind="rectification", name="Fremd")
    assert privacy_client.get(reverse("privacy:request_rectify", args=[case.pk])).status_code == 422


def test_who_received_the_old_name_is_on_the_list_of_those_to_be_told(privacy, privacy_client, case, customer):
    carrier = make_recipient("Nordpost", "parcel")
    disclose(carrier, customer, "2026-10-01")
    change = rectifying.stage(case, "customer:last_name", "Groß", "", by=privacy)
    rectifying.apply_all(case, [change.pk], by=privacy)
    notice = Notice.objects.get()
    assert (notice.recipient, notice.request, notice.kind) == (carrier, case, "rectification")
    assert "Groß" in notice.details
