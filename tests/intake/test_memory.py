"""An import stays under 300 MB whatever the file's size, one endless line included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from customers.models import Customer
from tests.intake.conftest import MAPPING, customers_csv

LIMIT_MB = 300
ROWS = 30_000

# Not ru_maxrss: a new program inherits there what its parent had needed, and this parent is a whole test run.
PROGRAM = """
import pathlib, re, sys
import django
django.setup()
from django.core.management import call_command
call_command("import_customers", sys.argv[1], mapping=pathlib.Path(sys.argv[2]), json=True)
print(int(re.search("VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.django_db(transaction=True)
def test_memory_of_an_import_is_bounded(tmp_path: Path) -> None:
    mapping, file = tmp_path / "mapping.json", tmp_path / "large.csv"
    mapping.write_text(json.dumps(MAPPING))
    with file.open("w") as out:
        out.write(customers_csv(ROWS))
        for _part in range(200):
            out.write("x" * (1 << 20))
        out.write("\nlast," + "," * 7 + "\n")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.intake.worker_settings",
        "WORKER_DATABASE": connection.settings_dict["NAME"],
        "WORKER_SEALED_ROOT": str(tmp_path / "sealed"),
        "DEBUG": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, file, mapping], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result, peak = done.stdout.splitlines()
    counts = json.loads(result)
    assert (counts["created"], counts["error_count"]) == (ROWS + 1, 1)
    assert [error["line"] for error in counts["errors"]] == [ROWS + 2]
    assert Customer.objects.count() == ROWS + 1
    assert int(peak) < LIMIT_MB
