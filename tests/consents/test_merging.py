"""Two records of one person: the more protective word counts, and the pure rule and the set form say the same."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

import consents
from consents.merging import Part, losing, merged, parts_of, stopped
from consents.models import State
from consents.withdrawing import end_states, withdraw
from customers.models import ContactPoint, Customer, Suppression
from privacy import objecting
from staff.models import User
from tests.consents.making import moment, say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

MAY, AUGUST = moment("2026-05-01T10:00:00+02:00"), moment("2026-08-01T10:00:00+02:00")
ANNA, MUSTER = "anna@example.org", "a.muster@example.org"


def two(confirmed: bool = True, given_at: object = AUGUST, endpoint: str = MUSTER) -> tuple[Customer, Customer]:
    a, b = make_person("1001"), make_person("1002")
    for customer, address in ((a, ANNA), (b, endpoint)):
        customer.contact_points.filter(kind="email").delete()
        ContactPoint.objects.create(customer=customer, kind="email", value=address, is_primary=True)
    say(a, endpoint=ANNA, confirmed=True, at=moment("2025-01-01T10:00:00+01:00"))
    withdraw(a, "newsletter", "email", source="rfc8058", at=MAY)
    Suppression.objects.all().delete()  # the rule alone is asked here
    say(b, endpoint=endpoint, confirmed=confirmed, at=given_at)
    return a, b


def merge(a: Customer, b: Customer) -> None:
    """As the merge of records will: what loses is ended, then everything is moved to the one who stays."""
    lost = losing([(b.pk, a.pk)])
    end_states(list(State.objects.filter(pk__in=lost).select_related("purpose", "customer")), source="system")
    a.contact_points.update(customer=b)


def test_p20_a_later_confirmed_opt_in_holds_for_exactly_its_address(manager: User) -> None:
    a, b = two()
    assert losing([(b.pk, a.pk)]) == {}
    held = {part.endpoint: part.state for part in merged(parts_of([a.pk, b.pk]))}
    assert sorted(held.values()) == ["given", "withdrawn"]
    merge(a, b)
    assert not consents.may(a, "newsletter", "email", ANNA)
    assert not consents.may(b, "newsletter", "email", ANNA)
    assert consents.may(b, "newsletter", "email", MUSTER)
    # "Please no more advertising at all": both addresses, phone and post.
    objecting.object_now(b, channel="mail", by=manager)
    for channel, endpoint in (("email", ANNA), ("email", MUSTER), ("phone", None), ("post", None)):
        purpose = {"email": "newsletter", "phone": "phone", "post": "post"}[channel]
        assert not consents.may(b, purpose, channel, endpoint)
    assert consents.may(b, "newsletter", "email", MUSTER).reason in ("objected", "suppressed", "withdrawn")


@pytest.mark.parametrize(
    ("confirmed", "given_at"),
    [(False, AUGUST), (True, moment("2026-04-01T10:00:00+02:00"))],
    ids=["not confirmed", "confirmed before"],
)
@pytest.mark.parametrize("endpoint", [MUSTER, ANNA])
def test_any_other_yes_gives_way(confirmed: bool, given_at: object, endpoint: str) -> None:
    a, b = two(confirmed, given_at, endpoint)
    yes, no = State.objects.get(customer=b), State.objects.get(customer=a)
    assert losing([(b.pk, a.pk)]) == {yes.pk: no.pk}
    assert {part.state for part in merged(parts_of([a.pk, b.pk]))} == {"withdrawn"}
    merge(a, b)
    assert not consents.may(b, "newsletter", "email", endpoint)


def test_what_ended_by_rule_says_nothing_about_another_address() -> None:
    a, b = make_person("1001"), make_person("1002")
    say(a, endpoint=ANNA, kind="expired", at=AUGUST)
    say(b, endpoint=MUSTER, at=MAY)
    assert losing([(b.pk, a.pk)]) == {}


def test_an_objection_is_the_persons() -> None:
    assert stopped(None, None) is None
    assert stopped(MAY, None) == MAY
    assert stopped(MAY, AUGUST) == AUGUST


def test_the_set_form_follows_the_rule_for_many_pairs_at_once() -> None:
    draw = Random(20)
    people = [make_person(str(2000 + n)) for n in range(80)]
    for customer in people:
        for purpose in ("newsletter", "birthday"):
            for endpoint in draw.sample([ANNA, MUSTER, "x@example.org"], draw.randint(0, 3)):
                kind = draw.choice(["given", "renewed", "withdrawn", "refused", "expired", "requested", "noticed"])
                at = MAY + timedelta(days=draw.randint(0, 5))
                say(customer, kind, purpose, endpoint=endpoint, at=at, confirmed=draw.random() < 0.5)
    pairs = [(people[n].pk, people[n + 1].pk) for n in range(0, 80, 2)]
    found = losing(pairs)
    assert len(found) > 8
    for kept, gone in pairs:
        parts = parts_of([kept, gone])
        own = {part.pk: found[part.pk] for part in parts if part.pk in found}
        assert own == expected(parts)
        held = {(part.purpose, part.channel): part for part in merged(parts)}
        assert set(held) == {(part.purpose, part.channel) for part in parts}
        assert not {part.pk for part in merged(parts)} & set(found)


def expected(parts: list[Part]) -> dict[int, int]:
    """The rule again, by hand: each yes that a no of the other record is not older than its confirmation."""
    found = {}
    for yes in parts:
        if yes.state not in ("given", "renewed", "noticed"):
            continue
        against = []
        for no in parts:
            same_use = (no.purpose, no.channel) == (yes.purpose, yes.channel)
            word = no.state in ("withdrawn", "refused") or (no.state == "expired" and no.endpoint == yes.endpoint)
            outdone = yes.confirmed and yes.since > no.since
            if same_use and no.owner != yes.owner and word and not outdone:
                against.append(no)
        if against:
            found[yes.pk] = max(against, key=lambda no: (no.since, no.pk)).pk
    return found
