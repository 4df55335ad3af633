"""Inviting, roles, disabling, lost factors and the trail."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Barrier

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from datamap.guard import declared_permissions
from staff import handover
from staff.joining import disable, invite
from staff.models import Invite, Role, RolePermission, SignIn, StaffEvent, User, ensure_role
from staff.roles import sync_matrix
from staff.sessions import device_name
from tests.staff.conftest import PASSWORD

GOOD = "sieben-zwerge-im-schnee"


@pytest.fixture
def open_calls() -> Iterator[dict[int, int]]:
    """A kind of work with an owner, as an upper app registers it."""
    owners: dict[int, int] = {}

    def move(leaving: User, successor: User) -> int:
        moved = owners.pop(leaving.pk, 0)
        owners[successor.pk] = owners.get(successor.pk, 0) + moved
        return moved

    before = dict(handover._kinds)
    handover._kinds.clear()
    handover.register("calls", "Calls", lambda user: owners.get(user.pk, 0), move)
    yield owners
    handover._kinds.clear()
    handover._kinds.update(before)


def test_inviting_mails_a_link_that_sets_one_password(
    olga: User, sign_in: Callable[..., Client], mailoutbox: list[object]
) -> None:
    role = Role.objects.get(key="service")
    data = {"email": "Neu@Laden.example", "name": "Neu", "language": "en", "roles": [role.pk]}
    assert sign_in(olga).post("/staff/invite/", data).status_code == 302
    new = User.objects.get(email="neu@laden.example")
    link = re.search(r"https?://\S+", mailoutbox[0].body)[0]  # type: ignore[attr-defined,index]
    token = link.rstrip("/").rsplit("/", 1)[1]
    assert token.encode() not in bytes(new.invites.get().token_hash)

    guest = Client()
    page = guest.get(reverse("staff:join", args=[token]), follow=True)
    assert page.request["PATH_INFO"] == "/staff/join/"
    answer = guest.post("/staff/join/", {"password": GOOD, "again": GOOD})
    assert answer.url == "/accounts/login/"
    new.refresh_from_db()
    assert new.check_password(GOOD)

    second = Client()
    assert second.get(reverse("staff:join", args=[token]), follow=True).status_code == 410


def test_an_invitation_that_no_mail_server_takes_is_kept_and_said(
    olga: User, sign_in: Callable[..., Client], dead_mail_server: None, caplog: pytest.LogCaptureFixture
) -> None:
    role = Role.objects.get(key="service")
    data = {"email": "neu@laden.example", "name": "Neu", "language": "de", "roles": [role.pk]}
    browser = sign_in(olga)
    answer = browser.post("/staff/invite/", data, follow=True)
    assert "Die Einladung konnte nicht verschickt werden." in answer.content.decode()
    new = User.objects.get(email="neu@laden.example")
    again = browser.post(f"/staff/{new.pk}/invite/", follow=True)
    assert "Die Einladung konnte nicht verschickt werden." in again.content.decode()
    assert "neu@laden" not in caplog.text


def test_an_invite_ends_after_48_hours(olga: User) -> None:
    _user, token = invite("neu@laden.example", "Neu", ["service"], actor=olga)
    Invite.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(reverse("staff:join", args=[token]), follow=True).status_code == 410


def test_a_made_up_invite_opens_nothing(client: Client, db: None) -> None:
    assert client.get("/staff/join/").status_code == 410
    assert client.get("/staff/join/abc/", follow=True).status_code == 410


@pytest.mark.parametrize("password", ["kurz", "passwort1234", "password1234", ""])
def test_a_weak_first_password_is_refused(olga: User, password: str) -> None:
    user, token = invite("neu@laden.example", "Neu", ["service"], actor=olga)
    guest = Client()
    guest.get(reverse("staff:join", args=[token]))
    guest.post("/staff/join/", {"password": password, "again": password + ("x" if len(password) == 12 else "")})
    user.refresh_from_db()
    assert not user.has_usable_password()


def test_disabling_shows_the_open_work_and_ends_all_sessions(
    olga: User, sven: User, sign_in: Callable[..., Client], open_calls: dict[int, int]
) -> None:
    open_calls[sven.pk] = 3
    theirs = sign_in(sven)
    theirs.get("/staff/me/")
    mine = sign_in(olga)
    page = mine.get(f"/staff/{sven.pk}/disable/")
    assert [number for _label, number in page.context["receipt"]] == [1, 3]

    # Open work needs somebody who takes it.
    assert mine.post(f"/staff/{sven.pk}/disable/", {}).status_code == 422
    sven.refresh_from_db()
    assert sven.is_active

    assert mine.post(f"/staff/{sven.pk}/disable/", {"successor": olga.pk}).status_code == 302
    sven.refresh_from_db()
    assert not sven.is_active and sven.disabled_at
    assert open_calls == {olga.pk: 3}
    assert not SignIn.objects.filter(user=sven).exists()
    assert theirs.get("/staff/me/").url.startswith("/accounts/login/")
    moved = StaffEvent.objects.get(kind=StaffEvent.Kind.HANDED_OVER, subject=sven)
    assert moved.detail == {"to": olga.pk, "moved": {"calls": 3}}


def test_a_stored_session_of_a_disabled_user_stays_shut_after_enabling(
    olga: User, sven: User, sign_in: Callable[..., Client]
) -> None:
    theirs, mine = sign_in(sven), sign_in(olga)
    theirs.get("/staff/me/")
    mine.post(f"/staff/{sven.pk}/disable/", {})
    mine.post(f"/staff/{sven.pk}/enable/")
    sven.refresh_from_db()
    assert sven.is_active and sven.disabled_at is None
    assert theirs.get("/staff/me/").status_code == 302


def test_nobody_disables_themselves_or_the_last_manager(
    olga: User, make_user: Callable[..., User], sign_in: Callable[..., Client]
) -> None:
    assert sign_in(olga).post(f"/staff/{olga.pk}/disable/", {}).status_code == 422
    manager = Role.objects.get(key="manager")
    RolePermission.objects.filter(role=manager, permission="staff.manage").update(granted=True)
    max_ = make_user("Max", "manager")
    browser = sign_in(max_)
    assert browser.post(f"/staff/{olga.pk}/disable/", {}).status_code == 302
    olga.refresh_from_db()
    assert not olga.is_active


def test_a_lost_factor_needs_a_second_person(olga: User, sven: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    browser.post(f"/staff/{olga.pk}/second-factor/")
    assert Authenticator.objects.filter(user=olga, type="totp").exists()
    browser.post(f"/staff/{sven.pk}/second-factor/")
    assert not Authenticator.objects.filter(user=sven).exists()
    event = StaffEvent.objects.get(kind=StaffEvent.Kind.FACTOR_RESET)
    assert (event.actor, event.subject) == (olga, sven)


def test_after_a_reset_the_next_sign_in_sets_up_a_new_factor(
    olga: User, sven: User, sign_in: Callable[..., Client]
) -> None:
    theirs = sign_in(sven)
    theirs.get("/staff/me/")
    sign_in(olga).post(f"/staff/{sven.pk}/second-factor/")
    assert theirs.get("/staff/me/").url.startswith("/accounts/login/")
    assert sign_in(sven).get("/staff/me/").url == "/accounts/2fa/"


def test_new_roles_count_at_once_and_end_the_sessions(olga: User, sven: User, sign_in: Callable[..., Client]) -> None:
    theirs = sign_in(sven)
    theirs.get("/staff/me/")
    tax = Role.objects.get(key="tax")
    assert sign_in(olga).post(f"/staff/{sven.pk}/roles/", {"roles": [tax.pk]}).status_code == 302
    assert list(sven.roles.all()) == [tax]
    assert theirs.get("/staff/me/").status_code == 302
    event = StaffEvent.objects.get(kind=StaffEvent.Kind.ROLES, subject=sven)
    assert event.detail == {"added": ["tax"], "removed": ["service"]}


def test_the_last_manager_keeps_the_role(olga: User, sign_in: Callable[..., Client]) -> None:
    tax = Role.objects.get(key="tax")
    assert sign_in(olga).post(f"/staff/{olga.pk}/roles/", {"roles": [tax.pk]}).status_code == 422
    assert olga.roles.filter(key="operator").exists()


def test_the_matrix_is_edited_as_a_table(olga: User, sven: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    assert not sven.may("staff.manage")
    service = Role.objects.get(key="service")
    ticked: dict[str, list[str]] = {f"role-{service.pk}": ["staff.manage"]}
    for cell in RolePermission.objects.filter(granted=True):
        ticked.setdefault(f"role-{cell.role_id}", []).append(cell.permission)
    assert browser.post("/staff/roles/", ticked).status_code == 302
    assert User.objects.get(pk=sven.pk).may("staff.manage")
    assert StaffEvent.objects.get(kind=StaffEvent.Kind.MATRIX).detail["granted"] == ["service:staff.manage"]


def test_a_matrix_that_locks_everybody_out_is_refused(olga: User, sign_in: Callable[..., Client]) -> None:
    before = RolePermission.objects.filter(granted=True).count()
    assert sign_in(olga).post("/staff/roles/", {}).status_code == 422
    assert RolePermission.objects.filter(granted=True).count() == before


def test_an_upgrade_adds_defaults_and_never_gives_back_what_was_taken(db: None) -> None:
    cell = RolePermission.objects.get(role__key="operator", permission="staff.manage")
    cell.granted = False
    cell.save()
    RolePermission.objects.filter(role__key="service").delete()
    sync_matrix()
    cell.refresh_from_db()
    assert not cell.granted
    assert RolePermission.objects.filter(role__key="service").count() == len(declared_permissions())


def test_permissions_cost_one_query_a_person(olga: User, django_assert_num_queries: Callable[..., object]) -> None:
    user = User.objects.get(pk=olga.pk)
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        assert user.may("staff.manage")
        assert not user.may("no.such")


@pytest.mark.parametrize(
    "page",
    ["/staff/", "/staff/invite/", "/staff/roles/", "/staff/events/", "/staff/{pk}/", "/staff/{pk}/disable/"],
)
def test_staff_pages_are_for_whoever_manages_staff(
    olga: User, sven: User, sign_in: Callable[..., Client], page: str
) -> None:
    address = page.format(pk=sven.pk)
    assert Client().get(address).url.startswith("/accounts/login/")
    assert sign_in(sven).get(address).status_code == 403
    assert sign_in(olga).get(address).status_code == 200


def test_risky_pages_ask_for_a_fresh_factor(olga: User, sven: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 5 * 60 + 1
    session.save()
    assert browser.get(f"/staff/{sven.pk}/disable/").url.startswith("/accounts/reauthenticate/")
    assert browser.post(f"/staff/{sven.pk}/second-factor/").status_code == 302
    assert Authenticator.objects.filter(user=sven).exists()
    assert browser.get("/staff/").status_code == 200


def test_own_sessions_are_listed_and_ended_but_never_those_of_others(
    olga: User, sven: User, sign_in: Callable[..., Client]
) -> None:
    first, second, other = sign_in(olga), sign_in(olga), sign_in(sven)
    for browser in (first, second, other):
        browser.get("/staff/me/")
    page = second.get("/staff/me/sign-ins/")
    assert {note.user_id for note in page.context["sign_ins"]} == {olga.pk}
    theirs = SignIn.objects.get(user=sven)
    assert second.post(f"/staff/me/sign-ins/{theirs.pk}/end/").status_code == 404
    second.post("/staff/me/sign-ins/others/end/")
    assert first.get("/staff/me/").status_code == 302
    assert second.get("/staff/me/").status_code == 200
    assert other.get("/staff/me/").status_code == 200


def test_the_menu_switches_theme_and_language(sven: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(sven)
    answer = browser.post("/staff/me/preferences/", {"theme": "dark", "next": "/staff/me/"})
    assert answer.url == "/staff/me/"
    assert 'data-bs-theme="dark"' in browser.get("/staff/me/").text
    answer = browser.post("/staff/me/preferences/", {"language": "en", "next": "https://boese.example/"})
    assert answer.url == "/"
    assert 'lang="en"' in browser.get("/staff/me/").text


def test_the_command_makes_the_first_operator(db: None) -> None:
    out = StringIO()
    call_command("create_staff", "Erste@Laden.example", "--role", "operator", stdout=out)
    first = User.objects.get(email="erste@laden.example")
    assert first.may("staff.manage")
    assert not first.has_usable_password()
    token = out.getvalue().strip().rstrip("/").rsplit("/", 1)[1]
    assert Client().get(reverse("staff:join", args=[token]), follow=True).status_code == 200
    with pytest.raises(CommandError):
        call_command("create_staff", "erste@laden.example", "--role", "operator", stdout=out)


def test_addresses_differ_by_more_than_case(sven: User, sign_in: Callable[..., Client], olga: User) -> None:
    role = Role.objects.get(key="service")
    data = {"email": "SVEN@LADEN.EXAMPLE", "name": "S", "language": "de", "roles": [role.pk]}
    answer = sign_in(olga).post("/staff/invite/", data)
    assert answer.status_code == 200
    assert "email" in answer.context["form"].errors


def test_a_session_names_browser_and_system_only() -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    assert device_name(agent) == "Firefox, Linux"
    assert device_name("") == ""


def test_a_person_is_named_by_number_in_text(sven: User) -> None:
    assert str(sven) == f"User {sven.pk}"
    assert PASSWORD not in repr(sven)


def test_the_trail_reads_as_words(olga: User, sven: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    tax = Role.objects.get(key="tax")
    browser.post(f"/staff/{sven.pk}/roles/", {"roles": [tax.pk]})
    event = StaffEvent.objects.get(kind=StaffEvent.Kind.ROLES)
    assert str(Role.NAMES["tax"]) in event.words
    assert event.words in browser.get("/staff/events/").text


def test_the_trail_is_paged_by_key(olga: User, sign_in: Callable[..., Client]) -> None:
    StaffEvent.objects.bulk_create(
        StaffEvent(kind=StaffEvent.Kind.ENABLED, actor=olga, subject=olga) for _n in range(60)
    )
    browser = sign_in(olga)
    first = browser.get("/staff/events/")
    second = browser.get("/staff/events/" + first.context["older"])
    shown = [event.pk for page in (first, second) for event in page.context["events"]]
    assert len(shown) == len(set(shown)) == StaffEvent.objects.count()
    assert browser.get("/staff/events/?before=99999999999999999999999").status_code == 200


def test_a_page_of_the_trail_that_does_not_exist_is_no_error(olga: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    for before in ("9" * 5000, "9" * 19, "0", "\u00b2"):
        assert browser.get("/staff/events/", {"before": before}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_managers_who_disable_each_other_at_once_leave_one(make_user: Callable[..., User]) -> None:
    role = ensure_role("operator")
    RolePermission.objects.update_or_create(role=role, permission="staff.manage", defaults={"granted": True})
    pair = make_user("Olga", "operator"), make_user("Oleg", "operator")
    barrier = Barrier(2)

    def close_the_door(order: tuple[User, User]) -> bool:
        try:
            barrier.wait(timeout=20)
            disable(order[0], actor=order[1])
        except ValidationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(close_the_door, [pair, pair[::-1]]))
    assert sorted(done) == [False, True]
    assert User.objects.filter(is_active=True).count() == 1
