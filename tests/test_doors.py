"""Every address of the house has one guard, and the guard keeps its word to every role."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.shortcuts import resolve_url

from datamap.guard import ANY_STAFF, declared_permissions
from staff.models import Role, RolePermission, User
from tests.house import Route, routes

ROUTES = routes()
LOGIN = resolve_url(settings.LOGIN_URL)


def named(route: Route) -> str:
    return route.name


def test_the_walk_finds_the_house():
    apps = {route.name.partition(":")[0] for route in ROUTES}
    assert {"staff", "datamap", "customers", "orders", "interactions", "intake", "portal"} <= apps


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_each_view_has_one_guard_that_is_declared(route):
    assert bool(route.permission) != route.is_public
    if route.permission and route.permission != ANY_STAFF:
        assert route.permission in declared_permissions()


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("route", [route for route in ROUTES if not route.is_public], ids=named)
def test_an_anonymous_visitor_is_sent_to_the_sign_in(client, route, method):
    response = getattr(client, method)(route.url())
    # A view that takes only the other method may say so before it asks who is there.
    assert response.status_code in (302, 405)
    if response.status_code == 302:
        assert response["Location"].startswith(LOGIN)


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in ROUTES if route.is_public], ids=named)
def test_a_public_page_answers_without_a_fault(client, route):
    assert client.get(route.url()).status_code in (200, 302, 404, 405, 410)


@pytest.mark.django_db
@pytest.mark.parametrize("role", list(Role.NAMES))
def test_the_matrix_decides_over_every_address(client, role):
    user = User.objects.create_user(f"{role}@obhut.example", name=role, roles=[role])
    client.force_login(user)
    granted = set(RolePermission.objects.filter(role__key=role, granted=True).values_list("permission", flat=True))
    wrong = []
    for route in ROUTES:
        # Pages every member of staff has (profile, language, sign-out) would end or change this very session.
        if not route.permission or route.permission == ANY_STAFF:
            continue
        for method in (client.get, client.post):
            status = method(route.url()).status_code
            refused = status == 403
            if status != 405 and refused == (route.permission in granted):
                wrong.append((route.name, status))
    assert wrong == []


@pytest.mark.django_db
def test_somebody_without_a_role_gets_nowhere(outsider_client):
    reached = [
        route.name
        for route in ROUTES
        if route.permission
        and route.permission != ANY_STAFF
        and outsider_client.get(route.url()).status_code not in (403, 405)
    ]
    assert reached == []
