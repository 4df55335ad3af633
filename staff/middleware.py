"""What holds for every request of someone signed in: language, life of the session, second factor."""

import time
from collections.abc import Callable
from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _

from datamap.guard import sign_in_first
from staff.access import signed_in
from staff.sessions import forget_sign_in, note_sign_in

GetResponse = Callable[[HttpRequest], HttpResponse]

STARTED = "staff_started"
SEEN = "staff_seen"
NOTED = "staff_noted"
FACTOR = "staff_factor"

# How exact "last seen" is: a session is written at most this often.
TICK_SECONDS = 60

# What somebody without a second factor needs in order to get one.
ENROLMENT = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_list_webauthn",
        "account_reauthenticate",
        "account_logout",
        "preferences",
    }
)


class LanguageMiddleware:
    """The language a person chose wins over the browser's."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        return self.get_response(request)


class SessionLifeMiddleware:
    """A session ends after 30 minutes without a request, and after 12 hours in any case (ASVS 7.3)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if is_over(request):
                forget_sign_in(request.session.session_key)
                logout(request)
                messages.info(request, _("The session had been open for too long. Please sign in again."))
                return sign_in_first(request)
            keep_alive(request)
        noted = request.session.get(NOTED)
        response = self.get_response(request)
        if noted and not request.session.get(NOTED):
            # Signed out by this request: nothing of the pages seen stays in the browser (ASVS 14.3.1).
            forget_sign_in(noted)
            response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


def is_over(request: HttpRequest) -> bool:
    """Whether the session of this request is idle or old beyond its life."""
    now = time.time()
    idle = now - request.session.get(SEEN, now)
    age = now - request.session.get(STARTED, now)
    return bool(
        idle > getattr(settings, "STAFF_IDLE_SECONDS", 30 * 60)
        or age > getattr(settings, "STAFF_ABSOLUTE_SECONDS", 12 * 60 * 60)
    )


def keep_alive(request: HttpRequest) -> None:
    """Remember that the session was used; a new session key (signing in rotates it) is noted at once."""
    session, now = request.session, time.time()
    session.setdefault(STARTED, now)
    fresh = session.get(NOTED) == session.session_key
    if fresh and now - session.get(SEEN, 0) < TICK_SECONDS:
        return
    if not fresh:
        forget_sign_in(session.get(NOTED))
    session[SEEN] = now
    session[NOTED] = session.session_key
    note_sign_in(request, signed_in(request))


class SecondFactorMiddleware:
    """Nobody without a second factor sees a page, but for those on which one is set up (ASVS 6.3.3)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        if not getattr(settings, "STAFF_MFA_REQUIRED", True) or not request.user.is_authenticated:
            return None
        if request.session.get(FACTOR) == request.user.pk:
            return None
        if is_mfa_enabled(request.user):
            request.session[FACTOR] = request.user.pk
            return None
        match = request.resolver_match
        if hasattr(view, "public_reason") or (match and match.url_name in ENROLMENT):
            request.enrolling = True  # type: ignore[attr-defined]  # what leads to other pages is left out
            return None
        return redirect("mfa_index")
