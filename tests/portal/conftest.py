"""People of the desk's tests beside the three of the house."""

import pytest

from staff.models import Role, User


@pytest.fixture
def privacy(db: None) -> User:
    """Someone of the privacy role, who sees restricted customers."""
    return User.objects.create_user("privacy@obhut.example", name="Privacy", roles=[Role.PRIVACY])
