"""`make bench`: builds a database of SIZE customers, measures everything in it, prints a table and var/bench.json."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection, connections

from benchmarks.building import COPY, ROOT, Workshop, server_url
from benchmarks.goals import verdict

# What only reads comes first.
MODULES = ("search", "pages", "package", "consents", "import_orders", "import_customers", "retention")
WIDTHS = (36, 9, 10, 10, 10, 9, 9, 8)
HEAD = ("name", "unit", "ours", "usual", "limit", "of limit", "x usual", "p95")


def main() -> int:
    """Exit code 0 when everything could be measured, whatever the figures say; 1 when something failed."""
    given = _arguments()
    if given.one:
        return _measure(given.one, given.size, Path(given.into))
    workshop = _workshop()
    _say(f"The database of {given.size:,} customers: built once, then kept as a template.")
    began = time.monotonic()
    built = workshop.prepare(given.size)
    _say(f"{'Built' if built else 'Found'} in {time.monotonic() - began:.0f} s.")
    rows, failed = _measure_all(workshop, given.size, [given.only] if given.only else MODULES)
    _print_table(rows)
    target = Path(settings.VAR_DIR) / "bench.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    _say(f"\nWritten: {target}")
    workshop.clear()
    for name in failed:
        _say(f"FAILED: {name}")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--size", type=int, default=int(os.environ.get("SIZE") or 200_000), help="customers (SIZE)")
    parser.add_argument("--only", choices=MODULES, help="one module alone")
    parser.add_argument("--one", choices=MODULES, help=argparse.SUPPRESS)
    parser.add_argument("--into", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.size < 1000:
        parser.error("fewer than 1000 customers say nothing")
    return given


def _workshop() -> Workshop:
    """Find the server; start the embedded one where no address names another."""
    os.environ.setdefault("DEBUG", "1")
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    subprocess.run([sys.executable, "manage.py", "services"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return Workshop(server_url(settings), settings.REDIS_URL, Path(settings.VAR_DIR).resolve() / "bench")


def _measure_all(
    workshop: Workshop, size: int, modules: tuple[str, ...] | list[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Each module in a process and a copy of its own, so that none finds what another left."""
    rows: list[dict[str, Any]] = []
    failed = []
    answer = Path(settings.VAR_DIR) / "bench-part.json"
    for name in modules:
        workshop.fresh()
        began = time.monotonic()
        answer.unlink(missing_ok=True)
        command = [sys.executable, "-m", "benchmarks", "--one", name, "--size", str(size), "--into", str(answer)]
        environment = os.environ | workshop.environment(COPY) | {"DJANGO_SETTINGS_MODULE": "benchmarks.page_settings"}
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
        if done.returncode or not answer.exists():
            failed.append(name)
            continue
        rows += json.loads(answer.read_text())
        _say(f"{name}: {time.monotonic() - began:.0f} s")
    answer.unlink(missing_ok=True)
    return rows, failed


def _measure(name: str, size: int, into: Path) -> int:
    """One module, in the process made for it."""
    django.setup()
    _warm()
    try:
        rows = importlib.import_module(f"benchmarks.bench_{name}").run(size)
    except Exception:  # whatever broke, the other modules are measured all the same
        traceback.print_exc()
        return 1
    finally:
        connections.close_all()
    into.write_text(json.dumps(rows))
    return 0


def _warm() -> None:
    """Be as a server or worker that has run for a day: what is loaded is set aside, the tables are in memory."""
    gc.collect()
    gc.freeze()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(length(sort_name)) FROM customers_customer")
        cursor.execute("SELECT count(*), sum(length(text)) FROM customers_searchentry")
        cursor.execute("SELECT count(*), sum(length(value)) FROM customers_contactpoint")
        cursor.execute("SELECT count(*), sum(orders) FROM customers_summary")


def _print_table(rows: list[dict[str, Any]]) -> None:
    _say("\n" + _line(HEAD) + "  goal")
    for row in rows:
        cells = (
            row["name"],
            row["unit"],
            _number(row["ours"]),
            _number(row["usual"]),
            _number(row["limit"]),
            _number(row["share_of_limit"]),
            _number(row["times_usual"]),
            _number(row["p95"]),
        )
        _say(_line(cells) + "  " + verdict(row))


def _line(cells: tuple[str, ...]) -> str:
    name, unit, *figures = cells
    padded = [f"{figure:>{width}}" for figure, width in zip(figures, WIDTHS[2:], strict=True)]
    return " ".join([f"{name:<{WIDTHS[0]}}", f"{unit:<{WIDTHS[1]}}", *padded])


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 1 else f"{value:.1f}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
