"""Walks the whole house: every route, with sample values for its arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.apps import apps
from django.http import HttpRequest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from customers.models import Customer
from staff.models import User


@dataclass(frozen=True)
class Route:
    """One address of the house and the view behind it."""

    name: str
    view: Callable[..., Any]
    arguments: tuple[str, ...]

    @property
    def permission(self) -> str:
        """The permission its guard asks for, "" for a public page."""
        return getattr(self.view, "required_permission", "")

    @property
    def is_public(self) -> bool:
        """Whether the page says why it needs no sign-in."""
        return bool(getattr(self.view, "public_reason", ""))

    def url(self, **values: Any) -> str:
        """The address; arguments not given get a value that fits the converter and exists nowhere."""
        for filler in (987654321, "987654321", "00000000-0000-4000-8000-000000000000"):
            try:
                return reverse(self.name, kwargs={name: values.get(name, filler) for name in self.arguments})
            except NoReverseMatch:
                continue
        raise NoReverseMatch(self.name)


def just_proved(client: Client, user: User) -> Client:
    """The client of somebody signed in, who gave the password a moment ago: no page asks for it again."""
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, user, method="password")
    request.session.save()
    return client


def routes() -> list[Route]:
    """Every named route."""
    return list(_routes(get_resolver(), ""))


def _routes(resolver: URLResolver, namespace: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _routes(pattern, inner)
        elif isinstance(pattern, URLPattern):
            arguments = tuple(pattern.pattern.regex.groupindex)
            yield Route(f"{namespace}{pattern.name}", pattern.callback, arguments)


def shown_pages(client: Client) -> Iterator[tuple[str, str]]:
    """(route name, address) of every page that answers a GET with 200 for this client.

    An argument gets the value of the first row that makes the page answer: a customer's number, or the field of that
    name, else the key, of one of the latest or oldest rows of the app that owns the route. Whoever adds a page adds
    nothing here.
    """
    number = Customer.objects.unrestricted().order_by("pk").values_list("number", flat=True).first()
    for route in routes():
        for values in _values_for(route, number):
            try:
                url = route.url(**values)
            except NoReverseMatch:
                continue
            response = client.get(url)
            if response.status_code == 405:  # it only takes forms
                break
            streams = getattr(response, "streaming", False)
            response.close()
            if response.status_code == 200 and not streams and response["Content-Type"].startswith("text/html"):
                yield route.name, url
                break


def _values_for(route: Route, number: str | None) -> Iterator[dict[str, Any]]:
    if not route.arguments:
        yield {}
        return
    app = route.name.partition(":")[0]
    rows: list[Any] = []
    if app in apps.app_configs:
        for model in apps.get_app_config(app).get_models():
            known = model._base_manager.all()
            rows += [*known.order_by("-pk")[:2], *known.order_by("pk")[:2]]
    for row in dict.fromkeys(rows) or [None]:
        key = getattr(row, "pk", None)
        yield {name: number if name == "number" else getattr(row, name, key) for name in route.arguments}
