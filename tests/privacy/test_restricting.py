"""The freeze of Art. 18: set, announced, lifted, out of sight meanwhile, and brought back after a restore."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from customers.duplicates import likely_duplicates
from customers.models import Customer, HeldIntake, Note
from customers.searching import search
from datamap import erasing, holds, journal
from interactions.complaining import open_complaint
from interactions.models import FollowUp
from mail.models import Message
from privacy import closing, cockpit, handling, restricting
from privacy.models import Request, Restriction
from privacy.steps import StepRefused
from tests.customers.making import bring_in, make_row
from tests.orders.factories import make_order
from tests.privacy.making import person, take

pytestmark = pytest.mark.django_db

CASES = ["a", "b", "c", "d"]


@pytest.fixture
def customer(db):
    return person("10001", last_name="Geheimnis", email="geheim@laden.example")


def freeze(customer, by=None, case="a", parts=("address",), reason="Adresse bestritten"):
    return restricting.restrict(customer, case, parts, reason, by=by)


def test_the_open_request_for_it_is_carried_out_from_whichever_page_one_comes(customer, privacy, privacy_client):
    """From the page of the request or of the customer's rights: there is one file, with one period."""
    case = take(privacy, kind="restriction", customer=customer)
    page = reverse("privacy:restrict", args=[customer.number])
    assert case.code in privacy_client.get(page).text
    privacy_client.post(page, {"case": "a", "parts": ["address"], "reason": "Adresse bestritten"})
    assert Restriction.objects.get().request == case
    # Whatever else is restricted later was not asked for by it.
    freeze(customer, privacy, "c")
    assert list(Request.objects.values_list("channel", flat=True).order_by("pk")) == ["mail", "staff"]


def lifted(restriction, by):
    restricting.announce_lifting(restriction, "Die Adresse stimmt.", by=by)
    restricting.lift(restriction, by=by)


@pytest.mark.parametrize("case", CASES)
def test_the_mark_is_set_with_history_and_a_request_file(customer, privacy, case):
    restriction = freeze(customer, privacy, case)
    assert customer.restricted_at == restriction.since
    last = customer.history.order_by("-history_id").first()
    assert (last.restricted_at, last.history_user) == (restriction.since, privacy)
    assert (restriction.request.kind, restriction.request.customer) == ("restriction", customer)


def test_everything_holds_the_other_parts(customer, privacy):
    assert freeze(customer, privacy, parts=("all", "address")).parts == ["all"]
    assert freeze(customer, privacy, parts=("contact",)).parts == ["all"]
    assert freeze(customer, privacy, case="c", parts=("address",)).parts == ["address"]
    assert freeze(customer, privacy, case="c", parts=("all",)).parts == ["all"]


@pytest.mark.parametrize(("parts", "reason"), [((), "x"), (("address",), " ")])
def test_no_restriction_without_what_and_why(customer, privacy, parts, reason):
    with pytest.raises(StepRefused):
        freeze(customer, privacy, parts=parts, reason=reason)
    customer.refresh_from_db()
    assert customer.restricted_at is None


def test_lifting_before_the_notice_is_refused_and_afterwards_all_is_as_before(customer, privacy):
    before = Customer.objects.filter(pk=customer.pk).values().get()
    restriction = freeze(customer, privacy)
    with pytest.raises(restricting.LiftRefused):
        restricting.lift(restriction, by=privacy)
    customer.refresh_from_db()
    assert customer.restricted_at is not None
    lifted(restriction, privacy)
    assert restriction.notice_sent_at <= restriction.lifted_at
    assert Customer.objects.filter(pk=customer.pk).values().get() == before
    with pytest.raises(restricting.LiftRefused):
        restricting.lift(restriction, by=privacy)


def test_the_database_itself_wants_the_notice_first(customer, privacy):
    restriction = freeze(customer, privacy)
    with pytest.raises(IntegrityError), transaction.atomic():
        Restriction.objects.filter(pk=restriction.pk).update(lifted_at=timezone.now())


def test_as_long_as_one_of_two_stands_the_mark_stands(customer, privacy):
    first, other = freeze(customer, privacy, "a"), freeze(customer, privacy, "c")
    lifted(first, privacy)
    customer.refresh_from_db()
    assert customer.restricted_at == other.since
    lifted(other, privacy)
    customer.refresh_from_db()
    assert customer.restricted_at is None


def test_restricting_twice_widens_the_one_that_stands(customer, privacy):
    one = freeze(customer, privacy)
    again = freeze(customer, privacy, parts=("contact",))
    assert again.pk == one.pk
    assert again.parts == ["address", "contact"]
    assert Restriction.objects.count() == 1


def test_the_apps_are_told_when_it_begins_and_ends(customer, privacy):
    told = []
    with erasing.registered_temporarily():
        erasing.register_restriction("probe", lambda ids, begins: told.append((ids, begins)))
        restriction = freeze(customer, privacy)
        freeze(customer, privacy, "b")
        lifted(restriction, privacy)
        assert told == [([customer.pk], True)]
        lifted(Restriction.objects.get(case="b"), privacy)
    assert told == [([customer.pk], True), ([customer.pk], False)]


@pytest.mark.parametrize("case", CASES)
def test_every_case_holds_what_would_be_deleted(customer, privacy, case):
    restriction = freeze(customer, privacy, case)
    today = timezone.localdate()
    kinds = {hold.kind for hold in holds.standing([customer.pk], today, night=True)}
    assert "art18_hold" in kinds
    lifted(restriction, privacy)
    assert "art18_hold" not in {hold.kind for hold in holds.standing([customer.pk], today, night=True)}


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        ("access", True),
        ("portability", True),
        ("rectification", True),
        ("restriction", True),
        ("erasure", False),
        ("withdrawal", False),
    ],
)
def test_open_requests_hold_what_their_answer_needs(customer, privacy, kind, held):
    case = take(privacy, customer=customer, kind=kind)
    today = timezone.localdate()
    assert ("open_request" in {hold.kind for hold in holds.standing([customer.pk], today, night=True)}) == held
    Request.objects.filter(pk=case.pk).update(closed_at=timezone.now(), state="closed")
    assert holds.standing([customer.pk], today, night=True) == []


# --- Out of sight ------------------------------------------------------------------------------------------------


@pytest.fixture
def frozen(customer, agent, privacy):
    """A restricted customer with an order, a complaint, a step and a note; and one who is not restricted."""
    person("10002", last_name="Offen", email="offen@laden.example", phone="")
    order = make_order(customer=customer, number="B-GEHEIM-1")
    open_complaint(customer, "Geheimnis klemmt", by=agent)
    FollowUp.objects.create(
        customer=customer, step="Geheimnis anrufen", due_on=timezone.localdate(), owner=agent, created_by=agent
    )
    Note.objects.create(customer=customer, text="Geheimnis mag Tee", author=agent)
    freeze(customer, privacy)
    return order


LISTS = [
    "portal:customer_list",
    "portal:dashboard",
    "orders:list",
    "interactions:list",
    "interactions:followups",
    "interactions:complaints",
    "customers:held",
]


@pytest.mark.parametrize("name", LISTS)
def test_no_list_names_the_person(name, frozen, agent_client, manager_client):
    for client in (agent_client, manager_client):
        page = client.get(reverse(name))
        if page.status_code == 200:
            assert "Geheimnis" not in page.text
            assert "B-GEHEIM-1" not in page.text


def test_the_figures_count_and_do_not_name(frozen, manager_client):
    page = manager_client.get(reverse("interactions:evaluation"))
    assert page.status_code == 200
    assert "Geheimnis" not in page.text


@pytest.mark.parametrize("words", ["Geheimnis", "10001", "geheim@laden.example", "B-GEHEIM-1", "+49405550142"])
def test_no_search_finds_the_person(words, frozen, agent_client, privacy_client):
    page = agent_client.post(reverse("portal:search"), {"q": words}, follow=True)
    assert "Geheimnis" not in page.text.replace(f'value="{words}"', "").replace(f"“{words}”", "").replace(words, "")
    assert reverse("portal:customer_detail", args=["10001"]) not in page.text
    assert search("Geheimnis").ids == []
    assert search("Geheimnis", restricted_too=True).ids != []
    found = privacy_client.post(reverse("portal:search"), {"q": "Geheimnis"}, follow=True)
    assert "10001" in found.text


def test_no_export_holds_the_person(frozen, manager_client):
    file = manager_client.post(reverse("portal:customer_export"), {"file_format": "csv"})
    text = b"".join(file.streaming_content).decode()
    assert "Offen" in text
    assert "Geheimnis" not in text


def test_the_pages_of_the_person_are_not_there(frozen, agent_client, customer):
    number = customer.number
    for url in (
        reverse("portal:customer_detail", args=[number]),
        reverse("portal:customer_history", args=[number]),
        reverse("portal:customer_timeline", args=[number]),
        reverse("customers:edit", args=[number]),
        reverse("interactions:log", args=[number]),
        reverse("orders:detail", args=[frozen.pk]),
    ):
        assert agent_client.get(url).status_code == 404


def test_the_privacy_role_sees_the_mark(frozen, privacy_client, customer):
    page = privacy_client.get(reverse("portal:customer_detail", args=[customer.number]))
    assert page.status_code == 200
    assert '<span class="chip stop">eingeschränkt</span>' in page.text


def test_who_is_about_to_enter_the_same_person_is_told_to_ask(frozen, agent):
    found = likely_duplicates(user=agent, email="geheim@laden.example", last_name="Geheimnis", postcode="22767")
    assert found.protected
    assert found.candidates == []


def test_nobody_changes_the_data_and_imports_wait(frozen, customer, agent_client):
    outcome = bring_in(make_row(email="geheim@laden.example", last_name="Anders"))
    assert outcome.held == 1 or HeldIntake.objects.filter(reason="restricted").exists()
    customer.refresh_from_db()
    assert customer.last_name == "Geheimnis"
    page = agent_client.get(reverse("customers:held"))
    assert "Anders" not in page.text


# --- Pages -------------------------------------------------------------------------------------------------------


def test_the_pages_set_announce_and_lift(privacy_client, customer):
    form = {"case": "a", "parts": ["address"], "reason": "Adresse bestritten"}
    answer = privacy_client.post(reverse("privacy:restrict", args=[customer.number]), form)
    restriction = Restriction.objects.get()
    assert answer["Location"] == reverse("privacy:restriction", args=[restriction.pk])
    lift = reverse("privacy:restriction_lift", args=[restriction.pk])
    assert privacy_client.post(lift, {"version": restriction.version}).status_code == 409
    announce = reverse("privacy:restriction_announce", args=[restriction.pk])
    told = {"decision": "Die Adresse stimmt.", "way": "mail", "version": restriction.version}
    assert privacy_client.post(announce, told | {"decision": ""}).status_code == 422
    assert privacy_client.post(announce, told | {"version": 99}).status_code == 409
    assert not Message.objects.exists()
    assert privacy_client.post(announce, told).status_code == 302
    assert Message.objects.count() == 1
    restriction.refresh_from_db()
    assert restriction.request.letters.get().kind == "lifting"
    assert privacy_client.post(lift, {"version": restriction.version}).status_code == 302
    customer.refresh_from_db()
    assert customer.restricted_at is None
    assert privacy_client.get(reverse("privacy:restriction", args=[restriction.pk])).status_code == 200


@pytest.mark.parametrize("missing", ["case", "parts", "reason"])
def test_a_form_with_a_gap_restricts_nobody(privacy_client, customer, missing):
    form = {"case": "a", "parts": ["address"], "reason": "x"}
    form.pop(missing)
    assert privacy_client.post(reverse("privacy:restrict", args=[customer.number]), form).status_code == 422
    assert not Restriction.objects.exists()


def test_who_may_restrict(client, agent_client, outsider_client, privacy, customer):
    url = reverse("privacy:restrict", args=[customer.number])
    assert client.get(url).status_code == 302
    assert agent_client.get(url).status_code == 403
    assert outsider_client.get(url).status_code == 403
    restriction = freeze(customer, privacy)
    page = reverse("privacy:restriction", args=[restriction.pk])
    assert agent_client.get(page).status_code == 403
    assert agent_client.get(reverse("privacy:restrictions")).status_code == 403


def test_a_restriction_that_is_not_there_is_404(privacy_client):
    assert privacy_client.get(reverse("privacy:restriction", args=[987654])).status_code == 404


def test_a_request_of_somebody_else_is_no_file_for_a_restriction(privacy_client, privacy, customer):
    foreign = take(privacy, customer=person("10002", email="b@laden.example"), kind="restriction")
    form = {"case": "a", "parts": ["all"], "reason": "x", "request": str(foreign.pk)}
    privacy_client.post(reverse("privacy:restrict", args=[customer.number]), form)
    assert Restriction.objects.get().request != foreign


# --- After a restore ---------------------------------------------------------------------------------------------


def entries_of(kind):
    return [dict(entry.payload) for entry in journal.entries() if entry.kind == kind]


def test_the_journal_brings_a_restriction_back_and_lifts_it_again(customer, privacy):
    restriction = freeze(customer, privacy, "c", ("all",))
    lifted(restriction, privacy)
    (was_set,), (was_lifted,) = entries_of("restriction_set"), entries_of("restriction_lifted")
    Restriction.objects.all().delete()  # as in a database from before
    Customer.objects.filter(pk=customer.pk).update(restricted_at=None)
    assert restricting.replay_set(was_set) == "replayed"
    assert restricting.replay_set(was_set) == "already"
    customer.refresh_from_db()
    assert customer.restricted_at is not None
    assert restricting.replay_lifted(was_lifted) == "replayed"
    assert restricting.replay_lifted(was_lifted) == "already"
    customer.refresh_from_db()
    assert customer.restricted_at is None


def test_a_journal_entry_names_nobody(customer, privacy):
    freeze(customer, privacy, reason="Frau Geheimnis bestreitet die Adresse")
    assert "Geheimnis" not in str(entries_of("restriction_set"))


def test_an_entry_about_somebody_who_is_not_there_is_done(db):
    payload = {
        "restriction": str(uuid.uuid4()),
        "customer": 987654321,
        "case": "a",
        "parts": ["all"],
        "since": timezone.now().isoformat(),
    }
    assert restricting.replay_set(payload) == "already"
    assert restricting.replay_lifted({"restriction": str(uuid.uuid4()), "at": timezone.now().isoformat()}) == "already"


def test_P14_restricted_customer_in_search_and_export(customer, privacy, manager_client):
    valid_before = customer.contact_points.get(kind="email").value
    restriction = freeze(customer, privacy, "a", ("address",))
    assert search("Geheimnis").ids == []
    file = manager_client.post(reverse("portal:customer_export"), {"file_format": "csv"})
    assert b"Geheimnis" not in b"".join(file.streaming_content) if file.streaming else True
    restricting.announce_lifting(restriction, "Geprüft, die Adresse stimmt.", by=privacy)
    restricting.lift(restriction, by=privacy)
    assert restriction.notice_sent_at < restriction.lifted_at
    assert search("Geheimnis").ids == [customer.pk]
    assert customer.contact_points.get(kind="email").value == valid_before


def test_a_decided_objection_closes_only_when_its_restriction_is_lifted(customer, privacy):
    case = take(privacy, customer=customer, kind="objection", objects_to="reasons")
    restriction = case.restrictions.get()
    handling.answer(case, "Die Gründe überwiegen nicht.", way=None, partly=False, version=None, by=privacy)
    with pytest.raises(closing.StillOpen):
        closing.close(case, version=None, by=privacy)
    lifted(restriction, privacy)
    closing.close(case, version=None, by=privacy)
    assert case.state == "closed"


def test_the_cockpit_knows_what_waits_at_the_desk(customer, privacy, privacy_client):
    take(privacy, customer=customer, received_at=timezone.now() - timedelta(days=60))
    restriction = freeze(customer, privacy)
    restricting.announce_lifting(restriction, "Die Adresse stimmt.", by=privacy)
    waiting = {item.key: item.count for item in cockpit.items_for(privacy)}
    assert waiting["requests_late"] == 1
    assert waiting["restrictions"] == 1
