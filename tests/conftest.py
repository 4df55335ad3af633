"""Fixtures of the whole house: servers, sample data, the three people, the browser."""

from pathlib import Path

import pytest

from ops.embedded import start_services

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start the embedded servers when no DATABASE_URL names others; they stay, as `make stop` ends them."""
    start_services()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real payloads and data sets that lie beside a developer's checkout, not in it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("The sample data of ../shared/data is not on this machine.")
    return folder
