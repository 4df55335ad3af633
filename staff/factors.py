"""What follows when somebody adds or removes a second factor: the trail, and the end of other sessions."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from staff.access import signed_in
from staff.models import StaffEvent, User
from staff.sessions import end_sessions


def factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """Note it and end the sessions that were opened without it (ASVS 7.4.3)."""
    changed(StaffEvent.Kind.FACTOR_ADDED, request, user, authenticator)


def factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_signal: Any) -> None:
    """Note it and end the sessions that relied on it."""
    changed(StaffEvent.Kind.FACTOR_REMOVED, request, user, authenticator)


def changed(kind: StaffEvent.Kind, request: HttpRequest, user: User, authenticator: Authenticator) -> None:
    """The session in which the change was made goes on, all others end."""
    end_sessions(user, keep=request.session.session_key)
    StaffEvent.objects.create(kind=kind, actor=signed_in(request), subject=user, detail={"type": authenticator.type})
