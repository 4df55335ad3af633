"""A checkpoint file of its own for every test, as every test has a database of its own."""

from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(autouse=True)
def checkpoint_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test signs."""
    path = tmp_path / "checkpoints.txt"
    monkeypatch.setattr(settings, "CHECKPOINT_FILE", str(path))
    return path
