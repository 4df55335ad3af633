"""Keeps searched words and filters on the server, so that addresses carry an opaque signed id instead.

Why a row and not the address or the session: addresses end up in histories, logs and referrers (ASVS 14.2.1), and one
session cannot hold two tabs. A row is sealed, belongs to one person, ends with the working day, and survives "back".
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from portal.models import ListState, SavedView
from staff.models import User

KEPT = 50
"""So many open searches of one person stay, for the browser's way back."""

_signer = signing.Signer(salt="portal.state")


class Stale(Exception):
    """The address names a search that has ended, is another person's, or was made up."""


def keep(user: User, query: dict[str, Any], view: SavedView | None = None) -> str:
    """Keep a search for the length of a sign-in and answer the signed id that addresses carry."""
    forget_ended(user)
    ends = timezone.now() + timedelta(seconds=settings.STAFF_ABSOLUTE_SECONDS)
    state = ListState.objects.create(user=user, query=query, view=view, expires_at=ends)
    return _signer.sign(state.pk.hex)


def recall(user: User, signed: str) -> ListState:
    """The search behind a signed id. Raises Stale."""
    try:
        key = UUID(_signer.unsign(signed))
        return ListState.objects.select_related("view").get(pk=key, user=user, expires_at__gt=timezone.now())
    except (signing.BadSignature, ValueError, ValidationError, ListState.DoesNotExist):
        raise Stale from None


def forget_ended(user: User) -> None:
    """Remove whatever has ended, of anyone, and what one person piled up."""
    pile = ListState.objects.filter(user=user).order_by("-created_at").values("pk")[KEPT - 1 :]
    ListState.objects.filter(Q(expires_at__lte=timezone.now()) | Q(pk__in=pile)).delete()
