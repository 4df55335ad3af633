"""What the tests of consents share with those of mail: a real mail server, and registries that forget."""

import pytest

from tests.mail.conftest import _probes, mail_server, sealed_root

__all__ = ["_probes", "mail_server", "sealed_root"]


@pytest.fixture(autouse=True)
def _forgotten(_probes: None) -> None:
    """Templates and gates that a test registers are forgotten afterwards."""
