"""STAFF (domain.md 5): six months after an account is closed nothing names whoever worked here; what they did stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from intake.models import SavedMapping
from portal.models import SavedView
from privacy.models import DeletionLog
from staff.models import Invite, Role, StaffEvent, User
from tests.house import just_proved
from tests.privacy.making import at

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_the_future(settings: Any) -> None:
    settings.DEBUG = True


def night(day: str, *more: str) -> dict[str, dict[str, int]]:
    out = StringIO()
    call_command("purge_expired", "--as-of", day, *more, "--json", stdout=out)
    found: dict[str, dict[str, int]] = json.loads(out.getvalue())["categories"]
    return {key: {name: count for name, count in counts.items() if count} for key, counts in found.items()}


@pytest.fixture
def leaver(db: None) -> User:
    """Somebody whose account was closed on 31 August 2027."""
    user = User.objects.create_user("nele.neu@laden.example", name="Nele Neu", roles=[Role.SERVICE], password="geheim")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})
    SavedView.objects.create(owner=user, name="Meine", query={"words": "Kaffee"})
    SavedView.objects.create(owner=user, name="Unsere", query={"words": "Tee"}, shared_at=at("2027-01-01"))
    User.objects.filter(pk=user.pk).update(
        is_active=False, disabled_at=at("2027-08-31"), last_seen=at("2027-08-30"), last_login=at("2027-08-30")
    )
    return user


def test_the_name_goes_six_months_after_the_account_was_closed(leaver: User, manager: User) -> None:
    StaffEvent.objects.create(kind="disabled", actor=manager, subject=leaver, at=at("2028-02-01"))
    assert "STAFF" not in night("2028-02-29")
    assert User.objects.get(pk=leaver.pk).name == "Nele Neu"
    expected = {"due": 4, "deleted": 3, "anonymized": 1}  # address, second factor, own view; the account itself
    assert night("2028-03-01", "--dry-run")["STAFF"] == expected
    assert night("2028-03-01")["STAFF"] == expected
    left = User.objects.get(pk=leaver.pk)
    assert "nele" not in json.dumps([str(value) for value in left.__dict__.values()]).lower()
    assert (left.last_seen, left.last_login, left.has_usable_password()) == (None, None, False)
    assert not EmailAddress.objects.exists() and not Authenticator.objects.exists()
    # What colleagues use stays, and who did what to whom stays told apart.
    assert list(SavedView.objects.values_list("name", flat=True)) == ["Unsere"]
    assert StaffEvent.objects.get().subject_id == leaver.pk
    assert User.objects.get(pk=manager.pk).name != left.name
    log = DeletionLog.objects.filter(rule_key="STAFF").values_list("model", "action", "count")
    assert sorted(log) == [
        ("account.EmailAddress", "delete", 1), ("mfa.Authenticator", "delete", 1), ("portal.SavedView", "delete", 1),
        ("staff.User", "anonymize", 1),
    ]  # fmt: skip
    assert "STAFF" not in night("2028-03-02")


def test_two_who_left_are_told_apart_and_stay_so(leaver: User) -> None:
    other = User.objects.create_user("otto@laden.example", name="Otto", is_active=False, disabled_at=at("2027-08-31"))
    night("2028-03-01")
    assert User.objects.get(pk=leaver.pk).email != User.objects.get(pk=other.pk).email
    again = User.objects.create_user("nele.neu@laden.example", name="Nele Neu")
    assert night("2028-03-02") == {} and User.objects.get(pk=again.pk).name == "Nele Neu"


def test_an_invitation_and_who_kept_a_mapping_are_forgotten(leaver: User, manager: User) -> None:
    Invite.objects.create(user=manager, token_hash=b"x" * 32, invited_by=leaver, expires_at=at("2026-12-01"))
    SavedMapping.objects.create(fingerprint="f", kind="customers", mapping={"email": "Mail"}, user=leaver)
    SavedMapping.objects.update(saved_at=at("2026-12-01"))
    assert "STAFF" not in night("2027-06-01")
    assert night("2027-06-02")["STAFF"] == {"due": 2, "deleted": 1, "anonymized": 1}
    assert not Invite.objects.exists() and SavedMapping.objects.get().user is None
    assert "STAFF" not in night("2027-06-03")


def test_nobody_lets_in_again_whose_name_is_gone(leaver: User, signed_in: Callable[[User], Client]) -> None:
    chief = User.objects.create_user("boss@laden.example", name="Chefin", roles=[Role.MANAGER, Role.OPERATOR])
    boss = signed_in(chief)
    enable = reverse("staff:enable", args=[leaver.pk])
    page = reverse("staff:detail", args=[leaver.pk])
    assert enable in boss.get(page).content.decode()
    night("2028-03-01")
    boss = just_proved(signed_in(chief), chief)  # the night has ended her session
    assert enable not in boss.get(page).content.decode()
    assert boss.post(enable).status_code == 404
    assert not User.objects.get(pk=leaver.pk).is_active
