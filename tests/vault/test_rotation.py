"""Changing keys: everything stays readable, a kill loses nothing, and no key in use is let go."""

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils.connection import ConnectionProxy
from pytest_django.plugin import DjangoDbBlocker

from tests.vault.conftest import key_text
from vault.columns import count_by_key, list_columns, register_list_column, register_store, stores
from vault.files import SealedFileStorage
from vault.keyring import KeyRing, SealError, keyring, load, replaced
from vault.models import KeyRecord, Rotation
from vault.proof import verify_keys
from vault.stores import SealedJSONValues

ROOT = Path(__file__).resolve().parent.parent.parent


def command(*args: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command(*args, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


@pytest.fixture
def kept(db: None, shop: ModuleType, ring: KeyRing) -> KeyRing:
    """A database that knows the keys of the ring, with two guests and their history."""
    KeyRecord.objects.all().delete()
    verify_keys()
    for name in ("ada", "bo"):
        shop.Guest.objects.create(name=name, email=f"{name}@example.org", phone="1")
    return ring


def sealed_by(shop: ModuleType) -> Counter[int]:
    fields = [shop.Guest._meta.get_field(name) for name in ("phone", "email", "born", "wishes")]
    return count_by_key(shop.Guest, fields)


def test_status_counts_what_names_each_key(kept: KeyRing) -> None:
    keys = command("vault_status")["keys"]
    assert [set(key) >= {"id", "kind", "fingerprint", "writes", "uses"} for key in keys] == [True] * 3
    uses = {(key["kind"], key["id"]): key["uses"] for key in keys}
    assert uses == {("seal", 1): 8, ("index", 1): 2, ("list", 1): 0}  # 2 values, 2 guests, live and history
    assert {key["fingerprint"] for key in keys} == {key.fingerprint for key in kept.keys}


def test_status_counts_list_hashes(kept: KeyRing, shop: ModuleType) -> None:
    shop.Friend.objects.create(blocked=kept.list_hash("suppression", "ada@example.org"))
    register_list_column("shop.Friend", "blocked")
    try:
        assert command("vault_status")["keys"][1] | {"fingerprint": ""} == {
            "id": 1, "kind": "list", "fingerprint": "", "writes": True, "uses": 1,
        }  # fmt: skip
    finally:
        list_columns.discard(("shop.Friend", "blocked"))


def test_a_rotation_brings_everything_under_the_new_key(kept: KeyRing, shop: ModuleType) -> None:
    with replaced(load(key_text(seal=(1, 2)))):
        assert [g.email for g in shop.Guest.objects.order_by("pk")] == ["ada@example.org", "bo@example.org"]
        shop.Guest.objects.create(name="cy", email="cy@example.org")
        assert command("vault_rotate", "--dry-run")["left"] == 8
        result = command("vault_rotate")
        assert {k: result[k] for k in ("from", "to", "done", "left")} == {
            "from": 1,
            "to": 2,
            "done": 8,
            "left": 0,
        }
        again = command("vault_rotate")
        assert (again["done"], again["left"]) == (0, 0)
        assert sealed_by(shop) == {2: 5}
        assert command("vault_rotate", "--retire", "1")["retired"] == 1
    with replaced(load(key_text(seal=(2,)))):
        verify_keys()  # the retired key may be gone
        assert [g.email for g in shop.Guest.objects.order_by("pk")][:2] == [
            "ada@example.org",
            "bo@example.org",
        ]
        assert [h.email for h in shop.HistoricalGuest.objects.order_by("pk")][0] == "ada@example.org"


def test_a_key_in_use_or_writing_is_not_retired(kept: KeyRing) -> None:
    with replaced(load(key_text(seal=(1, 2)))):
        for key_id in ("1", "2"):
            with pytest.raises(CommandError) as refusal:
                command("vault_rotate", "--retire", key_id)
            assert refusal.value.returncode == 3
        with pytest.raises(CommandError) as refusal:
            command("vault_rotate", "--retire", "9")
        assert refusal.value.returncode == 2
    assert not KeyRecord.objects.exclude(retired_at=None).exists()


def test_a_dry_run_says_what_would_be_and_not_what_is(kept: KeyRing, capsys: pytest.CaptureFixture[str]) -> None:
    with replaced(load(key_text(seal=(1, 2)))):
        call_command("vault_rotate", "--dry-run")
        assert capsys.readouterr().out == "8 values would come under seal:2.\n"
        command("vault_rotate")
        call_command("vault_rotate", "--retire", "1", "--dry-run")
        assert capsys.readouterr().out == "Nothing names seal:1 any more; it may be retired.\n"
    assert not KeyRecord.objects.exclude(retired_at=None).exists()


def test_a_value_that_does_not_open_is_named_and_left(kept: KeyRing, shop: ModuleType) -> None:
    guest = shop.Guest.objects.earliest("pk")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shop_guest SET email = set_byte(email, 20, 255 - get_byte(email, 20)) WHERE id = %s",
            [guest.pk],
        )
    with replaced(load(key_text(seal=(1, 2)))):
        out, err = io.StringIO(), io.StringIO()
        with pytest.raises(CommandError) as failure:
            call_command("vault_rotate", "--json", stdout=out, stderr=err)
        assert failure.value.returncode == 1
        assert (json.loads(out.getvalue())["done"], json.loads(out.getvalue())["left"]) == (7, 1)
        assert f"shop.Guest {guest.pk} email" in err.getvalue()
        with pytest.raises(CommandError) as refusal:
            command("vault_rotate", "--retire", "1")
        assert refusal.value.returncode == 3


def test_a_new_index_key_recomputes_every_index(kept: KeyRing, shop: ModuleType) -> None:
    with replaced(load(key_text(index=(1, 2)))):
        assert shop.Guest.objects.get(email_index="ada@example.org").name == "ada"  # under the older key
        shop.Guest.objects.create(name="cy", email="cy@example.org")
        with pytest.raises(CommandError) as refusal:
            command("vault_rotate", "--index", "--retire", "1")
        assert refusal.value.returncode == 3
        result = command("vault_rotate", "--index")
        assert {k: result[k] for k in ("from", "to", "done", "left")} == {
            "from": 1,
            "to": 2,
            "done": 2,
            "left": 0,
        }
        assert command("vault_rotate", "--index", "--retire", "1")["retired"] == 1
    with replaced(load(key_text(index=(2,)))):
        verify_keys()
        assert shop.Guest.objects.filter(email_index__in=["ada@example.org", "cy@example.org"]).count() == 2


def test_files_and_foreign_columns_are_rotated_too(kept: KeyRing, shop: ModuleType, tmp_path: Path) -> None:
    storage = SealedFileStorage("shop.letters", tmp_path)
    name = storage.save("ada.pdf", ContentFile(b"x" * 700_000))
    code = base64.b64encode(kept.seal("mfa", b"seed")).decode()
    friend = shop.Friend.objects.create(secrets={"secret": code, "codes": [code], "used": 3, "seed": "AQ=="})
    register_store("letters", storage)
    register_store("mfa", SealedJSONValues("shop.Friend", "secrets", "mfa"))
    try:
        assert command("vault_status")["keys"][2]["uses"] == 11
        with replaced(load(key_text(seal=(1, 2)))):
            assert command("vault_rotate")["done"] == 11
        with replaced(load(key_text(seal=(2,)))):
            friend.refresh_from_db()
            assert storage.open(name).read() == b"x" * 700_000
            for text in (friend.secrets["secret"], *friend.secrets["codes"]):
                assert keyring().open("mfa", base64.b64decode(text)) == b"seed"
            assert (friend.secrets["used"], friend.secrets["seed"]) == (3, "AQ==")
    finally:
        stores.clear()


@pytest.fixture
def committed(shop: ModuleType, django_db_blocker: DjangoDbBlocker, ring: KeyRing) -> Iterator[ConnectionProxy]:
    """2,500 guests that another process sees; gone afterwards, and the keys of this machine back."""
    with django_db_blocker.unblock():
        KeyRecord.objects.all().delete()
        verify_keys()
        shop.Guest.objects.bulk_create(shop.Guest(name=str(n), email=f"guest{n}@example.org") for n in range(2500))
        yield connections["default"]
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE shop_guest, shop_historicalguest, vault_rotation, vault_keyrecord")
        with replaced(OWN_RING):
            verify_keys()


OWN_RING = keyring()


def killed_rotation(text: str, kind: str) -> int:
    """Rotate in a process of its own that dies in its second batch."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE, "VAULT_KEYS": text, "VAULT_KEY_FILE": "",
    }  # fmt: skip
    name = connections["default"].settings_dict["NAME"]
    arguments = [sys.executable, "-m", "tests.vault.rotating", name, kind]
    return subprocess.run(arguments, cwd=ROOT, env=environment, check=False).returncode


def test_a_rotation_killed_in_the_middle_goes_on_where_it_was(committed: ConnectionProxy, shop: ModuleType) -> None:
    text = key_text(seal=(1, 2))
    expected = [f"guest{n}@example.org" for n in range(2500)]
    assert killed_rotation(text, "seal") == -signal.SIGKILL
    assert sealed_by(shop) == {2: 1000, 1: 1500}
    state = Rotation.objects.get(kind="seal", model_label="shop.Guest")
    assert (state.done, state.left, state.finished_at) == (1000, 1500, None)
    with replaced(load(text)):
        assert [g.email for g in shop.Guest.objects.order_by("pk")] == expected
        with pytest.raises(CommandError) as refusal:
            command("vault_rotate", "--retire", "1")
        assert refusal.value.returncode == 3
        result = command("vault_rotate")
        assert (result["done"], result["left"]) == (1500, 0)
    state.refresh_from_db()
    assert (state.done, state.left) == (2500, 0)
    assert state.finished_at
    with replaced(load(key_text(seal=(2,)))):
        assert [g.email for g in shop.Guest.objects.order_by("pk")] == expected


def test_an_index_run_killed_in_the_middle_goes_on_where_it_was(committed: ConnectionProxy, shop: ModuleType) -> None:
    text = key_text(index=(1, 2))
    assert killed_rotation(text, "index") == -signal.SIGKILL
    with replaced(load(text)):
        for n in (0, 999, 1000, 2499):  # found on both sides of the place where it died
            assert shop.Guest.objects.get(email_index=f"guest{n}@example.org").name == str(n)
        assert command("vault_rotate", "--index")["done"] == 1500
    with replaced(load(key_text(index=(2,)))):
        assert shop.Guest.objects.filter(email_index__in=["guest0@example.org", "guest2499@example.org"]).count() == 2


def test_only_one_rotation_runs_at_a_time(committed: ConnectionProxy) -> None:
    other = committed.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7061884231)")
        with pytest.raises(CommandError) as refusal:
            command("vault_rotate")
    other.close()
    assert refusal.value.returncode == 3


def test_without_the_old_key_its_values_stay_shut(kept: KeyRing, shop: ModuleType) -> None:
    with replaced(load(key_text(seal=(2,)))), pytest.raises(SealError, match="seal:1"):
        shop.Guest.objects.earliest("pk")
