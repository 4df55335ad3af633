"""A disk that is full (fault case 17): a clear sentence, no half file, and the same again once there is room.

The kernel refuses what real processes write: by a limit on the size of files, or by a small disk of the test's own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection

from customers.models import Suppression
from datamap import journal
from interactions.models import Attachment
from ops.places import private_folder
from privacy.models import Package
from tests.intake.conftest import MAPPING, customers_csv
from tests.privacy.making import make_contact, make_person
from tests.private_servers import Postgres, private_postgres
from tests.small_disk import NoSmallDisk, small_disk_for
from vault.files import SealedFileStorage

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 200
ROWS = 6_000


def run(*arguments: str, before: Callable[[], None] | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    given = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.privacy.process_settings",
        "PROCESS_DATABASE": str(connection.settings_dict["NAME"]),
        "PROCESS_SEALED_ROOT": str(settings.SEALED_ROOT),
        "DEBUG": "1",
        **more,
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR, env=given, capture_output=True, text=True, check=False, timeout=PATIENCE,
        preexec_fn=before,  # noqa: PLW1509
    )  # fmt: skip


def small_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def files_below(*folders: Path) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_a_package_for_which_there_is_no_room_leaves_nothing_and_is_built_later(tmp_path: Path) -> None:
    customer = make_person("4711")
    photo = Attachment(interaction=make_contact(customer, "2026-01-10"), name="foto.jpg", content_type="image/jpeg")
    photo.size = 200_000
    photo.file.save("foto", ContentFile(os.urandom(photo.size)))
    before = files_below(Path(settings.SEALED_ROOT), tmp_path)
    command = [
        "manage.py",
        "export_person",
        "4711",
        "--kind",
        "access",
        "--output",
        str(tmp_path / "copy.zip"),
        "--json",
    ]

    full = run(*command, before=small_disk)
    assert full.returncode == 1
    assert "konnte nicht geschrieben werden" in full.stderr and "Traceback" not in full.stderr
    assert files_below(Path(settings.SEALED_ROOT), tmp_path) == before
    package = Package.objects.get()
    assert (package.state, package.file.name) == (Package.State.FAILED, "")

    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)["path"]).stat().st_size > photo.size


STORE = """
import django, sys; django.setup()
from django.core.files.base import ContentFile
from vault.files import SealedFileStorage
SealedFileStorage("intake.files").save("file", ContentFile(bytes(500_000)))
"""


def test_an_upload_for_which_there_is_no_room_leaves_no_draft() -> None:
    root = Path(SealedFileStorage("intake.files").location)
    full = run("-c", STORE, before=small_disk)
    assert full.returncode == 1 and "OSError" in full.stderr
    assert files_below(root) == set()
    assert run("-c", STORE).returncode == 0
    assert len(files_below(root)) == 1


SUPPRESS = """
import django; django.setup()
from customers import suppression
from datamap.chain import JournalError
try:
    suppression.suppress("email", "anna@example.org", reason="objection")
except JournalError:
    print("refused")
"""


def test_an_objection_that_the_journal_has_no_room_for_is_not_half_noted(journal_folder: Path) -> None:
    from_before = run("-c", SUPPRESS.replace("anna", "bert"))
    assert from_before.returncode == 0, from_before.stderr
    (segment,) = journal_folder.glob("*.jsonl")
    size = segment.stat().st_size

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, size + 20))

    full = run("-c", SUPPRESS, before=no_room)
    assert full.stdout == "refused\n", full.stderr
    assert Suppression.objects.count() == 1
    assert segment.stat().st_size == size
    # The chain is whole, and the same goes in once there is room.
    assert run("-c", SUPPRESS).stdout == ""
    assert Suppression.objects.count() == 2
    assert len(list(journal.entries())) == 2


@pytest.fixture
def cramped() -> Iterator[tuple[Postgres, Callable[[], None]]]:
    """A server whose contact points lie on a disk of half a megabyte, and what makes the disk larger.

    A machine on which there can be no such disk fails in CI.
    """
    with private_postgres() as server:
        place = server.folder / "tiny"
        private_folder(place, server.account)
        try:
            with small_disk_for(server, place) as disk:
                with server.connect() as opened:
                    opened.execute(f"CREATE TABLESPACE tiny LOCATION '{place}'")
                    opened.execute("ALTER TABLE customers_contactpoint SET TABLESPACE tiny")
                yield server, disk.make_room
        except NoSmallDisk as refused:
            if os.environ.get("CI"):
                pytest.fail(str(refused))
            pytest.skip(str(refused))  # pytest is set to name every skip with its reason at the end


def test_an_import_for_which_the_database_has_no_room_says_so_and_goes_on_later(
    tmp_path: Path, cramped: tuple[Postgres, Callable[[], None]]
) -> None:
    server, make_room = cramped
    file, mapping = tmp_path / "customers.csv", tmp_path / "mapping.json"
    file.write_text(customers_csv(ROWS))
    mapping.write_text(json.dumps(MAPPING))
    command = ["manage.py", "import_customers", str(file), "--profile", "plain", "--mapping", str(mapping), "--json"]
    given = server.environment | {"DJANGO_SETTINGS_MODULE": "tests.privacy.outage_settings", "REDIS_URL": "redis://x"}

    full = run(*command, **given)
    assert full.returncode == 1
    assert "keinen Platz" in full.stderr and "Traceback" not in full.stderr, full.stderr[-2000:]
    assert "example.com" not in full.stderr
    began = server.value("SELECT count(*) FROM customers_customer")
    assert isinstance(began, int) and began < ROWS
    # Whoever is in is in whole.
    assert server.value("SELECT count(*) FROM customers_contactpoint") == began

    make_room()
    done = run(*command, **given)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["rows"], told["created"], told["unchanged"]) == (ROWS, ROWS - began, began)
    assert server.value("SELECT count(*) FROM customers_customer") == ROWS
    assert server.value("SELECT count(DISTINCT value) FROM customers_externalid") == ROWS
