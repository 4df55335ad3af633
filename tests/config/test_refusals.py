"""With DEBUG off nothing starts half set up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.production import production_environment

ROOT = Path(__file__).resolve().parents[2]


def _check(environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "VAULT_KEYS", "DATABASE_URL", "REDIS_URL", "JOURNAL_URL", "ALLOWED_HOSTS"]
)
def test_each_missing_setting_is_refused_with_one_sentence(name: str) -> None:
    environment = production_environment()
    del environment[name]
    done = _check(environment)
    assert done.returncode == 1
    sentences = done.stderr.strip().splitlines()[1:]
    assert len(sentences) == 1
    assert name in sentences[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "django-insecure-" + "abcdefghijklmnopqrstuvwxyz0123456789" * 2),
        ("SECRET_KEY", "a" * 60),
        ("ALLOWED_HOSTS", "*"),
        ("JOURNAL_URL", "journal"),
        ("VAULT_KEYS", "seal:1:AAAA"),
    ],
)
def test_a_default_or_broken_value_is_refused(name: str, value: str) -> None:
    done = _check(production_environment() | {name: value})
    assert done.returncode == 1
    assert name in done.stderr
    assert "Traceback" not in done.stderr


def test_a_key_file_that_is_missing_is_refused() -> None:
    environment = production_environment() | {"VAULT_KEYS": "", "VAULT_KEY_FILE": "/nowhere/vault.keys"}
    done = _check(environment)
    assert done.returncode == 1
    assert "VAULT_KEY_FILE" in done.stderr


def test_with_everything_set_it_starts() -> None:
    done = _check(production_environment())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("site", "told"), [("https://obhut.example", 0), ("http://obhut.example", 1), ("obhut.example", 1), ("https://", 1)]
)
def test_links_of_mails_are_https(site: str, told: int) -> None:
    """RFC 8058, section 3.1: the address that unsubscribes has to be an HTTPS URI."""
    done = _check(production_environment() | {"SITE_URL": site}, "--deploy")
    assert ("consents.E001" in done.stderr) == bool(told), done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_told_in_one_sentence() -> None:
    nobody = os.environ | {"DEBUG": "1", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    done = subprocess.run(
        [sys.executable, "manage.py", "vault_status"], env=nobody, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "DATABASE_URL" in done.stderr
    assert "Traceback" not in done.stderr
