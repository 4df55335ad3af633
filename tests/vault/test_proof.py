"""Keys that do not belong to a database are refused before anything is written."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings
from django.db import connection

from tests.vault.conftest import key_line, key_text
from vault.keyring import KeyRing, keyring, load, replaced
from vault.models import KeyRecord
from vault.proof import WrongKeys, verify_keys

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parent.parent.parent


def records() -> set[tuple[str, int, str]]:
    return set(KeyRecord.objects.values_list("kind", "key_id", "fingerprint"))


@pytest.fixture
def known(ring: KeyRing) -> set[tuple[str, int, str]]:
    """The database knows the keys of the ring."""
    KeyRecord.objects.all().delete()
    verify_keys()
    return records()


def test_the_first_keys_are_recorded_by_fingerprint_alone(known: set, ring: KeyRing) -> None:
    assert known == {(key.kind, key.id, key.fingerprint) for key in ring.keys}
    assert all(len(fingerprint) == 16 for _kind, _id, fingerprint in known)


def test_migrating_has_recorded_the_keys_of_this_process() -> None:
    assert records() == {(key.kind, key.id, key.fingerprint) for key in keyring().keys}


@pytest.mark.parametrize("kind", ["seal", "index", "list"])
def test_a_wrong_key_is_named_and_nothing_written(known: set, kind: str) -> None:
    lines = [key_line(kind, 1, "wrong") if line.startswith(kind) else line for line in key_text().splitlines()]
    with replaced(load("\n".join(lines))), pytest.raises(WrongKeys, match=f"{kind}:1"):
        verify_keys()
    assert records() == known


def test_a_missing_key_is_named(known: set) -> None:
    with replaced(load(key_text(seal=(2,)))), pytest.raises(WrongKeys, match="seal:1 .* missing"):
        verify_keys()
    with replaced(load(key_text(index=(2,)))), pytest.raises(WrongKeys, match="index:1 .* missing"):
        verify_keys()
    assert records() == known


def test_a_new_key_beside_the_known_ones_is_recorded(known: set) -> None:
    with replaced(load(key_text(seal=(1, 2), index=(1, 2)))) as ring:
        verify_keys()
    assert records() == {(key.kind, key.id, key.fingerprint) for key in ring.keys}


@pytest.mark.parametrize("writes", [(False, True), (True, False)])
def test_the_list_key_never_changes(known: set, writes: tuple[bool, bool]) -> None:
    # Nor in two steps: a second one beside it would be known from then on, and could write next time.
    keys = [key_line("list", key_id, writes=own) for key_id, own in zip((1, 2), writes, strict=True)]
    lines = [*key_text().splitlines()[:2], *keys]
    with replaced(load("\n".join(lines))), pytest.raises(WrongKeys, match="list key never changes.*list:2"):
        verify_keys()
    assert records() == known


def test_a_new_database_takes_one_list_key(ring: KeyRing) -> None:
    KeyRecord.objects.all().delete()
    lines = [*key_text().splitlines()[:2], key_line("list", 1), key_line("list", 2, writes=True)]
    with replaced(load("\n".join(lines))), pytest.raises(WrongKeys, match="list key never changes.*list:1.*list:2"):
        verify_keys()
    assert records() == set()


def test_a_retired_key_neither_is_missed_nor_writes(known: set) -> None:
    with replaced(load(key_text(seal=(1, 2)))):
        verify_keys()
    KeyRecord.objects.filter(kind="seal", key_id=1).update(retired_at="2026-01-01T00:00Z")
    with replaced(load(key_text(seal=(2,)))):
        verify_keys()
    with replaced(load(key_text(seal=(2, 1)))), pytest.raises(WrongKeys, match="retired"):
        verify_keys()


def test_first_keys_must_open_what_is_sealed_already(known: set, shop: ModuleType) -> None:
    shop.Friend.objects.create(email="x")
    KeyRecord.objects.all().delete()
    with replaced(load(key_text(seed="other"))), pytest.raises(WrongKeys, match="not the vault keys"):
        verify_keys()
    assert records() == set()
    verify_keys()
    assert records() == known


def run(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of a process of its own, on the test database with these keys."""
    code = (
        "import sys; from django.conf import settings; from django.core import management;"
        f"settings.DATABASES['default']['NAME'] = {connection.settings_dict['NAME']!r};"
        "management.execute_from_command_line(['manage.py', *sys.argv[1:]])"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE, "VAULT_KEYS": text, "VAULT_KEY_FILE": "",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )


def test_every_command_that_reaches_the_database_refuses_wrong_keys_in_one_sentence() -> None:
    before = records()
    for arguments in (["vault_status", "--json"], ["dumpdata", "vault"], ["migrate"]):
        refused = run(key_text(seed="wrong"), *arguments, "--skip-checks")
        assert refused.returncode == 1
        assert "wrong key" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert refused.stdout in ("", "[")
    assert records() == before


def test_a_truncated_key_stops_the_start() -> None:
    stopped = run(key_text()[:-8], "check")
    assert stopped.returncode == 1
    assert "instead of 32" in stopped.stderr
    assert key_text().split(":")[-1][:12] not in stopped.stderr
