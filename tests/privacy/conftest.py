"""People of the privacy role, beside the three of the house."""

import pytest
from django.test import Client

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
