"""A shop whose pages may report, and somebody who visits them."""

from typing import Any

import pytest
from django.core.cache import cache

from customers.models import Customer
from tests.privacy.making import make_person
from tests.tracking.making import ORIGIN, SECRET, publish_wording


@pytest.fixture(autouse=True)
def doors(settings: Any) -> None:
    """The doors are open to this shop, and nobody has knocked yet."""
    settings.TRACKING_ORIGINS = [ORIGIN]
    settings.TRACKING_LINK_SECRETS = ["neues-geheimnis", SECRET]
    cache.clear()


@pytest.fixture
def wording(db: None) -> Any:
    """The text of the banner."""
    return publish_wording()


@pytest.fixture
def alma(wording: Any) -> Customer:
    """An account."""
    return make_person("4711")
