"""Guards the doors of every page: permissions are declared here by each app and asked here by each view."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.functional import Promise

View = Callable[..., HttpResponseBase]
Text = str | Promise

ANY_STAFF = "staff.any"


@dataclass(frozen=True)
class Permission:
    """One thing a role may do; `roles` are the keys of the roles that have it in a fresh installation."""

    key: str
    label: Text
    roles: tuple[str, ...] = ()


_permissions: dict[str, Permission] = {}


def declare(key: str, label: Text, roles: tuple[str, ...] | list[str] = ()) -> Permission:
    """Make a permission known to the matrix; called from an app's `permissions.py`."""
    permission = Permission(key, label, tuple(roles))
    known = _permissions.setdefault(key, permission)
    if known != permission:
        raise ImproperlyConfigured(f"The permission {key} is declared twice and differently.")
    return known


def declared_permissions() -> dict[str, Permission]:
    """All permissions of the house by key, in the order in which the apps declared them."""
    return dict(_permissions)


def requires(permission: str) -> Callable[[View], View]:
    """Let only staff with this permission in: an anonymous visitor goes to the sign-in, others get 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return sign_in_first(request)
            if not _may(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.required_permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def any_staff(view: View) -> View:
    """Let everyone in who is signed in, whatever the role."""
    return requires(ANY_STAFF)(view)


def public_page(reason: str) -> Callable[[View], View]:
    """Say why this page needs no sign-in; the house test that walks all URLs reads it."""

    def decorate(view: View) -> View:
        @wraps(view)
        def opened(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            return view(request, *args, **kwargs)

        opened.public_reason = reason  # type: ignore[attr-defined]
        return opened

    return decorate


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """Send the visitor to the sign-in and back; htmx needs a header, since it follows redirects inside the
    fragment."""
    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
    page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
    target = redirect_to_login(page, resolve_url(settings.LOGIN_URL)).url
    return HttpResponse(status=204, headers={"HX-Redirect": target})


def _may(user: object, permission: str) -> bool:
    if permission == ANY_STAFF:
        return bool(getattr(user, "is_active", False))
    return bool(user.may(permission))  # type: ignore[attr-defined]
