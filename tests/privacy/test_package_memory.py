"""A long life costs no more memory than a short one: measured in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from customers.models import Customer
from interactions.models import Interaction
from tests.privacy.packaging import AT, make_colleague, make_person, make_shop

EVENTS, LIMIT_MB = 12_000, 10

# Not ru_maxrss: a new program inherits there what its parent had needed, and this parent is a whole test run.
PROGRAM = """
import pathlib, re, sys
import django
django.setup()
from customers.models import Customer
from privacy.packages.building import build

def status(name):
    return int(re.search(name + r":\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])

for number in sys.argv[1:]:
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    package = build(Customer.objects.get(number=number), "access")
    print(package.rows, (status("VmHWM") - before) // 1024)
"""


@pytest.mark.django_db(transaction=True)
def test_memory_does_not_grow_with_the_number_of_events(tmp_path: Path) -> None:
    make_shop()
    colleague = make_colleague()
    short, long = (make_person(colleague, number=number) for number in ("kurz", "lang"))
    _talk(long, EVENTS)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.intake.worker_settings",
        "WORKER_DATABASE": connection.settings_dict["NAME"],
        "WORKER_SEALED_ROOT": str(tmp_path / "sealed"),
        "DEBUG": "1",
    }
    # The first one pays for what the process reads once.
    command = [sys.executable, "-c", PROGRAM, short.number, short.number, long.number]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (_rows, _first), (few, _second), (many, grown) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert many - few == EVENTS
    assert grown < LIMIT_MB


def _talk(customer: Customer, events: int) -> None:
    Interaction.objects.bulk_create(
        Interaction(
            customer=customer, kind="call", content=f"Die Mühle mahlt zu grob, Rückruf am Nachmittag. {'x' * 300} {n}",
            outcome="erledigt", occurred_at=AT - timedelta(hours=n),
        )
        for n in range(events)
    )  # fmt: skip
