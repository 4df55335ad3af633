"""Every command of the house speaks to machines and says what it would destroy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command, get_commands, load_command_class

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
