"""What each test of consents has for itself: a checkpoint file, templates and gates; and a real mail server."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.mail.conftest import _probes, mail_server, sealed_root

__all__ = ["_probes", "mail_server", "sealed_root"]


@pytest.fixture(autouse=True)
def checkpoint_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test signs."""
    path = tmp_path / "checkpoints.txt"
    monkeypatch.setattr(settings, "CHECKPOINT_FILE", str(path))
    return path


@pytest.fixture(autouse=True)
def _forgotten(_probes: None) -> None:
    """Templates and gates that a test registers are forgotten afterwards."""
