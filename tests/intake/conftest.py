"""Fixtures of imports: sealed files in a folder of the test, a plain file of customers."""

from __future__ import annotations

from pathlib import Path

import pytest

from intake.models import Batch
from intake.storage import LABEL

HEADER = "Kundennummer,Vorname,Nachname,E-Mail,Straße,PLZ,Ort,Land,Notiz"
MAPPING = {
    "external_id": "Kundennummer", "first_name": "Vorname", "last_name": "Nachname", "email": "E-Mail",
    "street": "Straße", "postcode": "PLZ", "city": "Ort", "country": "Land", "note": "Notiz",
}  # fmt: skip


@pytest.fixture(autouse=True)
def sealed_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Uploads of a test stay in its own folder."""
    root = tmp_path / "sealed"
    for name in ("file", "lines_file"):
        storage = Batch._meta.get_field(name).storage
        for kept in ("location", "base_location"):
            monkeypatch.setitem(storage.__dict__, kept, str(root / LABEL))
    return root


def customers_csv(count: int, first: int = 1) -> str:
    """A plain file of customers that are all different."""
    rows = [f"K{n},Vor{n},Nach{n},kunde{n}@example.com,Weg {n},50667,Köln,DE," for n in range(first, first + count)]
    return "\n".join([HEADER, *rows]) + "\n"
