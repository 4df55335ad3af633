"""The state of a consent follows its events by one rule, whether it is folded, stored or rebuilt."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import consents
from consents.audience import allowed_among, audience_ids, audience_sql, count_audience
from consents.events import Kind
from consents.folding import Told, fold
from consents.models import Entry, Purpose, Record, State
from consents.rebuilding import compare_states, rebuild_states
from consents.recording import NobodyThere, NotRecorded, record_many
from consents.withdrawing import withdraw
from customers.models import Customer, Flag, Suppression
from customers.suppression import end, suppress, suppressed
from tests.consents.making import ON_EMAIL, event, moment, say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2026, 1, 1, 12, tzinfo=UTC)
KINDS = [kind.value for kind in Kind if kind != Kind.ERASED]


@pytest.fixture
def person() -> Customer:
    return make_person("4711")


@pytest.fixture
def newsletter() -> Purpose:
    return Purpose.objects.get(key="newsletter")


# --- the rule


def told(*events: tuple[str, int, bool]) -> str | None:
    """What holds after these (kind, day, told later)."""
    standing = fold(
        Told(n, kind, NEW_YEAR + timedelta(days=day), late) for n, (kind, day, late) in enumerate(events, start=1)
    )
    return standing and standing.kind


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        ([], None),
        ([("given", 1, False), ("withdrawn", 2, False)], "withdrawn"),
        # A clock that went back does not save a consent that was withdrawn.
        ([("given", 5, False), ("withdrawn", 2, False)], "withdrawn"),
        # What a file tells of last year does not go before what the person said since.
        ([("withdrawn", 5, False), ("given", 2, True)], "withdrawn"),
        ([("withdrawn", 5, False), ("given", 7, True)], "given"),
        ([("given", 5, False), ("withdrawn", 2, True)], "given"),
        ([("given", 5, False), ("withdrawn", 6, True)], "withdrawn"),
        # Who was told at a sale and has said something is bound by what was said.
        ([("noticed", 1, False)], "noticed"),
        ([("noticed", 1, False), ("given", 2, False)], "given"),
        ([("withdrawn", 1, False), ("noticed", 2, False)], "withdrawn"),
        ([("given", 1, False), ("noticed", 2, False)], "given"),
        # Asking again takes nothing away.
        ([("given", 1, False), ("requested", 2, False)], "given"),
        ([("withdrawn", 1, False), ("requested", 2, False)], "withdrawn"),
        ([("requested", 1, False), ("given", 2, False)], "given"),
    ],
)
def test_what_holds_after_some_events(events, wanted):
    assert told(*events) == wanted


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    events=st.lists(
        st.tuples(st.sampled_from(KINDS), st.integers(-20, 0), st.booleans(), st.booleans()), min_size=1, max_size=7
    )
)
def test_the_stored_state_is_what_the_rule_says(events):
    person = make_person(str(Customer.objects.count() + 20_000))
    now = timezone.now()
    given_events = [(kind, now + timedelta(days=day), late, sure) for kind, day, late, sure in events]
    ids = record_many([event(person, kind, at=at, late=late, confirmed=sure) for kind, at, late, sure in given_events])
    standing = fold(
        Told(pk, kind, at, late, sure) for pk, (kind, at, late, sure) in zip(ids, given_events, strict=True)
    )
    state = State.objects.get(customer=person)
    assert (state.state, state.since, state.entry_id) == (standing.kind, standing.since, standing.entry)
    assert (state.confirmed, state.granted) == (standing.confirmed, standing.granted)
    assert compare_states().ok


def test_many_events_of_one_consent_in_one_go_follow_each_other(person):
    ids = record_many([event(person), event(person, "withdrawn"), event(person, "given"), event(person, "refused")])
    assert ids == sorted(ids)
    assert State.objects.get().state == "refused"
    assert Record.objects.filter(ended_at__isnull=True).count() == 0


def test_states_are_rebuilt_from_the_ledger(person, capsys):
    say(person)
    say(person, purpose="birthday")
    say(person, "withdrawn", purpose="birthday")
    State.objects.filter(purpose__key="newsletter").delete()
    State.objects.filter(purpose__key="birthday").update(state="given", granted=True)
    stray = make_person("4712")
    State.objects.create(
        customer=stray, purpose=Purpose.objects.get(key="post"), channel="post", state="given", since=timezone.now(),
        source="desk", entry=Entry.objects.first(),
    )  # fmt: skip
    with pytest.raises(SystemExit):
        call_command("rebuild_consent_state", "--check", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["missing"], found["wrong"], found["surplus"], found["ok"]) == (1, 1, 1, False)
    rebuild_states()
    assert compare_states().ok
    assert consents.may(person, "newsletter", "email").allowed
    assert consents.may(person, "birthday", "email").reason == "withdrawn"


# --- what is refused


@pytest.mark.parametrize(
    "given_event",
    [
        {"purpose": "world_peace"},
        {"channel": "post"},
        {"channel": "pigeon"},
        {"endpoint": ""},
        {"kind": "erased"},
        {"kind": "maybe"},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
    ids=str,
)
def test_what_fits_nothing_is_refused(person, given_event):
    given_event = {"kind": "given", "purpose": "newsletter", **given_event}
    with pytest.raises(NotRecorded):
        say(person, **given_event)
    assert not Entry.objects.exists()


def test_nothing_is_written_about_somebody_who_is_not_there(person):
    gone = Customer(pk=person.pk + 1000, number="9999")
    with pytest.raises(NobodyThere):
        record_many([event(person), event(gone)])
    assert not Entry.objects.exists()


# --- the answer


def test_the_answer_gives_its_reason(person):
    assert consents.may(person, "newsletter", "email").reason == "never_asked"
    entry = say(person, at=moment("2026-03-01T10:00:00+01:00"))
    found = consents.may(person, "newsletter", "email")
    assert (found.allowed, found.reason, found.entry) == (True, "consent", entry)
    assert found.since == moment("2026-03-01T10:00:00+01:00")
    assert found.wording == "ab" * 32
    withdraw(person, "newsletter", "email", source="self_service")
    assert consents.may(person, "newsletter", "email").reason == "withdrawn"


def restricted(person: Customer) -> None:
    Customer.objects.filter(pk=person.pk).update(restricted_at=timezone.now())


def deactivated(person: Customer) -> None:
    Customer.objects.filter(pk=person.pk).update(deactivated_at=timezone.now())


def objected(person: Customer) -> None:
    person.summary.advertising_stopped_at = timezone.now()
    person.summary.save()


def listed(person: Customer) -> None:
    suppress("email", f" {ON_EMAIL.format(person.number).upper()} ", reason=Suppression.Reason.UNSUBSCRIBED)


def a_child(person: Customer) -> None:
    Flag.objects.create(customer=person, kind="minor", reason="x", review_on="2027-01-01")


def moved(person: Customer) -> None:
    person.contact_points.filter(kind="email").delete()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (restricted, "restricted"),
        (deactivated, "deactivated"),
        (objected, "objected"),
        (listed, "suppressed"),
        (a_child, "too_young"),
        (moved, "not_theirs"),
    ],
)
def test_whatever_stands_against_it_is_known_at_once_by_both_forms(person, newsletter, change, reason):
    say(person)
    assert allowed_among([person.pk], newsletter, "email") == {person.pk}
    change(person)
    found = consents.may(person, "newsletter", "email", ON_EMAIL.format(person.number))
    assert (found.allowed, found.reason) == (False, reason)
    assert allowed_among([person.pk], newsletter, "email") == set()
    assert compare_states().ok


def test_what_ends_opens_the_consent_again(person, newsletter):
    say(person)
    restricted(person)
    Customer.objects.filter(pk=person.pk).update(restricted_at=None)
    listed(person)
    end("email", ON_EMAIL.format(person.number))
    a_child(person)
    Flag.objects.update(lifted_at=timezone.now())
    assert consents.may(person, "newsletter", "email").allowed
    assert count_audience(newsletter, "email") == 1


def test_a_flag_whose_day_has_come_leaves_states_that_say_what_may_says(person, newsletter):
    bert = make_person("4712")
    for one in (person, bert):
        say(one)
        a_child(one)
    assert allowed_among([person.pk, bert.pk], newsletter, "email") == set()
    Flag.objects.filter(customer=person).delete()
    found = {one.pk for one in (person, bert) if consents.may(one, "newsletter", "email")}
    assert allowed_among([person.pk, bert.pk], newsletter, "email") == found == {person.pk}
    assert compare_states().ok


def test_only_what_was_confirmed_since_goes_before_an_objection(person, newsletter):
    say(person, confirmed=True)
    objected(person)
    assert consents.may(person, "newsletter", "email").reason == "objected"
    say(person, confirmed=False)
    assert consents.may(person, "newsletter", "email").reason == "objected"
    say(person, confirmed=True)
    assert consents.may(person, "newsletter", "email").allowed
    assert count_audience(newsletter, "email") == 1
    assert consents.may(person, "birthday", "email").reason == "objected"


def test_a_consent_is_stale_after_thirty_six_months_without_use(person, newsletter):
    say(person, at=moment("2023-01-31T10:00:00+01:00"), late=True)
    assert consents.may(person, "newsletter", "email", at=moment("2026-01-31T09:59:59+01:00")).allowed
    assert consents.may(person, "newsletter", "email", at=moment("2026-01-31T10:00:00+01:00")).reason == "stale"
    assert consents.may(person, "newsletter", "email").reason == "stale"
    assert count_audience(newsletter, "email") == 0


def test_contracts_and_legitimate_interests_need_no_consent(person):
    post, account = Purpose.objects.get(key="post"), Purpose.objects.get(key="account")
    assert consents.may(person, "account", "web").reason == "contract"
    assert consents.may(person, "post", "post").reason == "interests"
    assert allowed_among([person.pk], post, "post") == {person.pk}
    objected(person)
    assert consents.may(person, "account", "web").allowed
    assert consents.may(person, "post", "post").reason == "objected"
    assert allowed_among([person.pk], post, "post") == set()
    assert allowed_among([person.pk], account, "web") == {person.pk}


def test_unknown_purposes_and_channels(person):
    with pytest.raises(LookupError):
        consents.may(person, "world_peace", "email")
    assert consents.may(person, "newsletter", "post").reason == "wrong_channel"
    assert consents.may(Customer(pk=0), "newsletter", "email", "a@laden.example").reason == "blocked"
    moved(person)
    assert consents.may(person, "newsletter", "email").reason == "no_endpoint"
    with pytest.raises(ValueError, match="not used"):
        audience_sql(Purpose.objects.get(key="newsletter"), "phone")


def test_the_answer_of_a_past_moment(person):
    say(person, at=moment("2025-05-05T10:00:00+02:00"), late=True)
    say(person, "withdrawn", at=moment("2025-09-01T08:00:00+02:00"), late=True)
    say(person, at=moment("2026-02-01T08:00:00+01:00"), late=True)
    asked = {
        "2025-05-05T09:59:59+02:00": "never_asked",
        "2025-05-05T10:00:00+02:00": "consent",
        "2025-08-31T23:00:00+02:00": "consent",
        "2025-09-01T08:00:00+02:00": "withdrawn",
        "2026-02-01T07:59:59+01:00": "withdrawn",
        "2026-02-01T08:00:00+01:00": "consent",
    }
    answers = {at: consents.may(person, "newsletter", "email", at=moment(at)).reason for at in asked}
    assert answers == asked


# --- withdrawing


def test_a_withdrawal_is_at_once_idempotent_and_listed(person):
    say(person)
    assert withdraw(person, "newsletter", "email", source="rfc8058") == 1
    assert withdraw(person, "newsletter", "email", source="rfc8058") == 0
    assert Record.objects.filter(kind="withdrawn").count() == 1
    assert suppressed("email", ON_EMAIL.format(person.number))


def test_a_withdrawal_leaves_what_else_is_wanted_at_the_address(person):
    say(person)
    say(person, purpose="birthday")
    withdraw(person, "newsletter", "email", source="self_service")
    assert consents.may(person, "newsletter", "email").reason == "withdrawn"
    assert consents.may(person, "birthday", "email").allowed
    withdraw(person, "birthday", "email", source="self_service")
    assert suppressed("email", ON_EMAIL.format(person.number))


def test_the_set_form_says_what_each_single_answer_says(newsletter):
    people = [make_person(str(6000 + n)) for n in range(40)]
    record_many([event(person, "given" if n % 3 else "refused") for n, person in enumerate(people)])
    for n, person in enumerate(people):
        for every, change in ((5, restricted), (7, objected), (11, listed), (13, a_child), (17, deactivated)):
            if n % every == 0:
                change(person)
    single = {
        person.pk for person in people if consents.may(person, "newsletter", "email", ON_EMAIL.format(person.number))
    }
    assert 5 < len(single) < 30
    assert allowed_among([person.pk for person in people], newsletter, "email") == single
    assert [pk for page in audience_ids(newsletter, "email", page=7) for pk in page] == sorted(single)


def test_asking_costs_two_questions(person, django_assert_num_queries):
    say(person)
    with django_assert_num_queries(2):
        assert consents.may(person, "newsletter", "email", ON_EMAIL.format(person.number))


def test_no_word_of_a_person_stands_in_an_entry(person):
    say(person, evidence={"ip": "192.0.2.7"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT e::text FROM consents_entry e")
        text = cursor.fetchone()[0].lower()
    for word in ("4711", "alma", "laden.example", "192.0.2.7"):
        assert word not in text
