"""Backup and restore with real programs, real processes and a second database (scenario P19, fault case 23)."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone
from psycopg import sql

from customers.models import ContactPoint, Customer, Suppression
from datamap import accesslog, journal
from interactions.models import Attachment
from mail.models import Message
from mail.sending import queue
from privacy import objecting, restricting
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Erasure
from staff.models import User
from tests.interactions.factories import make_contact
from tests.ops.restoring import back_up, found, run, said, served, server, source
from tests.portal.factories import make_customer
from tests.privacy.making import make_order, make_paper
from vault.fields import BlindIndexField

pytestmark = pytest.mark.django_db(transaction=True)

LETTER = b"Dear shop, the coat is torn."


def erase(customer: Customer) -> Erasure:
    erasure = run_erasure(ask_erasure(customer).pk, now=True)
    assert erasure.state == Erasure.State.DONE, list(erasure.steps.values_list("key", "state", "error"))
    return erasure


@contextmanager
def _tables(database: str) -> Iterator[tuple[psycopg.Connection, list[str]]]:
    with server(database) as other:
        rows = other.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        yield other, [name for (name,) in rows]


def traces(database: str, texts: list[str]) -> dict[str, int]:
    """Table -> rows that show one of these texts in any column, keys of indexes (bytes as hex) included."""
    told = {}
    with _tables(database) as (other, names):
        for name in names:
            asked = sql.SQL("SELECT count(*) FROM {} r WHERE r::text ILIKE ANY(%s)").format(sql.Identifier(name))
            row = other.execute(asked, [[f"%{text}%" for text in texts]]).fetchone()
            if row and row[0]:
                told[name] = row[0]
    return told


def make_anna() -> tuple[Customer, list[str]]:
    """Somebody with everything, and what may lead to her: words, numbers, the keys of her blind indexes."""
    anna = make_customer("1001", email="anna@example.org", last_name="Kanarienvogel", first_name="Annabella")
    anna.first_name = "Annabell"
    anna.save()
    order = make_order(anna, "2024-05-20", billing={"name": "Annabell Kanarienvogel"})
    make_paper(order, "invoice", "2024-06-01")
    accesslog.record(None, "1001", "customers:edit")
    point = anna.contact_points.get()
    keys = [bytes(getattr(point, f.attname)).hex() for f in ContactPoint._meta.concrete_fields if f.name in INDEXES]
    return anna, ["Kanarienvogel", "anna@example.org", *keys]


INDEXES = {f.name for f in ContactPoint._meta.concrete_fields if isinstance(f, BlindIndexField)}


def doctor_of(database: str, folder: Path) -> dict[str, Any]:
    said = json.loads(run(database, folder, "doctor", "--deep", "--json").stdout)
    return {check["name"]: check for check in said["checks"]}


def test_P19_restore_from_a_backup_that_is_older_than_an_erasure(tmp_path: Path, target: str, manager: User) -> None:
    # Before the backup: four customers, one of them restricted; a file; mails that wait.
    anna, hints = make_anna()
    bert = make_customer("1002", first_name="Bert", last_name="Zweig", email="bert@example.org")
    carla = make_customer("1003", first_name="Carla", last_name="Dorn", email="carla@example.org")
    dora = make_customer("1004", first_name="Dora", last_name="Esche")
    contested = restricting.restrict(dora, "a", ["address"], "contested", by=manager)
    contact = make_contact(bert, by=manager, content="The coat is torn")
    letter = Attachment(interaction=contact, name="letter.txt", content_type="text/plain", size=len(LETTER))
    letter.file.save("letter", ContentFile(LETTER))
    for_bert = queue("account_ends", to=bert, message_class="notice", context={"since": "2024-11-30"})
    for_anna = queue("account_ends", to=anna, message_class="notice", context={"since": "2024-11-30"})
    made = back_up(tmp_path)
    path = Path(made["path"])
    assert made["bytes"] == path.stat().st_size
    assert made["journal_position"] >= 1
    assert made["quarantine"] is False
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"Zweig" not in path.read_bytes()

    # Between the backup and the fault: an erasure, a restriction, one lifted, an objection, a mail that went out.
    erasure = erase(anna)
    restricting.restrict(bert, "c", ["all"], "needed for a claim", by=manager)
    restricting.announce_lifting(contested, "it was right", by=manager)
    restricting.lift(contested, by=manager)
    objecting.object_now(carla, channel="mail", by=manager)
    Message.objects.filter(pk=for_bert.pk).update(state="sent", sent_at=timezone.now())

    sealed = tmp_path / "restored-files"
    report = said(run(target, sealed, "restore", str(path), "--json"))
    assert report == {key: made[key] for key in ("path", "bytes", "journal_position")} | {"quarantine": True}
    # The backup is older than the erasure: the person is there, and therefore nobody is served.
    assert found(target, "SELECT number FROM customers_customer ORDER BY number") == ["1001", "1002", "1003", "1004"]
    assert traces(target, hints).keys() >= {"customers_customer", "customers_historicalcustomer"}
    with served(target, sealed, tmp_path / "web.log") as status:
        assert (status("/healthz"), status("/accounts/login/")) == (503, 503)
        refused = run(target, sealed, "create_staff", "a@obhut.example", "--role", "operator")
        assert refused.returncode == 3

        replay = run(target, sealed, "reapply_erasures", "--json")
        outcome = said(replay)
        # Erasure, tombstones and suppression of Anna; two restrictions; Carla's objection and her suppression.
        assert outcome == {
            "replayed": outcome["replayed"],
            "already": outcome["already"],
            "failed": 0,
            "released": True,
        }
        assert outcome["replayed"] >= 5
        assert (status("/healthz"), status("/accounts/login/")) == (200, 200)

    # The person is found in no table, index or history; the paper that taxes need is sealed and cut from her.
    assert found(target, "SELECT number FROM customers_customer ORDER BY number") == ["1002", "1003", "1004"]
    assert traces(target, hints) == {}
    assert found(target, "SELECT subject_ref FROM orders_document WHERE customer_id IS NULL AND order_id IS NULL") == [
        erasure.subject_ref
    ]
    marks = f"SELECT count(*) > 0 FROM customers_tombstone WHERE subject_ref = '{erasure.subject_ref}'"
    assert found(target, marks) == [True]
    # What was said between the backup and the fault is in force.
    assert found(target, "SELECT number FROM customers_customer WHERE restricted_at IS NOT NULL") == ["1002"]
    assert found(target, "SELECT reason FROM customers_suppression WHERE ended_at IS NULL ORDER BY 1") == sorted(
        Suppression.objects.filter(ended_at=None).values_list("reason", flat=True)
    )
    stopped = "SELECT c.number FROM customers_customer c JOIN customers_summary s ON s.customer_id = c.id "
    assert found(target, f"{stopped} WHERE s.advertising_stopped_at IS NOT NULL") == ["1003"]
    # Log, journal and what was printed hold counts and opaque ids.
    written = [(tmp_path / "web.log").read_text(), replay.stdout, replay.stderr]
    written += [file.read_text() for file in Path(settings.JOURNAL_URL.removeprefix("file://")).glob("*.jsonl")]
    assert not [text for text in hints[:2] if any(text in one for one in written)]
    # Nobody knows whether the mails that waited in the backup went out: a person decides, nothing is sent again.
    assert found(target, f"SELECT state || ' ' || reason FROM mail_message WHERE id = {for_bert.pk}") == [
        "unknown restored"
    ]
    assert found(target, f"SELECT state FROM mail_message WHERE id = {for_anna.pk}") != ["queued"]
    assert found(target, "SELECT count(*) FROM mail_message WHERE state = 'queued'") == [0]

    # Files came back, and open under the same keys; nothing is left of the erased.
    doctor = doctor_of(target, sealed)
    assert doctor["files"]["ok"] and doctor["files"]["detail"].startswith("1 files named, 0 missing, 0 without a row")
    for name in ("database", "keys", "sealed_values", "journal", "quarantine", "erased", "mails_once"):
        assert doctor[name]["ok"], doctor[name]

    # Whoever restores over a database that holds something has to say so, and is in quarantine again.
    again = run(target, sealed, "restore", str(path), "--json")
    assert again.returncode == 3
    assert "--force" in again.stderr
    assert "1001" not in found(target, "SELECT number FROM customers_customer")
    assert said(run(target, sealed, "restore", str(path), "--force", "--json"))["quarantine"] is True
    assert "1001" in found(target, "SELECT number FROM customers_customer")
    assert said(run(target, sealed, "reapply_erasures", "--json"))["replayed"] == outcome["replayed"]
    assert traces(target, hints) == {}


def test_a_damaged_or_foreign_backup_changes_nothing(tmp_path: Path, target: str) -> None:
    make_customer("1001")
    path = Path(back_up(tmp_path)["path"])
    whole = path.read_bytes()
    for name, content in {
        "altered": whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :],
        "cut": whole[:-1000],
        "foreign": b"PGDMP" + bytes(2000),
        "empty": b"",
    }.items():
        damaged = tmp_path / name
        damaged.write_bytes(content)
        done = run(target, tmp_path / "files", "restore", str(damaged), "--json")
        assert done.returncode == 1, (name, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, name
        assert found(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [0], name
    missing = run(target, tmp_path / "files", "restore", str(tmp_path / "nowhere"))
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr


def test_a_restore_waits_for_nobody_who_still_works(tmp_path: Path, target: str) -> None:
    path = back_up(tmp_path)["path"]
    with server(target) as busy:
        busy.execute("SELECT 1")
        done = run(target, tmp_path / "files", "restore", path)
    assert done.returncode == 3
    assert re.search(r"The backup of \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0[12]:00, ", done.stdout)  # as clocks show it
    assert "stop web, workers and beat" in done.stderr
    assert found(target, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [0]


def test_a_full_disk_leaves_no_half_backup_and_one_sentence(tmp_path: Path) -> None:
    make_customer("1001")

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = run(source(), Path(settings.SEALED_ROOT), "backup", "--output", str(tmp_path), before=small_disk)
    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    journal.store().check_reachable()


def test_a_backup_is_never_written_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    done = run(source(), Path(settings.SEALED_ROOT), "backup", "--output", str(tmp_path / "mine"))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert (tmp_path / "mine").read_text() == "mine"
