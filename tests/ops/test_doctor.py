"""`doctor` finds what is broken and names it; rotation and release on the command line."""

from __future__ import annotations

import base64
import json
import os
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from customers.models import Customer, Origin
from datamap import diagnosis, journal, quarantine
from datamap.models import JournalMark
from intake.models import Batch
from interactions.models import Attachment
from mail.models import Message
from mail.sending import queue
from ops.backing_up import NAME
from ops.filechecks import canary_forms
from ops.tasks import pulse, rotate_backups
from privacy.models import Erasure, Package, RetentionRun
from staff.models import Role, User
from tests.interactions.factories import make_contact
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db


def checks(*arguments: str, code: int = 1) -> dict[str, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("doctor", "--json", *arguments, stdout=out)
        ended = 0
    except SystemExit as end:
        ended = int(end.code or 0)
    report = json.loads(out.getvalue())
    assert report.keys() == {"ok", "checks"}
    assert report["ok"] is (ended == 0)
    assert report["ok"] is all(check["ok"] for check in report["checks"])
    assert all(check.keys() == {"name", "ok", "detail"} for check in report["checks"])
    return {check["name"]: check for check in report["checks"]}


def test_a_healthy_house_is_ok() -> None:
    pulse()
    found = checks()
    assert [name for name, check in found.items() if not check["ok"]] == []
    assert {"database", "roles", "keys", "sealed_values", "files", "journal", "quarantine", "broker"} <= found.keys()
    assert "weaker" in found["roles"]["detail"]
    assert "canary" not in found


def test_a_silent_beat_is_noticed() -> None:
    cache.clear()
    assert not checks()["beat"]["ok"]
    pulse()
    assert checks()["beat"]["ok"]


def _import(since: datetime) -> None:
    batch = Batch.objects.create(origin=Origin.objects.create(kind="file"), state="queued")
    Batch.objects.filter(pk=batch.pk).update(created_at=since)


def _package(since: datetime) -> None:
    Package.objects.create(customer=make_customer("2001"), kind="access", asked_at=since)


def _erasure(since: datetime, customer: Customer | None = None, **kw: Any) -> None:
    whose = customer or make_customer("2002")
    Erasure.objects.create(customer=whose, as_of=timezone.localdate(), run_after=since, **kw)


def _lost_erasure(since: datetime) -> None:
    _erasure(since, state="running", started_at=since, lease=uuid.uuid4(), lease_until=since)


def _run(since: datetime) -> None:
    run = RetentionRun.objects.create(as_of=timezone.localdate(), state="running", started_at=since)
    run.batches.create(category="INV", model="orders.Document", ids=["1"])


def _mail(since: datetime) -> None:
    message = queue("account_ends", to=make_customer("2003"), message_class="notice", context={"since": "2024-11-30"})
    Message.objects.filter(pk=message.pk).update(next_attempt_at=since)


@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("import", _import),
        ("package", _package),
        ("erasure", _erasure),
        ("erasure that has begun", _lost_erasure),
        ("retention run", _run),
        ("mail", _mail),
    ],
)
def test_a_job_that_nobody_takes_up_is_found(what: str, make: Callable[[datetime], None]) -> None:
    assert checks()["jobs"] == {"name": "jobs", "ok": True, "detail": "nothing waits"}
    make(timezone.now() - timedelta(minutes=5))
    fresh = checks()["jobs"]
    assert fresh["ok"] and fresh["detail"].startswith(f"the oldest {what} has waited for 30")
    for model in (Batch, Package, Erasure, RetentionRun, Message, Customer):
        model.objects.all().delete()
    make(timezone.now() - timedelta(minutes=20))
    assert not checks()["jobs"]["ok"]


def test_jobs_that_somebody_has_in_hand_or_whose_hour_has_not_come_do_not_count() -> None:
    hour = timedelta(hours=1)
    late, soon = timezone.now() - hour, timezone.now() + hour
    _erasure(soon)
    _mail(soon)
    customer = make_customer("2004")
    busy = {"lease": uuid.uuid4(), "lease_until": soon}
    _erasure(late, customer=customer, state="running", started_at=late, **busy)
    Package.objects.create(customer=customer, kind="access", asked_at=late, **busy)
    _run(late)
    RetentionRun.objects.get().batches.create(
        category="INV", model="orders.Document", ids=["2"], state="done", done_at=timezone.now()
    )
    _erasure(late, customer=make_customer("2005"), state="held", started_at=late)  # a matter runs: nobody is idle
    assert checks()["jobs"]["ok"]


def test_a_store_that_does_not_confirm_an_erasure_gets_two_tries() -> None:
    _erasure(timezone.now(), state="open_stores", started_at=timezone.now() - timedelta(hours=1))
    assert checks()["jobs"]["ok"]
    Erasure.objects.update(started_at=timezone.now() - timedelta(hours=3))
    assert "a store has not confirmed" in checks()["jobs"]["detail"] and not checks()["jobs"]["ok"]


def test_a_sealed_value_that_does_not_open_is_found_among_all() -> None:
    make_customer("1001", email="anna@example.org")
    assert checks()["sealed_values"]["ok"]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_contactpoint SET value = set_byte(value, 20, get_byte(value, 20) # 1)")
    for depth in ([], ["--deep"]):
        found = checks(*depth)["sealed_values"]
        assert not found["ok"]
        assert "1 of customers.contactpoint.value" in found["detail"]


def test_missing_and_left_over_files_are_found(manager: User) -> None:
    contact = make_contact(make_customer("1001"), manager)
    kept = Attachment(interaction=contact, name="a.txt", content_type="text/plain", size=3)
    kept.file.save("a", ContentFile(b"abc"))
    assert checks("--deep")["files"]["ok"]
    path = Path(kept.file.path)
    orphan = path.with_name("f" * 32)
    orphan.write_bytes(path.read_bytes())
    assert checks()["files"]["ok"]  # as young as an upload that is under way
    hours_ago = (timezone.now() - timedelta(hours=2)).timestamp()
    os.utime(orphan, (hours_ago, hours_ago))
    assert "1 without a row" in checks()["files"]["detail"]
    orphan.unlink()
    path.write_bytes(path.read_bytes()[:-1])
    assert checks()["files"]["ok"]
    assert "1 do not open" in checks("--deep")["files"]["detail"]
    path.unlink()
    found = checks()["files"]
    assert not found["ok"]
    assert "1 missing" in found["detail"]


def test_a_damaged_journal_and_a_quarantine_are_found(journal_folder: Path) -> None:
    (line, _other) = journal.append("erasure", [{"person": 1}, {"person": 2}])
    segment = next(journal_folder.glob("*.jsonl"))
    segment.write_text(segment.read_text().replace('"person":1', '"person":3'))
    assert f"Line {line.seq} of the journal was altered." == checks()["journal"]["detail"]
    segment.unlink()
    assert not checks()["quarantine"]["ok"]
    JournalMark.objects.all().delete()


def test_an_entry_that_nobody_would_replay_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(journal.replayers, "objection", raising=False)
    journal.append("objection", [{"person": 1}])
    assert checks()["journal"] == {"name": "journal", "ok": False, "detail": "1 lines; nobody replays: objection"}


@pytest.fixture
def log_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation with nothing but a log."""
    monkeypatch.setattr(settings, "VAR_DIR", tmp_path)
    monkeypatch.setattr(settings, "EMBEDDED_DATABASE", False)
    monkeypatch.setattr(settings, "EMBEDDED_BROKER", False)
    (tmp_path / "log").mkdir()
    yield tmp_path / "log"


WORD = "Müllerín-Kanarienvogel"


@pytest.mark.parametrize(
    "written",
    [
        WORD.encode(),
        WORD.encode().hex().encode(),
        WORD.encode("utf-16-le"),
        json.dumps({"name": WORD}).encode(),
        base64.b64encode(WORD.encode()),
        base64.b64encode(b"x" + WORD.encode() + b"yz"),
        base64.b64encode(b"xy" + WORD.encode() + b"z"),
        b"a" * (1024 * 1024 - 5) + WORD.encode(),
    ],
    ids=["plain", "hex", "utf-16", "json", "base64", "base64 after 1", "base64 after 2", "across blocks"],
)
def test_a_canary_is_found_in_every_form(log_folder: Path, written: bytes) -> None:
    assert checks("--canary", WORD)["canary"]["ok"]
    (log_folder / "web.log").write_bytes(b"one line\n" + written + b"\n")
    found = checks("--canary", WORD)["canary"]
    assert not found["ok"]
    assert "web.log" in found["detail"]


def test_a_canary_in_the_broker_is_found() -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.hset("obhut-test-canary", "name", WORD.encode())
        try:
            assert "broker" in checks("--canary", WORD)["canary"]["detail"]
        finally:
            broker.delete("obhut-test-canary")
    assert len(canary_forms(WORD)) == 10


def test_a_canary_in_a_value_that_postgresql_compresses_is_found(log_folder: Path) -> None:
    """More than two kilobytes of one text are packed, and no search through the files sees it."""
    Message.objects.create(
        template="enclosed", message_class="letter", message_id="<a@b.example>", context={"x": "ab" * 9000 + WORD}
    )
    found = checks("--canary", WORD)["canary"]
    assert (found["ok"], found["detail"]) == (False, "found in mail_message.context (1 rows)")


def test_every_app_can_add_a_question_and_one_that_breaks_is_a_finding() -> None:
    with diagnosis.registered_temporarily():
        diagnosis.register_check("points", lambda options: diagnosis.Finding(True, f"deep: {options.deep}"))
        diagnosis.register_check("broken", lambda options: 1 / 0)  # type: ignore[arg-type, return-value]
        found = checks("--deep")
    assert found["points"]["detail"] == "deep: True"
    assert found["broken"] == {"name": "broken", "ok": False, "detail": "could not be checked: ZeroDivisionError"}


def test_backups_end_after_35_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BACKUP_DIR", str(tmp_path))
    now = timezone.localtime()
    for days in (0, 34, 35, 36, 400):
        (tmp_path / (now - timedelta(days=days)).strftime(NAME)).touch()
    (tmp_path / "obhut-of-somebody.backup").touch()
    assert not checks()["backups"]["ok"]
    out = StringIO()
    call_command("backup", "--rotate", "--dry-run", "--json", stdout=out)
    assert json.loads(out.getvalue())["rotated"] == 2
    assert len(list(tmp_path.iterdir())) == 6
    rotate_backups()
    left = sorted(path.name for path in tmp_path.iterdir())
    # BACKUP: 35 days after it was made (domain.md 5); the 35th is its last day.
    assert left == sorted(
        [*((now - timedelta(days=days)).strftime(NAME) for days in (0, 34, 35)), "obhut-of-somebody.backup"]
    )
    assert checks()["backups"]["ok"]


def release(email: str) -> dict[str, Any]:
    out = StringIO()
    call_command("reapply_erasures", "--release", "--by", email, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_two_people_of_operations_or_privacy_release_on_the_command_line(agent: User, journal_folder: Path) -> None:
    for name, role in (("op", Role.OPERATOR), ("priv", Role.PRIVACY)):
        User.objects.create_user(f"{name}@obhut.example", name=name, roles=[role])
    JournalMark.objects.create(first=1, last=9, hash="0" * 64)
    assert quarantine.examine().reason == quarantine.LOST
    with pytest.raises(SystemExit) as waits:
        call_command("reapply_erasures", "--json", stdout=StringIO())
    assert waits.value.code == 3
    with pytest.raises(CommandError, match="operations or privacy"):
        release(agent.email)
    with pytest.raises(CommandError):
        call_command("reapply_erasures", "--release")
    nothing = {"replayed": 0, "already": 0, "failed": 0}
    assert release("op@obhut.example") == nothing | {"released": False}
    assert release("OP@obhut.example") == nothing | {"released": False}
    assert release("priv@obhut.example") == nothing | {"released": True}
    assert not quarantine.examine().active
