"""Holds: set with reason, owner and review, looked at again, released; never by themselves (domain.md 4.2)."""

from __future__ import annotations

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from customers.access import SEES_RESTRICTED
from datamap.holds import HoldRefused, standing
from privacy.holding import extend_review, overdue_reviews, release_hold, set_hold, standing_holds
from privacy.models import Hold
from staff.models import Role, RolePermission
from tests.privacy.making import make_order, make_person
from tests.privacy.noting import make_customer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
TODAY = date(2026, 11, 25)


def claim(officer, **changed):
    said = {
        "kind": "claim", "customer": make_customer(), "reason": "Streit um eine Mühle", "owner": officer,
        "review_on": date(2027, 5, 1), "by": officer, "today": TODAY,
    }  # fmt: skip
    return set_hold(**{**said, **changed})


def form(officer, **changed):
    said = {
        "kind": "claim", "reason": "Streit", "owner": officer.pk,
        "review_on": (timezone.localdate() + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    return {**said, **changed}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": " \n"}, "reason"),
        ({"owner": None}, "owner"),
        ({"review_on": None}, "review_on"),
        ({"review_on": TODAY}, "review_on"),
        ({"review_on": date(2027, 11, 26)}, "review_on"),  # a day more than twelve months
        ({"customer": None}, "customer"),
        ({"kind": "whim"}, "kind"),
        ({"kind": "tax"}, "customer"),
        ({"kind": "tax", "customer": None}, "first_year"),
        ({"kind": "tax", "customer": None, "first_year": 2020, "last_year": 2019}, "last_year"),
        ({"kind": "tax", "customer": None, "first_year": 2019, "last_year": 2020}, "categories"),
        (
            {"kind": "tax", "customer": None, "first_year": 2019, "last_year": 2020, "categories": ["TICKET"]},
            "categories",
        ),
    ],
)
def test_what_a_hold_lacks_is_said_and_nothing_is_written(officer, changed, field):
    with pytest.raises(HoldRefused) as refused:
        claim(officer, **changed)
    assert refused.value.field == field
    assert not Hold.objects.exists()


def test_the_review_may_lie_exactly_twelve_months_ahead(officer):
    assert claim(officer, review_on=date(2027, 11, 25)).is_standing


def test_an_overdue_review_is_an_alarm_and_releases_nothing(officer):
    hold = claim(officer)
    assert not overdue_reviews(date(2027, 5, 1)).exists()
    assert list(overdue_reviews(date(2027, 5, 2))) == [hold]
    assert list(standing_holds()) == [hold]


def test_a_hold_goes_on_with_a_reason_and_a_new_review(officer):
    hold = claim(officer)
    with pytest.raises(HoldRefused):
        extend_review(hold.pk, date(2028, 1, 1), "", by=officer, today=date(2027, 5, 2))
    extend_review(hold.pk, date(2028, 1, 1), "Klage läuft", by=officer, today=date(2027, 5, 2))
    hold.refresh_from_db()
    assert hold.review_on == date(2028, 1, 1)
    assert [one.reason for one in hold.reviews.order_by("pk")] == ["Streit um eine Mühle", "Klage läuft"]


def test_a_hold_is_released_once_with_a_reason(officer):
    hold = claim(officer)
    with pytest.raises(HoldRefused):
        release_hold(hold.pk, " ", by=officer)
    release_hold(hold.pk, "Vergleich", by=officer)
    with pytest.raises(HoldRefused):
        release_hold(hold.pk, "Vergleich", by=officer)
    assert not standing_holds().exists()


def explained(*arguments: str) -> dict:
    out = StringIO()
    call_command("explain_retention", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_explain_retention_lists_tax_holds_by_year_and_papers_and_leaves_the_date(officer):
    tax = {"kind": "tax", "customer": None, "first_year": 2016, "last_year": 2018, "categories": ["INV"]}
    hold = claim(officer, **tax)
    said = explained("INV", "--start", "2016-03-10", "--as-of", "2025-01-01")
    assert said["deletable_from"] == "2025-01-01"
    assert said["holds"] == [
        {
            "kind": "tax_hold",
            "scope": "INV 2016–2018",
            "reason": "open tax matter (AO § 147(3))",
            "review": "2027-05-01",
        }
    ]
    assert explained("INV", "--start", "2019-03-10")["holds"] == []
    assert explained("LETTER", "--start", "2016-03-10")["holds"] == []
    release_hold(hold.pk, "Bescheid", by=officer)
    assert explained("INV", "--start", "2016-03-10")["holds"] == []


def test_explain_retention_lists_the_holds_of_a_customer_who_is_named(officer):
    customer = make_customer()
    make_order(customer, "2026-03-10", number="B-7")
    hold = claim(officer, customer=customer, order_number="B-7")
    said = explained("CLAIM", "--start", "2026-03-10", "--customer", hold.customer.number)
    assert [(one["kind"], one["scope"], one["review"]) for one in said["holds"]] == [
        ("claim_hold", "order B-7", "2027-05-01")
    ]
    assert explained("CLAIM", "--start", "2026-03-10")["holds"] == []
    with pytest.raises(CommandError) as refused:
        explained("CLAIM", "--start", "2026-03-10", "--customer", "nobody")
    assert refused.value.returncode == 2


def test_the_list_is_for_privacy_and_tax_and_shows_the_oldest_review_first(
    officer, officer_client, tax_client, agent_client, outsider_client
):
    late, early = claim(officer), claim(officer, review_on=date(2026, 12, 1))
    Hold.objects.filter(pk=early.pk).update(review_on=date(2026, 1, 1))
    answer = officer_client.get(reverse("privacy:holds"))
    assert [row["hold"] for row in answer.context["rows"]] == [early, late]
    assert [row["overdue"] for row in answer.context["rows"]] == [True, False]
    assert answer.context["overdue"] == 1
    assert tax_client.get(reverse("privacy:holds")).status_code == 200
    assert agent_client.get(reverse("privacy:holds")).status_code == 403
    assert outsider_client.get(reverse("privacy:holds")).status_code == 403


def test_a_hold_is_set_looked_at_and_released_on_its_pages(officer, officer_client):
    customer = make_customer()
    page = reverse("privacy:hold_customer", args=[customer.number])
    assert officer_client.get(page).context["form"].initial["customer"] == customer.number
    answer = officer_client.post(page, form(officer, customer=customer.number))
    hold = Hold.objects.get()
    assert answer["Location"] == reverse("privacy:hold", args=[hold.pk])
    assert "Streit" in officer_client.get(answer["Location"]).content.decode()
    assert "Hold" in officer_client.get(reverse("portal:customer_detail", args=[customer.number])).content.decode()
    later = (timezone.localdate() + timedelta(days=200)).isoformat()
    extend = reverse("privacy:hold_extend", args=[hold.pk])
    assert officer_client.post(extend, {"review_on": later, "reason": ""}).status_code == 422
    assert officer_client.post(extend, {"review_on": later, "reason": "läuft"}).status_code == 302
    release = reverse("privacy:hold_release", args=[hold.pk])
    assert officer_client.post(release, {"reason": ""}).status_code == 422
    assert officer_client.post(release, {"reason": "fertig"}).status_code == 302
    hold.refresh_from_db()
    assert (hold.review_on.isoformat(), hold.released_by) == (later, officer)
    assert officer_client.post(release, {"reason": "fertig"}).status_code == 422


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"review_on": "2026-02-30"}, "review_on"),
        ({"review_on": "2020-01-01"}, "review_on"),
        ({"review_on": "2999-01-01"}, "review_on"),
        ({"customer": "nobody"}, "customer"),
        ({"customer": ""}, "customer"),
        ({"owner": "0"}, "owner"),
        ({"kind": "tax", "first_year": "2020"}, "first_year"),
    ],
)
def test_bad_input_on_the_page_is_answered_and_sets_nothing(officer, officer_client, wrong, field):
    customer = {} if wrong.get("kind") == "tax" else {"customer": make_customer().number}
    answer = officer_client.post(reverse("privacy:hold_new"), form(officer, **{**customer, **wrong}))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Hold.objects.exists()


def test_who_may_not_see_restricted_customers_meets_none_through_a_hold(officer, tax_client):
    hold = claim(officer)
    type(hold.customer).objects.filter(pk=hold.customer.pk).update(restricted_at=timezone.now())
    RolePermission.objects.filter(role__key=Role.TAX, permission=SEES_RESTRICTED).delete()
    assert tax_client.get(reverse("privacy:hold", args=[hold.pk])).status_code == 404
    page = tax_client.get(reverse("privacy:holds")).content.decode()
    assert hold.customer.number not in page


@pytest.mark.parametrize("number", ["B-7a", "b-7", "7", "B-8", "B-9"])
def test_a_hold_on_an_order_that_this_customer_does_not_have_would_hold_nothing(officer, officer_client, number):
    """A slip of the keys is told while somebody is there to mend it, not when the order is gone."""
    customer, other = make_person("8001"), make_person("8002")
    make_order(customer, "2026-03-10", number="B-7")
    make_order(other, "2026-03-10", number="B-8")
    with pytest.raises(HoldRefused) as refused:
        claim(officer, customer=customer, order_number=number)
    assert refused.value.field == "order_number"
    said = form(officer, customer=customer.number, order_number=number)
    page = officer_client.post(reverse("privacy:hold_new"), said)
    assert page.status_code == 422 and "order_number" in page.context["form"].errors
    assert officer_client.post(reverse("privacy:hold_new"), said | {"order_number": " B-7 "}).status_code == 302
    assert Hold.objects.get().order_number == "B-7"


def test_a_hold_on_an_order_keeps_that_order_alone_when_the_person_is_erased(officer):
    customer = make_person("8001")
    kept, gone = make_order(customer, "2026-05-01"), make_order(customer, "2026-06-01")
    set_hold(
        "claim", customer=customer, order_number=kept.number, reason="Klage", owner=officer, by=officer,
        review_on=date(2027, 5, 1), today=TODAY,
    )  # fmt: skip
    held = standing([customer.pk], TODAY)
    assert [(case.kind, case.order_number, case.review_on) for case in held] == [
        ("claim_hold", kept.number, date(2027, 5, 1))
    ]
    out = StringIO()
    call_command("erase_person", customer.number, "--dry-run", "--json", "--as-of", TODAY.isoformat(), stdout=out)
    assert [hold["kind"] for hold in json.loads(out.getvalue())["holds"]] == ["claim_hold"]
    assert gone.number != kept.number


@pytest.mark.parametrize(("kind", "key"), [("payment", "open_payment"), ("authority", "authority_order")])
def test_holds_of_every_kind_reach_the_engine_until_they_are_released(officer, kind, key):
    hold = claim(officer, kind=kind)
    assert [case.kind for case in standing([hold.customer_id], TODAY)] == [key]
    release_hold(hold.pk, "erledigt", by=officer)
    assert standing([hold.customer_id], TODAY) == []
