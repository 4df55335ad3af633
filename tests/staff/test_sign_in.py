"""Signing in with password and second factor, and what is refused."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.sessions.models import Session
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from staff.middleware import SEEN, STARTED
from staff.models import Role, SignIn, StaffEvent, User, ensure_role
from tests.staff.conftest import PASSWORD, SECRET, totp_code


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_test_codes_follow_rfc_6238() -> None:
    # Appendix B of the RFC, cut to six digits: at 59 s the SHA-1 code is 94287082.
    assert totp_code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", at=59) == "287082"


def test_password_and_code_open_the_house(client: Client, olga: User) -> None:
    answer = client.post("/accounts/login/", {"login": "OLGA@laden.example", "password": PASSWORD})
    assert answer.url == "/accounts/2fa/authenticate/"
    assert not signed_in(client)
    answer = client.post("/accounts/2fa/authenticate/", {"code": totp_code()})
    assert (answer.status_code, answer.url) == (302, "/")
    assert signed_in(client)


def test_a_wrong_code_does_not_open_the_house(client: Client, olga: User) -> None:
    client.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    wrong = f"{(int(totp_code()) + 1) % 1_000_000:06d}"
    answer = client.post("/accounts/2fa/authenticate/", {"code": wrong})
    assert answer.status_code == 200
    assert not signed_in(client)


def test_a_recovery_code_works_once(client: Client, olga: User) -> None:
    code = RecoveryCodes(Authenticator.objects.get(user=olga, type="recovery_codes")).get_unused_codes()[0]
    for expected in (True, False):
        browser = Client()
        browser.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert signed_in(browser) is expected


def test_the_session_key_changes_at_sign_in(client: Client, olga: User, sign_in: Callable[..., Client]) -> None:
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    before = client.session.session_key
    client.post("/accounts/2fa/authenticate/", {"code": totp_code()})
    assert client.session.session_key != before


def test_unknown_and_known_addresses_get_the_same_answer(client: Client, olga: User) -> None:
    pages = []
    for login in (olga.email, "niemand@laden.example"):
        answer = client.post("/accounts/login/", {"login": login, "password": "falsch-falsch-falsch"})
        pages.append((answer.status_code, answer.context["form"].errors))
    assert pages[0] == pages[1]


def test_after_five_wrong_passwords_the_account_waits(client: Client, olga: User) -> None:
    for _try in range(5):
        client.post("/accounts/login/", {"login": olga.email, "password": "falsch-falsch-falsch"})
    client.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    answer = client.post("/accounts/2fa/authenticate/", {"code": totp_code()})
    assert not signed_in(client)
    assert answer.status_code in {302, 429}


def test_too_many_sign_ins_from_one_address_are_refused(client: Client, db: None) -> None:
    codes = {
        client.post("/accounts/login/", {"login": f"n{n}@laden.example", "password": "x"}).status_code
        for n in range(40)
    }
    assert 429 in codes


def test_codes_cannot_be_guessed_for_long(client: Client, olga: User) -> None:
    client.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    wrong = f"{(int(totp_code()) + 1) % 1_000_000:06d}"
    for _try in range(10):
        client.post("/accounts/2fa/authenticate/", {"code": wrong})
    client.post("/accounts/2fa/authenticate/", {"code": totp_code()})
    assert not signed_in(client)


def test_there_is_no_sign_up(client: Client, db: None) -> None:
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")
    assert client.post("/accounts/signup/", {"email": "neu@laden.example"}).status_code == 404
    assert not User.objects.exists()


def test_a_foreign_address_is_not_followed_after_sign_in(client: Client, olga: User) -> None:
    client.post("/accounts/login/?next=https://boese.example/", {"login": olga.email, "password": PASSWORD})
    answer = client.post("/accounts/2fa/authenticate/", {"code": totp_code(), "next": "https://boese.example/"})
    assert signed_in(client)
    assert "boese" not in answer.url


def test_without_a_second_factor_every_page_leads_to_its_set_up(
    make_user: Callable[..., User], sign_in: Callable[..., Client]
) -> None:
    browser = sign_in(make_user("Nele", "operator", factor=False))
    assert signed_in(browser)
    for page in ("/", "/staff/", "/staff/me/", "/staff/roles/"):
        assert browser.get(page).url == "/accounts/2fa/"
    assert browser.post("/staff/roles/").url == "/accounts/2fa/"
    assert browser.get("/accounts/2fa/").status_code == 200


def test_whoever_has_no_second_factor_yet_may_leave_and_is_led_nowhere_else(
    make_user: Callable[..., User], sign_in: Callable[..., Client]
) -> None:
    browser = sign_in(make_user("Nele", "operator", factor=False))
    for page in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn"):
        text = browser.get(reverse(page)).text
        assert f'action="{reverse("account_logout")}"' in text
        links = set(re.findall(r'<a[^>]* href="(/[^"#]*)"', text)) - {"/"}
        led = {address: browser.get(address) for address in links}
        assert not [address for address, answer in led.items() if answer.headers.get("Location") == "/accounts/2fa/"]


def test_a_new_authenticator_app_comes_with_codes_for_the_day_it_is_lost(
    make_user: Callable[..., User], sign_in: Callable[..., Client]
) -> None:
    nele = make_user("Nele", "operator", factor=False)
    browser = sign_in(nele)
    page = browser.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    # In fours, as it is typed off; a telephone offers its digits for the code.
    assert f"{secret[:4]} {secret[4:8]} " in page.text
    assert 'inputmode="numeric"' in page.text
    answer = browser.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)}, follow=True)
    codes = RecoveryCodes(Authenticator.objects.get(user=nele, type="recovery_codes")).get_unused_codes()
    assert len(codes) == 10
    assert all(code in answer.text for code in codes)
    assert "wenn das Telefon weg ist" in answer.text
    assert re.search(r'<a class="btn btn-primary" href="/">', answer.text)  # the way on


def test_who_is_asked_for_a_code_learns_that_one_from_paper_does_too(client: Client, olga: User) -> None:
    client.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    text = client.get("/accounts/2fa/authenticate/").text
    assert "Wiederherstellungscodes" in text
    assert 'inputmode="numeric"' in text


def test_setting_up_an_authenticator_app_opens_the_pages(
    make_user: Callable[..., User], sign_in: Callable[..., Client]
) -> None:
    browser = sign_in(make_user("Nele", "operator", factor=False))
    secret = browser.get("/accounts/2fa/totp/activate/").context["form"].secret
    browser.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret)})
    assert browser.get("/staff/").status_code == 200


def test_a_changed_factor_ends_the_other_sessions_and_is_noted(olga: User, sign_in: Callable[..., Client]) -> None:
    Authenticator.objects.create(user=olga, type="webauthn", data={"name": "Key", "credential": {}})
    elsewhere, browser = sign_in(olga), sign_in(olga)
    elsewhere.get("/staff/")
    browser.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=olga, type="totp").exists()
    assert elsewhere.get("/staff/").url.startswith("/accounts/login/")
    assert browser.get("/staff/").status_code == 200
    assert StaffEvent.Kind.FACTOR_REMOVED in olga.events.values_list("kind", flat=True)


def test_signing_out_forgets_the_session(olga: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    browser.get("/staff/")
    assert SignIn.objects.filter(user=olga).count() == 1
    answer = browser.post("/accounts/logout/")
    assert not SignIn.objects.filter(user=olga).exists()
    assert '"cache"' in answer.headers["Clear-Site-Data"]


def test_a_session_left_behind_ends_when_the_person_comes_back(olga: User, sign_in: Callable[..., Client]) -> None:
    left, back = sign_in(olga), sign_in(olga)
    left.get("/staff/")
    SignIn.objects.filter(user=olga).update(seen_at=timezone.now() - timedelta(minutes=31))
    back.get("/staff/")
    assert SignIn.objects.filter(user=olga).count() == 1
    assert left.get("/staff/").url.startswith("/accounts/login/")


def test_the_demo_may_switch_the_second_factor_off(
    make_user: Callable[..., User], sign_in: Callable[..., Client], settings: Any
) -> None:
    settings.STAFF_MFA_REQUIRED = False
    assert sign_in(make_user("Nele", "operator", factor=False)).get("/staff/").status_code == 200


def test_the_last_second_factor_cannot_be_switched_off(olga: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    browser.post("/accounts/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=olga, type="totp").exists()


def test_seeds_lie_sealed_in_the_database(olga: User) -> None:
    for authenticator in Authenticator.objects.filter(user=olga):
        assert SECRET not in str(authenticator.data)
    totp = Authenticator.objects.get(user=olga, type="totp")
    assert set(totp.data) == {"secret"}
    assert len(totp.data["secret"]) > len(SECRET)


def test_half_an_hour_without_a_request_ends_the_session(olga: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    assert browser.get("/staff/").status_code == 200
    session = browser.session
    session[SEEN] = time.time() - 30 * 60 - 1
    session.save()
    assert browser.get("/staff/").url.startswith("/accounts/login/")
    assert not signed_in(browser)
    assert not SignIn.objects.filter(user=olga).exists()


def test_twelve_hours_end_a_session_that_is_in_use(olga: User, sign_in: Callable[..., Client]) -> None:
    browser = sign_in(olga)
    browser.get("/staff/")
    session = browser.session
    session[STARTED] = time.time() - 12 * 60 * 60 - 1
    session.save()
    assert browser.get("/staff/").status_code == 302
    assert not signed_in(browser)


def test_a_session_past_its_stored_day_opens_nothing(olga: User, sign_in: Callable[..., Client]) -> None:
    client = sign_in(olga)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert "/accounts/login/" in client.get("/customers/").url


def test_a_role_given_or_taken_away_counts_from_the_next_page_on(olga: User, sign_in: Callable[..., Client]) -> None:
    client = sign_in(olga)
    olga.roles.clear()
    assert client.get("/customers/").status_code == 403
    olga.roles.add(ensure_role(Role.SERVICE))
    assert client.get("/customers/").status_code == 200
    olga.roles.clear()
    assert client.get("/customers/").status_code == 403


def test_changing_the_password_ends_every_session(olga: User, sign_in: Callable[..., Client]) -> None:
    old, current = sign_in(olga), sign_in(olga)
    old.get("/staff/")
    new = "ganz-neues-geheimnis-42"
    data = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert current.post("/accounts/password/change/", data).status_code == 302
    assert current.get("/staff/").url.startswith("/accounts/login/")
    assert old.get("/staff/").url.startswith("/accounts/login/")
    assert not SignIn.objects.filter(user=olga).exists()


def test_a_reset_password_still_needs_the_second_factor(
    client: Client, olga: User, mailoutbox: list[EmailMessage], settings: Any
) -> None:
    settings.SITE_URL = "https://obhut.laden.example"
    client.post("/accounts/password/reset/", {"email": olga.email})
    link = next(part for part in mailoutbox[0].body.split() if "/password/reset/key/" in part)
    # The mail leads to the configured address, whatever Host the browser sent.
    assert link.startswith("https://obhut.laden.example/accounts/")
    form_page = client.get(link.removeprefix("https://obhut.laden.example"), follow=True)
    new = "ganz-neues-geheimnis-42"
    client.post(form_page.redirect_chain[-1][0], {"password1": new, "password2": new})
    answer = client.post("/accounts/login/", {"login": olga.email, "password": new})
    assert answer.url == "/accounts/2fa/authenticate/"


def test_a_reset_is_asked_for_without_telling_who_works_here(
    client: Client, olga: User, mailoutbox: list[EmailMessage]
) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": email}) for email in (olga.email, "niemand@laden.example")
    ]
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    assert [mail.to for mail in mailoutbox] == [[olga.email]]


def test_a_dead_mail_server_changes_no_answer(
    client: Client, olga: User, sign_in: Callable[..., Client], dead_mail_server: None
) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": email}) for email in (olga.email, "niemand@laden.example")
    ]
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    new = "sieben-zwerge-im-schnee"
    data = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert sign_in(olga).post("/accounts/password/change/", data).status_code == 302


def test_a_disabled_user_cannot_sign_in(olga: User, client: Client) -> None:
    User.objects.filter(pk=olga.pk).update(is_active=False)
    client.post("/accounts/login/", {"login": olga.email, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": totp_code()})
    assert not signed_in(client)


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(
    "page",
    [
        "account_login",
        "account_inactive",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
    ],
)
def test_pages_before_sign_in_wear_the_look(client: Client, db: None, page: str, language: str) -> None:
    answer = client.get(reverse(page), headers={"accept-language": language})
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text
    assert "ob-plain" in answer.text


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(
    "page",
    [
        "account_logout",
        "account_reauthenticate",
        "account_change_password",
        "mfa_index",
        "mfa_reauthenticate",
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
        "mfa_list_webauthn",
        "mfa_add_webauthn",
    ],
)
def test_pages_of_sign_in_protection_wear_the_look(
    olga: User, sign_in: Callable[..., Client], page: str, language: str
) -> None:
    User.objects.filter(pk=olga.pk).update(language=language)
    answer = sign_in(olga).get(reverse(page))
    assert answer.status_code == 200
    assert f'lang="{language}"' in answer.text
    assert "ob-plain" in answer.text
