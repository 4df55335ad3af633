"""What each test of consents has for itself: templates and gates; and a real mail server."""

import pytest

from tests.mail.conftest import _probes, mail_server, sealed_root

__all__ = ["_probes", "mail_server", "sealed_root"]


@pytest.fixture(autouse=True)
def _forgotten(_probes: None) -> None:
    """Templates and gates that a test registers are forgotten afterwards."""
