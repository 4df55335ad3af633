"""Rings to seal with, and the small app whose models the vault is tried on."""

import base64
import hashlib
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from django.apps import AppConfig, apps
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from vault.keyring import KeyRing, load, replaced

MakeRing = Callable[..., KeyRing]


def key_line(kind: str, key_id: int, seed: str = "", *, writes: bool = False) -> str:
    """A key that is the same in every test run."""
    secret = hashlib.sha256(f"{kind}{key_id}{seed}".encode()).digest()
    return f"{kind}:{key_id}:{base64.b64encode(secret).decode()}{':write' if writes else ''}"


def key_text(seal: tuple[int, ...] = (1,), index: tuple[int, ...] = (1,), seed: str = "") -> str:
    """Lines of a key file; the last id of each kind writes."""
    lines = [key_line("seal", i, seed, writes=i == seal[-1]) for i in seal]
    lines += [key_line("index", i, seed, writes=i == index[-1]) for i in index]
    return "\n".join([*lines, key_line("list", 1, seed)])


@pytest.fixture
def ring() -> Iterator[KeyRing]:
    """A ring with one key of each kind, in use during the test."""
    with replaced(load(key_text())) as ring:
        yield ring


@pytest.fixture(scope="package")
def shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ModuleType]:
    """The models of the small app, installed and with tables while this package is tested."""
    config = AppConfig.create("tests.vault.shop")
    config.apps, config.models = apps, apps.all_models["shop"]
    apps.app_configs["shop"] = config
    apps.clear_cache()
    config.import_models()
    models = [config.get_model(name) for name in ("Guest", "Friend", "HistoricalGuest")]
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)
        yield config.models_module
        with connection.schema_editor() as editor:
            for model in reversed(models):
                editor.delete_model(model)
    del apps.app_configs["shop"]
    apps.clear_cache()
