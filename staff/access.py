"""The doors of pages: which permission a view asks for, and when it asks for a fresh sign-in."""

from collections.abc import Callable
from typing import Any, cast

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest

from datamap.guard import any_staff, public_page, requires
from staff.models import User

__all__ = ["login_required_page", "permission_required", "public_page", "recent_login_required", "signed_in"]

permission_required = requires
login_required_page = any_staff


def recent_login_required(view: Callable[..., Any]) -> Callable[..., Any]:
    """Ask for the password or second factor again unless it was given in the last five minutes (ASVS 7.5.1).

    Stands below `permission_required`. A POST is asked too: the browser comes back to the form by GET.
    """
    return reauthentication_required()(view)


def signed_in(request: HttpRequest) -> User:
    """The person behind a request that came through one of these doors."""
    return cast(User, request.user)
