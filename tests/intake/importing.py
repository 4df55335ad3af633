"""Runs the import commands in tests and reads what they print."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command

# Tables that tell of an import itself; every other table must stay as it is when a file comes in twice.
BOOKKEEPING = {"intake.Batch", "intake.BatchProblem"}


def import_file(kind: str, path: Path, **options: Any) -> dict[str, Any]:
    """What `import_customers FILE --json` or `import_orders FILE --json` prints."""
    out = StringIO()
    call_command(f"import_{kind}", str(path), json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def undo_import(batch: str, **options: Any) -> dict[str, Any]:
    """What `undo_import BATCH --json` prints."""
    out = StringIO()
    call_command("undo_import", batch, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def row_counts() -> dict[str, int]:
    """Rows of every table of the house, history included."""
    models = apps.get_models(include_auto_created=True)
    return {
        model._meta.label: model._default_manager.count()
        for model in models
        if model._meta.managed and model._meta.label not in BOOKKEEPING
    }


def write_csv(folder: Path, text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path
