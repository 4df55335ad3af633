"""People of these tests beside the three of the house."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.utils import translation

from config.celery import app
from staff.models import Role, User


@pytest.fixture
def privacy(db: None) -> User:
    """Someone of the privacy role."""
    return User.objects.create_user("privacy@obhut.example", name="Pia Privat", roles=[Role.PRIVACY])


@pytest.fixture
def second(db: None) -> User:
    """A colleague of the privacy role."""
    return User.objects.create_user("second@obhut.example", name="Zoran Zweit", roles=[Role.PRIVACY])


@pytest.fixture
def privacy_client(privacy: User, signed_in) -> Client:
    """The privacy role's browser, signed in."""
    return signed_in(privacy)


@pytest.fixture
def officer(db: None) -> User:
    """Someone of the privacy role."""
    return User.objects.create_user("privacy@obhut.example", name="Petra Privat", language="en", roles=[Role.PRIVACY])


@pytest.fixture
def officer_client(officer: User, signed_in: Callable[[User], Client]) -> Client:
    """Her browser, signed in."""
    return signed_in(officer)


@pytest.fixture
def tax_client(db: None, signed_in: Callable[[User], Client]) -> Client:
    """The browser of somebody with the tax role."""
    return signed_in(User.objects.create_user("tax@obhut.example", name="Theo Steuer", roles=[Role.TAX]))


@pytest.fixture
def english():
    """Words of stories in English."""
    with translation.override("en"):
        yield


@pytest.fixture
def eager() -> Iterator[None]:
    """The worker's part, here and now."""
    before = app.conf.task_always_eager
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = before
