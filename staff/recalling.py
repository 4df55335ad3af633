"""Whose request it is: the session and its user, which every page asks for first, by statements planned once."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db.models import OuterRef
from django.db.models.functions import Now

from datamap.preparing import Standing
from staff.models import User, granted_to

_SESSIONS = Standing(lambda key: Session.objects.filter(session_key=key, expire_date__gt=Now()), "\x01")
_USERS = Standing(lambda pk: User.objects.filter(pk=pk).annotate(granted=ArraySubquery(granted_to(OuterRef("pk")))))


class SessionStore(db.SessionStore):
    """Sessions in the database: they survive a lost broker."""

    def load(self) -> dict[str, Any]:
        """What the session holds; nothing where there is none, or none any more."""
        found = _SESSIONS(self.session_key)
        if not found:
            self._session_key = None
            return {}
        return self.decode(found[0].session_data)


class AuthenticationBackend(AllauthBackend):
    """Signing in as allauth does it."""

    def get_user(self, user_id: int) -> User | None:
        """The user of a session; None where they may not sign in any more."""
        found = _USERS(user_id)
        return found[0] if found and self.user_can_authenticate(found[0]) else None
