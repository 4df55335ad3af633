"""People and codes for the tests of signing in."""

import base64
import hashlib
import hmac
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client

from staff.models import User

PASSWORD = "korrekt-pferd-batterie"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def totp_code(secret: str = SECRET, at: float | None = None) -> str:
    """The six digits of RFC 6238 with SHA-1 and 30 seconds, written from the RFC."""
    counter = int((time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


@pytest.fixture
def dead_mail_server(settings: Any) -> None:
    """The mail server that nobody answers for: a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = probe.getsockname()
    settings.EMAIL_BACKEND = "mail.smtp.EmailBackend"


@pytest.fixture(autouse=True)
def _as_in_production(settings: Any) -> None:
    settings.STAFF_MFA_REQUIRED = True
    cache.clear()  # rate limits of the test before


@pytest.fixture
def make_user(db: Any) -> Callable[..., User]:
    """A user with password and, unless told otherwise, an authenticator app."""

    def make(name: str, *roles: str, factor: bool = True) -> User:
        email = f"{name.lower()}@laden.example"
        user = User.objects.create_user(email, PASSWORD, name=name, roles=roles)
        if factor:
            TOTP.activate(user, SECRET)
            RecoveryCodes.activate(user)
        return user

    return make


@pytest.fixture
def olga(make_user: Callable[..., User]) -> User:
    """The operator, who manages staff."""
    return make_user("Olga", "operator")


@pytest.fixture
def sven(make_user: Callable[..., User]) -> User:
    """A colleague in customer service."""
    return make_user("Sven", "service")


@pytest.fixture
def sign_in() -> Callable[..., Client]:
    """A browser in which this user went through password and code."""

    def go(user: User, client: Client | None = None) -> Client:
        browser = client or Client()
        browser.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
        if Authenticator.objects.filter(user=user).exists():
            cache.clear()  # a code counts once; the tests sign in twice within half a minute
            browser.post("/accounts/2fa/authenticate/", {"code": totp_code()})
        return browser

    return go
