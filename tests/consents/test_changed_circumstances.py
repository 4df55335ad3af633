"""What a yes is worth when something about it changes: the spelling, the age, the purpose, the other channel."""

from __future__ import annotations

import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

import consents
from consents.audience import audience_ids
from consents.invariants import check_states
from consents.models import Purpose, State
from consents.purposes import save_purpose
from consents.rebuilding import compare_states
from consents.recording import record_many
from consents.withdrawing import withdraw
from customers.models import ContactPoint, Flag, OptInClaim
from customers.remarks import lift_flag, set_flag
from customers.suppression import suppress, suppressed
from datamap.diagnosis import Finding, Options
from privacy import handling
from privacy.steps import StepRefused
from staff.models import Role, User
from tests.consents.making import event, say, triggers_off
from tests.consents.test_intake import audience, line
from tests.intake.importing import import_file
from tests.privacy.making import make_person, take

pytestmark = pytest.mark.django_db

NUMBER = "+49301234567"


def test_two_spellings_of_one_address_in_one_set_are_one_consent() -> None:
    customer = make_person("4711")
    record_many([event(customer), event(customer, "withdrawn", endpoint="ALMA4711@Laden.Example")])
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"
    assert State.objects.count() == 1
    assert compare_states().ok


def test_who_wants_no_more_calls_still_gets_the_messages_asked_for() -> None:
    customer = make_person("4711")
    say(customer, purpose="phone", channel="phone", endpoint=NUMBER)
    say(customer, channel="sms", endpoint=NUMBER, confirmed=True)
    withdraw(customer, "phone", "phone", source="desk")
    assert consents.may(customer, "phone", "phone").reason == "withdrawn"
    assert consents.may(customer, "newsletter", "sms").allowed
    withdraw(customer, "newsletter", "sms", source="desk")
    assert suppressed("phone", NUMBER) and suppressed("sms", NUMBER)


def test_what_a_file_says_of_a_minor_does_not_count_one_day_by_itself(tmp_path: Path, agent: User) -> None:
    customer = make_person("4711")
    flag = set_flag(customer, "minor", "fünfzehn", timezone.localdate() + timedelta(days=30), by=agent)
    done = import_file("customers", audience(tmp_path, line("alma4711@laden.example")))
    assert done["warning_count"] == 1
    lift_flag(flag, by=agent)
    assert consents.may(customer, "newsletter", "email").reason == "never_asked"
    assert not OptInClaim.objects.exists()


def test_a_shop_that_no_longer_relies_on_its_notices_at_sales_sends_nothing_on_them() -> None:
    customer, other = make_person("1"), make_person("2")
    say(customer, "noticed", source="sale", actor="sale")
    say(other, confirmed=True)
    newsletter = Purpose.objects.get(key="newsletter")
    assert [pk for page in audience_ids(newsletter, "email") for pk in page] == [customer.pk, other.pk]
    newsletter.existing_customers = False
    save_purpose(newsletter)
    assert consents.may(customer, "newsletter", "email").reason == "never_asked"
    assert consents.may(other, "newsletter", "email").allowed
    assert [pk for page in audience_ids(newsletter, "email") for pk in page] == [other.pk]


def test_no_letter_says_that_a_withdrawal_took_effect_which_did_not() -> None:
    officer = User.objects.create_user("p@obhut.example", name="P", roles=[Role.PRIVACY])
    customer = make_person("4711")
    say(customer, confirmed=True)
    case = take(officer, kind="withdrawal", customer=customer, text="Ich widerrufe den Newsletter.")
    with pytest.raises(StepRefused):
        handling.answer(case, "", way="mail", partly=False, version=None, by=officer)
    withdraw(customer, "newsletter", "email", source="desk")
    handling.answer(case, "", way="mail", partly=False, version=None, by=officer)
    assert case.letters.get().kind == "answer"


def reached() -> set[int]:
    """Whom the newsletter would go to."""
    return {pk for page in audience_ids(Purpose.objects.get(key="newsletter"), "email") for pk in page}


@pytest.mark.parametrize("how", ["page", "set"])
def test_an_address_that_moves_to_another_customer_takes_the_yes_of_neither_along(how: str) -> None:
    """The old owner is no longer reached by it, the new one only by a consent of their own for it."""
    old, new, third = make_person("4711"), make_person("4712"), make_person("4713")
    theirs = old.contact_points.get(kind="email")
    say(old)
    say(new, endpoint=theirs.value)  # agreed to while the address was not entered yet
    assert reached() == {old.pk}
    for owner in (new, third):
        if how == "set":
            ContactPoint.objects.filter(pk=theirs.pk).update(customer=owner)
        else:
            theirs.customer = owner
            theirs.save()
        people = {one.pk for one in (old, new, third) if consents.may(one, "newsletter", "email", theirs.value)}
        assert reached() == people == ({new.pk} if owner == new else set())
        assert compare_states().ok


def test_a_database_in_which_flags_went_unseen_is_mended_by_its_update_and_doctor_tells_of_any_other() -> None:
    grown, minor, listed = make_person("1"), make_person("2"), make_person("3")
    for person in (grown, minor, listed):
        say(person)
        Flag.objects.create(customer=person, kind=Flag.Kind.MINOR, reason="x", review_on="2030-01-01")
    suppress("email", "alma3@laden.example", reason="objection")
    with triggers_off("customers_flag"):  # as before the states followed the last day of a flag
        Flag.objects.filter(customer__in=[grown, listed]).delete()
    found = check_states(Options())
    assert not found.ok
    assert "rebuild_consent_state" in found.detail
    assert reached() == set()
    with connection.cursor() as cursor:
        cursor.execute(import_module("consents.migrations.0017_states_behind_flags_gone").MEND)
    assert reached() == {grown.pk}
    assert check_states(Options()) == Finding(
        True, "3 consents, 0 missing, 0 wrong, 0 too many, 0 wrongly open or closed"
    )


@pytest.mark.parametrize("door", ["the page", "a query", "SQL"])
def test_whoever_changes_a_purpose_the_states_follow(door: str) -> None:
    grown, old = make_person("1"), make_person("2")
    say(grown)
    say(old, at=timezone.now() - timedelta(days=500), late=True)
    Flag.objects.create(customer=grown, kind=Flag.Kind.MINOR, reason="x", review_on="2030-01-01")

    def change(ages: dict[str, int], months: int | None) -> None:
        purpose = Purpose.objects.get(key="newsletter")
        if door == "the page":
            purpose.minimum_age, purpose.stale_months = ages, months
            save_purpose(purpose)
        elif door == "a query":
            Purpose.objects.filter(pk=purpose.pk).update(minimum_age=ages, stale_months=months)
        else:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE consents_purpose SET minimum_age = %s, stale_months = %s WHERE id = %s",
                    [json.dumps(ages), months, purpose.pk],
                )
        assert compare_states().ok

    people = {grown.pk: grown, old.pk: old}
    for ages, months, reaches in (
        ({}, None, people),
        ({}, 12, [grown.pk]),
        ({"DE": 16}, 12, []),
        ({"DE": 16}, 24, [old.pk]),
    ):
        change(ages, months)
        assert reached() == set(reaches)
        assert {pk for pk, one in people.items() if consents.may(one, "newsletter", "email").allowed} == set(reaches)
