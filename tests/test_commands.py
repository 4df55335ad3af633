"""Every command of the house speaks to machines and says what it would destroy."""

from __future__ import annotations

import json
from io import StringIO
from itertools import count
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands, load_command_class

from tests.portal.factories import make_customer

OWN_APPS = {app.name for app in apps.get_app_configs() if Path(app.path).parent == settings.BASE_DIR}
# Runs until somebody stops it: there is no result to print.
ENDLESS = {"dev"}
# What is gone afterwards cannot be had back.
DESTROYS = (
    "backup",
    "drop_expired_claims",
    "erase_person",
    "purge_expired",
    "reapply_erasures",
    "restore",
    "undo_import",
    "vault_rotate",
)
COMMANDS = sorted(name for name, app in get_commands().items() if app in OWN_APPS)


def options_of(name: str) -> set[str]:
    command = load_command_class(get_commands()[name], name)
    return set(command.create_parser("manage.py", name)._option_string_actions)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_prints_json(name: str) -> None:
    assert "--help" in options_of(name)
    assert ("--json" in options_of(name)) == (name not in ENDLESS)


@pytest.mark.parametrize("name", DESTROYS)
def test_what_destroys_can_be_tried(name: str) -> None:
    assert "--dry-run" in options_of(name)


@pytest.mark.django_db
def test_a_member_of_staff_is_made_by_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_staff", "neu@obhut.example", "--role", "manager", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["roles"] == ["manager"]
    assert told["link"].startswith("http")


class Terminal(StringIO):
    """Somebody watches standard error, and every look at the clock finds ten seconds gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        clock = count(step=10)
        monkeypatch.setattr("sys.stderr", self)
        monkeypatch.setattr("tqdm.std.time", lambda: next(clock))

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """What was written since the last look."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "unit"), [("recompute_totals", "customers"), ("vault_status", "places")])
def test_whoever_watches_long_work_sees_how_far_it_is(name: str, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_customer("10482")
    terminal = Terminal(monkeypatch)
    call_command(name)
    assert unit in terminal.shown()
    call_command(name, "--json")
    assert terminal.shown() == ""


@pytest.mark.django_db
def test_whoever_watches_an_undo_sees_that_it_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kunden.csv"
    file.write_text("Nummer,Name\n1,Müller\n")
    mapping = tmp_path / "spalten.json"
    mapping.write_text(json.dumps({"external_id": "Nummer", "last_name": "Name"}))
    for quiet in (False, True):
        call_command("import_customers", str(file), "--mapping", str(mapping), "--json")
        batch = json.loads(capsys.readouterr().out)["batch"]
        terminal = Terminal(monkeypatch)
        call_command("undo_import", batch, *(["--json"] if quiet else []))
        assert ("steps" in terminal.shown()) is not quiet
        capsys.readouterr()
