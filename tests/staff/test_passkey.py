"""A passkey in a real browser: set up as second factor, then used to sign in without a password."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from playwright.sync_api import Page, expect

from staff.models import User
from tests.staff.conftest import PASSWORD

RESIDENT_KEY_WITH_FINGERPRINT = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.mark.django_db(transaction=True)
def test_a_passkey_is_set_up_and_signs_in(page: Page, live_server: Any, make_user: Callable[..., User]) -> None:
    nele = make_user("Nele", "operator", factor=False)
    house = live_server.url.replace("127.0.0.1", "localhost")  # a passkey belongs to a name, not to an address
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": RESIDENT_KEY_WITH_FINGERPRINT})

    page.goto(f"{house}/accounts/login/")
    page.fill("[name=login]", nele.email)
    page.fill("[name=password]", PASSWORD)
    page.click("form .btn-primary")
    page.goto(f"{house}/accounts/2fa/webauthn/add/")
    page.check("[name=passwordless]")
    page.click("#mfa_webauthn_add")
    page.wait_for_url("**/accounts/2fa/recovery-codes/")
    assert Authenticator.objects.filter(user=nele, type="webauthn").count() == 1

    page.goto(f"{house}/accounts/logout/")
    page.click("main .btn-primary")
    page.wait_for_url("**/accounts/login/")
    page.click("#passkey_login")
    page.wait_for_url(lambda address: "/accounts/" not in address)
    page.goto(f"{house}/staff/me/")
    expect(page.locator("[name=name]")).to_have_value("Nele")
