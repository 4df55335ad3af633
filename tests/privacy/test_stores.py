"""Stores outside the tables confirm an erasure each for itself; one that answers with an error keeps the case open."""

from __future__ import annotations

import base64
import json
import os
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone
from openpyxl import Workbook

from customers.models import Customer
from datamap.declarations import registry
from intake.models import Batch
from interactions.models import Attachment
from privacy.erasing import ask_erasure, result_of, run_erasure
from privacy.models import Erasure
from privacy.purging import plan_run, work
from tests.privacy.making import make_contact, make_person

pytestmark = pytest.mark.django_db

HEADER = "Kundennummer,Vorname,E-Mail"


@pytest.fixture
def alma() -> Customer:
    return make_person("4711")


def csv(*addresses: str, encoding: str = "utf-8") -> bytes:
    rows = [f"{number},Vor{number},{address}" for number, address in enumerate(addresses)]
    return "\r\n".join([HEADER, *rows]).encode(encoding)


def sheet(*addresses: str) -> bytes:
    book = Workbook()
    page: Any = book.active
    page.append(HEADER.split(","))
    for number, address in enumerate(addresses):
        page.append([number, f"Vor{number}", address])
    packed = BytesIO()
    book.save(packed)
    return packed.getvalue()


def brought(content: bytes, state: str = "done", lines: bytes = b"") -> Batch:
    batch = Batch(kind="customers", profile="plain", state=state, header=HEADER.split(","), counts={"created": 2})
    batch.file.save("file", ContentFile(content), save=False)
    if lines:
        batch.lines_file.save("file", ContentFile(lines), save=False)
    batch.save()
    return batch


def error_of(erasure: Erasure, key: str) -> str:
    return erasure.steps.get(key=key, state="failed").error


def test_every_store_that_can_forget_somebody_is_asked_and_the_others_say_why_not(alma: Customer) -> None:
    erasure = run_erasure(ask_erasure(alma).pk)
    assert erasure.state == Erasure.State.DONE
    asked = set(erasure.steps.filter(key__startswith="store:", state="done").values_list("key", flat=True))
    assert asked == {"store:intake.files", "store:ops.broker", "store:ops.mail_spool"}
    for store in registry.stores():
        assert store.erase is not None or store.note, store.key
    # They come after the rows, and before the search for what is left (design.md 5).
    order = list(erasure.steps.order_by("at").values_list("key", flat=True))
    assert order.index("rows") < order.index("store:intake.files") < order.index("rescan")


# --- files of imports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        csv("bert@laden.example", "Alma4711@Laden.example"),
        csv(*(f"k{n}@laden.example" for n in range(60_000)), "alma4711@laden.example"),
        csv("alma4711@laden.example", encoding="utf-16"),
        sheet("bert@laden.example", "ALMA4711@laden.example"),
    ],
    ids=["text", "at the end of a large file", "UTF-16", "spreadsheet"],
)
def test_an_import_file_that_names_the_person_goes_and_the_counts_stay(alma: Customer, content: bytes) -> None:
    named, lines = brought(content), brought(csv("bert@laden.example"), lines=content)
    other = brought(csv("bert@laden.example", "almaalma@laden.example"))
    paths = [Path(batch.file.path) for batch in (named, lines, other)]
    erasure = run_erasure(ask_erasure(alma).pk)
    assert erasure.state == Erasure.State.DONE
    assert erasure.steps.get(key="store:intake.files").count == 2
    assert [path.exists() for path in paths] == [False, False, True]
    named.refresh_from_db()
    assert (named.file.name, named.header, named.counts) == ("", [], {"created": 2})
    other.refresh_from_db()
    assert other.file and other.header


def test_a_file_that_is_being_read_keeps_the_case_open_until_the_import_is_done(alma: Customer) -> None:
    batch = brought(csv("alma4711@laden.example"), state="running")
    erasure = run_erasure(ask_erasure(alma).pk)
    assert (erasure.state, error_of(erasure, "store:intake.files")) == (Erasure.State.OPEN_STORES, "StillRead")
    assert not Customer.objects.exists()
    assert not result_of(erasure)["complete"]
    Batch.objects.filter(pk=batch.pk).update(state="done")
    done = run_erasure(erasure.pk)
    assert done.state == Erasure.State.DONE and result_of(done)["receipt"] == str(erasure.receipt)
    assert not Path(batch.file.path).exists()


def test_a_file_that_lies_on_another_machine_is_no_confirmation(alma: Customer) -> None:
    batch = brought(csv("bert@laden.example"))
    path = Path(batch.file.path)
    path.rename(path.with_name("elsewhere"))
    erasure = run_erasure(ask_erasure(alma).pk)
    assert (erasure.state, error_of(erasure, "store:intake.files")) == (Erasure.State.OPEN_STORES, "UnreadableFile")
    path.with_name("elsewhere").rename(path)
    assert run_erasure(erasure.pk).state == Erasure.State.DONE


# --- the broker ---------------------------------------------------------------------------------------------


def test_a_broker_that_does_not_answer_keeps_the_case_open(alma: Customer, settings: Any) -> None:
    address = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    erasure = run_erasure(ask_erasure(alma).pk)
    assert (erasure.state, error_of(erasure, "store:ops.broker")) == (Erasure.State.OPEN_STORES, "ConnectionError")
    assert not Customer.objects.exists()  # the rest is done
    settings.REDIS_URL = address
    assert run_erasure(erasure.pk).state == Erasure.State.DONE
    assert erasure.steps.get(key="store:ops.broker").attempts == 2


def test_a_cached_value_that_names_the_person_goes_and_a_message_is_shown_to_somebody() -> None:
    # Of a number of their own: tests beside this one erase their people with the same broker.
    person = make_person(uuid4().hex)
    (address,) = person.contact_points.filter(kind="email").values_list("value", flat=True)
    value, message = f"obhut-test-{uuid4()}", f"obhut-test-{uuid4()}"
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.set(value, json.dumps({"to": address}), ex=60)
        broker.rpush(message, base64.b64encode(address.encode()))
        try:
            erasure = run_erasure(ask_erasure(person).pk)
            assert (erasure.state, error_of(erasure, "store:ops.broker")) == (Erasure.State.OPEN_STORES, "TraceLeft")
            assert not broker.exists(value) and broker.exists(message)
        finally:
            broker.delete(value, message)
    assert run_erasure(erasure.pk).state == Erasure.State.DONE


# --- mails written to files in development ------------------------------------------------------------------


@pytest.fixture
def spool(tmp_path: Path, settings: Any) -> Path:
    settings.EMAIL_FILE_PATH = str(tmp_path)
    return tmp_path


def mail_to(address: str) -> None:
    with get_connection("django.core.mail.backends.filebased.EmailBackend") as line:
        line.send_messages([EmailMessage("Hallo", "Guten Tag", "shop@laden.example", [address])])


def test_a_spooled_mail_to_the_person_goes(alma: Customer, spool: Path) -> None:
    mail_to("alma4711@laden.example")
    (first,) = spool.iterdir()
    first.rename(spool / f"1-{first.name}")  # the next mail of the same second may get the same name
    mail_to("bert@laden.example")
    erasure = run_erasure(ask_erasure(alma).pk)
    assert erasure.steps.get(key="store:ops.mail_spool").count == 1
    (left,) = spool.iterdir()
    assert "bert@laden.example" in left.read_text()


def test_spooled_mails_end_after_30_days_with_the_run_of_the_night(spool: Path) -> None:
    for days in (29, 30, 31):
        mail_to(f"k{days}@laden.example")
        (found,) = [path for path in spool.iterdir() if f"k{days}@" in path.read_text()]
        # The next mail of the same second may get the same name, and would be put behind this one.
        newest = found.rename(spool / f"{days}-{found.name}")
        written = (timezone.localtime() - timedelta(days=days)).timestamp()
        os.utime(newest, (written, written))
    run = plan_run(timezone.localdate(), only="IMPORT")
    work(run.pk)
    # IMPORT: 30 days; the thirtieth is the last (C3).
    left = "".join(path.read_text() for path in spool.iterdir())
    assert "k29@" in left and "k30@" in left and "k31@" not in left
    assert run.log.get(model="ops.mail_spool").count == 1


# --- files of rows ------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_removed_keeps_the_case_open(alma: Customer) -> None:
    contact = make_contact(alma, "2026-01-10")
    photo = Attachment(interaction=contact, name="foto.jpg", content_type="image/jpeg", size=3)
    photo.file.save("foto", ContentFile(b"abc"))
    path = Path(photo.file.path)
    path.unlink()
    path.mkdir()  # as a disk that gives errors
    erasure = run_erasure(ask_erasure(alma, as_of=date(2026, 11, 24)).pk)
    assert (erasure.state, error_of(erasure, "files")) == (Erasure.State.OPEN_STORES, "IsADirectoryError")
    path.rmdir()
    assert run_erasure(erasure.pk).state == Erasure.State.DONE
