"""An answer about the past is that of the purpose as it was then, whoever changed it since, and says which."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError
from django.urls import reverse
from django.utils import timezone

import consents
from consents import answering
from consents.forms import CLOCK
from consents.models import Purpose, PurposeVersion
from consents.purposes import retire, save_purpose
from customers.models import ContactPoint, Customer, Flag
from customers.stopping import stop_advertising
from tests.consents.making import say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


def change(key: str, **to: object) -> datetime:
    """Change a purpose as its page does; the moment just before."""
    before = timezone.now()
    purpose = Purpose.objects.get(key=key)
    for name, value in to.items():
        setattr(purpose, name, value)
    save_purpose(purpose)
    return before


def reason(customer: Customer, at: datetime | None = None, purpose: str = "newsletter", channel: str = "email") -> str:
    return consents.may(customer, purpose, channel, at=at).reason


def test_the_exception_for_existing_customers_held_while_it_was_ticked() -> None:
    alma = make_person("4711")
    say(alma, "noticed", at=timezone.now() - timedelta(days=9), source="sale")
    before = change("newsletter", existing_customers=False)
    assert reason(alma) == "never_asked"
    assert reason(alma, before) == "existing_customer"
    again = change("newsletter", existing_customers=True)
    assert [reason(alma, at) for at in (before, again, None)] == [
        "existing_customer", "never_asked", "existing_customer"
    ]  # fmt: skip


def test_a_limit_of_staleness_counts_from_the_day_it_was_set() -> None:
    alma = make_person("4711")
    say(alma, at=timezone.now() - timedelta(days=400), late=True)
    before = change("newsletter", stale_months=12, warn_months=6)
    assert (reason(alma), reason(alma, before)) == ("stale", "consent")
    between = change("newsletter", stale_months=None, warn_months=None)
    assert [reason(alma, at) for at in (before, between, None)] == ["consent", "stale", "consent"]


def test_an_age_that_began_to_matter_did_not_matter_before() -> None:
    alma = make_person("4711")
    say(alma, purpose="loyalty", channel="web", endpoint="", at=timezone.now() - timedelta(days=9))
    since = timezone.now() - timedelta(days=20)
    Flag.objects.create(customer=alma, kind=Flag.Kind.MINOR, reason="school", set_at=since, review_on=since.date())
    before = change("loyalty", minimum_age={"DE": 16})
    assert reason(alma, purpose="loyalty", channel="web") == "too_young"
    assert reason(alma, before, purpose="loyalty", channel="web") == "consent"
    # Fourteen instead of sixteen is a version, too, although nothing of this answer depends on it.
    change("loyalty", minimum_age={"DE": 14})
    ages = PurposeVersion.objects.filter(purpose__key="loyalty").order_by("number")
    assert list(ages.values_list("minimum_age", flat=True)) == [{}, {"DE": 16}, {"DE": 14}]


def test_another_basis_or_channel_changes_no_answer_of_before() -> None:
    alma = make_person("4711")
    on_post = {"purpose": "post", "channel": "post"}
    first = change("post", basis="consent")
    second = change("post", basis="interests", channels=["web"])
    assert [reason(alma, at, **on_post) for at in (first, second, None)] == [
        "interests", "never_asked", "wrong_channel"
    ]  # fmt: skip
    assert [reason(alma, at, "post", "web") for at in (first, second, None)] == [
        "wrong_channel", "wrong_channel", "interests"
    ]  # fmt: skip


def test_what_was_advertising_then_was_stopped_by_an_objection_then() -> None:
    alma = make_person("4711")
    say(alma, at=timezone.now() - timedelta(days=9))
    stop_advertising([alma.pk], timezone.now() - timedelta(days=3))
    before = change("newsletter", advertising=False)
    assert (reason(alma), reason(alma, before)) == ("consent", "objected")


def test_a_purpose_that_is_used_again_was_out_of_use_meanwhile() -> None:
    alma = make_person("4711")
    say(alma, at=timezone.now() - timedelta(days=9))
    purpose = Purpose.objects.get(key="newsletter")
    first = timezone.now()
    retire(purpose, retired=True)
    meanwhile = timezone.now()
    retire(purpose, retired=False)
    assert [reason(alma, at) for at in (first, meanwhile, None)] == ["consent", "retired", "consent"]


@pytest.mark.parametrize("door", ["the page", "a query with a time of its own", "SQL"])
def test_a_purpose_goes_out_of_use_at_the_instant_at_which_its_version_begins(door: str) -> None:
    alma = make_person("4711")
    say(alma, at=timezone.now() - timedelta(days=9))
    purpose = Purpose.objects.get(key="newsletter")
    if door == "the page":
        assert retire(purpose, retired=True) == Purpose.objects.get(key="newsletter").retired_at
    elif door == "SQL":
        with connection.cursor() as cursor:
            cursor.execute("UPDATE consents_purpose SET retired_at = '2020-01-01' WHERE key = 'newsletter'")
    else:
        Purpose.objects.filter(pk=purpose.pk).update(retired_at=timezone.now() + timedelta(days=3))
    purpose.refresh_from_db()
    version = purpose.versions.latest("number")
    assert purpose.retired_at == version.retired_at == version.valid_from
    instant = timedelta(microseconds=1)
    assert (reason(alma, version.valid_from - instant), reason(alma, version.valid_from), reason(alma)) == (
        "consent", "retired", "retired"
    )  # fmt: skip


def test_a_clock_that_was_put_back_takes_a_purpose_out_of_use_at_one_instant_too() -> None:
    alma, ahead = make_person("4711"), timezone.now() + timedelta(hours=1)
    purpose = Purpose.objects.get(key="newsletter")
    PurposeVersion.objects.create(
        purpose=purpose, number=2, valid_from=ahead, basis="consent", channels=purpose.channels, advertising=True,
        existing_customers=True, minimum_age={}, stale_months=36,
    )  # fmt: skip
    assert retire(purpose, retired=True) == ahead
    assert purpose.versions.latest("number").valid_from == ahead
    assert reason(alma) == "retired"


def test_what_was_before_the_first_version_is_asked_of_the_first() -> None:
    alma = make_person("4711")
    say(alma, at=timezone.now() - timedelta(days=900), late=True)
    assert reason(alma, timezone.now() - timedelta(days=899)) == "consent"


@pytest.mark.parametrize("door", ["the page", "a query", "SQL"])
def test_whoever_changes_a_purpose_its_version_is_kept(door: str) -> None:
    versions = PurposeVersion.objects.filter(purpose__key="newsletter")
    assert versions.count() == 1
    if door == "the page":
        change("newsletter", stale_months=30)
    elif door == "a query":
        Purpose.objects.filter(key="newsletter").update(stale_months=30)
    else:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE consents_purpose SET stale_months = 30 WHERE key = 'newsletter'")
    # What decides nothing makes no version.
    change("newsletter", name_de="Rundbrief", position=3, warn_months=12, description_en="Letters.")
    newest = versions.latest("number")
    assert (versions.count(), newest.number, newest.stale_months) == (2, 2, 30)
    assert newest.valid_from <= timezone.now()


def test_a_purpose_of_the_shops_own_begins_with_its_first_version(manager_client) -> None:
    manager_client.post(
        reverse("consents:purpose_new"),
        {
            "key": "beta", "name_de": "Probelauf", "name_en": "Beta", "description_de": "Neues.",
            "description_en": "News.", "basis": "consent", "channels": ["email"], "advertising": "on", "position": "5",
        },
    )  # fmt: skip
    (version,) = PurposeVersion.objects.filter(purpose__key="beta")
    assert (version.number, version.channels, version.advertising) == (1, ["email"], True)


def test_every_purpose_that_a_shop_begins_with_has_a_version() -> None:
    assert PurposeVersion.objects.filter(number=1).count() == Purpose.objects.count()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consents_purposeversion SET existing_customers = false",
        "DELETE FROM consents_purposeversion",
        "TRUNCATE consents_purposeversion CASCADE",
    ],
)
def test_a_version_stands(statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL obhut.flush = ''")
        cursor.execute(statement)
    with pytest.raises(ProtectedError):
        Purpose.objects.get(key="birthday").delete()


def test_the_proof_says_which_version_of_the_purpose_answered(agent_client) -> None:
    alma = make_person("4711")
    say(alma, "noticed", at=timezone.now() - timedelta(days=9), source="sale")
    before = change("newsletter", existing_customers=False)
    purpose = Purpose.objects.get(key="newsletter")
    point = ContactPoint.objects.get(customer=alma, kind="email")
    then = answering.answer(alma, purpose, "email", point.value, before)
    now = answering.answer(alma, purpose, "email", point.value, timezone.now())
    assert (then.version.number, then.decision.reason) == (1, "existing_customer")
    assert (now.version.number, now.decision.reason) == (2, "never_asked")
    said = answering.as_json(then)["purpose_version"]
    assert said["number"] == 1
    assert said["existing_customers"] is True
    assert said["basis"] == "consent"
    assert said["channels"] == ["email", "sms", "whatsapp"]
    assert said["minimum_age"] == {"DE": 16, "AT": 14}
    assert (said["stale_months"], said["retired_at"], said["known"]) == (36, None, True)
    # Of a moment before the first version nobody knows better.
    long_ago = timezone.localtime(timezone.now() - timedelta(days=5)).strftime(CLOCK)
    query = {"purpose": "newsletter", "choice": f"email.{point.pk}", "at": long_ago}
    page = agent_client.get(reverse("consents:answer", args=[alma.number]), query)
    assert "Fassung 1" in page.text
    assert "was davor galt, ist nicht verzeichnet" in page.text
    assert json.loads(agent_client.get(reverse("consents:answer_json", args=[alma.number]), query).content)[
        "purpose_version"
    ] == said | {"known": False}
    assert agent_client.get(reverse("consents:answer_pdf", args=[alma.number]), query).content.startswith(b"%PDF-")
