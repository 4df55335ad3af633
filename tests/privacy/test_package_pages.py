"""Making, reviewing and handing out packages: through the pages, the command and the stories behind them."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DataError, InterfaceError, OperationalError, connection
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, Note
from datamap.models import AccessLog
from privacy.models import Package, Redaction, Request
from privacy.packages import building, collecting, reviewing
from privacy.packages.building import NotProvidable, build, last_moment, provide
from privacy.packages.collecting import Reader
from privacy.packages.compiling import Statement, Wanted, reading
from privacy.packages.expiring import drop_strays, expire_packages
from privacy.packages.tasks import resume_packages
from staff.models import Role, User
from tests.orders.factories import make_customer
from tests.privacy.making import take
from tests.privacy.packaging import data_of, everything, files_of, make_colleague, make_person, make_shop
from vault.files import SealedFileStorage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _shop(db: None, eager: None) -> None:
    make_shop()


@pytest.fixture
def anna(db: None) -> Customer:
    return make_person(make_colleague("Martin Meier"), number="K-900")


@pytest.fixture
def officer(db: None) -> User:
    return User.objects.create_user("schutz@obhut.example", name="Dora Schutz", roles=[Role.PRIVACY])


def ordered(client: Client, customer: Customer, kind: str = "both") -> Package:
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = client.post(reverse("privacy:package_create", args=[customer.number]), {"kind": kind})
    assert answer.status_code == 302
    return Package.objects.get(uuid=answer["Location"].split("/")[-2])


def test_the_reviewer_reads_the_address_of_somebody_else_as_an_address(fresh, officer, anna) -> None:
    order = anna.orders.get()
    order.shipping = {"name": "Uli Bruck", "street": "Schloßstraße 95", "postcode": "19053", "city": "Schwerin"}
    order.gift_recipient = make_customer(number="K-901")
    order.save()
    package = build(anna, "access")
    page = fresh(officer).get(reverse("privacy:package_review", args=[package.uuid])).text
    assert "<mark>Uli Bruck, Schloßstraße 95, 19053, Schwerin</mark>" in page


def test_the_way_leads_from_the_package_back_to_the_request_that_it_answers(fresh, officer, anna) -> None:
    case = take(officer, customer=anna)
    package = build(anna, "access", request=case, user_id=officer.pk)
    shown = reverse("privacy:package", args=[package.uuid])
    assert reverse("privacy:request", args=[case.pk]) in fresh(officer).get(shown).text
    # The file of somebody erased is blocked with its end: no link leads to nothing.
    Request.objects.filter(pk=case.pk).update(blocked_at=timezone.now(), closed_at=timezone.now())
    assert reverse("privacy:request", args=[case.pk]) not in fresh(officer).get(shown).text


def test_one_click_makes_both_packages(fresh, officer, anna) -> None:
    client = fresh(officer)
    page = client.get(reverse("portal:customer_detail", args=[anna.number])).text
    assert reverse("privacy:package_create", args=[anna.number]) in page
    ordered(client, anna)
    made = {package.kind: package for package in Package.objects.all()}
    assert set(made) == {"access", "portability"}
    assert made["access"].state == Package.State.REVIEW
    assert made["portability"].state == Package.State.READY
    assert made["access"].asked_by == officer
    for name in ("packages",):
        assert client.get(reverse(f"privacy:{name}")).status_code == 200
    assert client.get(reverse("privacy:package", args=[made["access"].uuid])).status_code == 200


def test_only_the_privacy_role_makes_packages(manager_client, agent_client, outsider_client, anna) -> None:
    package = build(anna, "portability")
    for client in (manager_client, agent_client, outsider_client):
        assert client.post(reverse("privacy:package_create", args=[anna.number])).status_code == 403
        assert client.get(reverse("privacy:packages")).status_code == 403
        assert client.post(reverse("privacy:package_download", args=[package.uuid])).status_code == 403
        page = client.get(reverse("portal:customer_detail", args=[anna.number]))
        assert "/privacy/packages/" not in page.text
    assert Package.objects.count() == 1


def test_making_and_taking_out_ask_for_a_fresh_sign_in(signed_in, officer, anna) -> None:
    officer.set_password("korrekt-pferd-batterie")
    officer.save()
    client = signed_in(officer)
    package = build(anna, "portability")
    for url in (
        reverse("privacy:package_create", args=[anna.number]),
        reverse("privacy:package_download", args=[package.uuid]),
        reverse("privacy:package_link", args=[package.uuid]),
    ):
        answer = client.post(url)
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"]
    package.refresh_from_db()
    assert package.provided_at is None


def test_the_download_names_nobody_is_noted_and_starts_the_period(fresh, officer, anna) -> None:
    client = fresh(officer)
    package = ordered(client, anna, "portability")
    answer = client.post(reverse("privacy:package_download", args=[package.uuid]))
    content = b"".join(answer.streaming_content)
    assert answer["Content-Disposition"] == f'attachment; filename="export-{package.uuid}.zip"'
    assert answer["Cache-Control"] == "no-store"
    assert int(answer["Content-Length"]) == len(content) == package.bytes
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert AccessLog.objects.filter(
        page="privacy:package_download", customer_number="K-900", user_id=officer.pk
    ).exists()
    package.refresh_from_db()
    assert package.provided_at is not None
    # DSARPKG: fourteen days, the day itself not counted, gone on the day after.
    assert (timezone.localtime(package.expires_at).date() - timezone.localdate(package.provided_at)).days == 15


def test_a_package_that_names_others_waits_for_a_person(fresh, officer, anna) -> None:
    client = fresh(officer)
    Note.objects.create(customer=anna, text="Vetter Karl (karl@fremd.example) bürgt, Aktenzeichen Kranich")
    package = ordered(client, anna, "access")
    assert client.post(reverse("privacy:package_download", args=[package.uuid])).status_code == 409
    with pytest.raises(NotProvidable):
        provide(package)
    url = reverse("privacy:package_review", args=[package.uuid])
    page = client.get(url).text
    assert "<mark>karl@fremd.example</mark>" in page
    assert "Vetter Karl" in page
    mail = package.redactions.get(why=Redaction.Why.EMAIL)
    name = package.redactions.get(why=Redaction.Why.STAFF)
    file = package.redactions.get(why=Redaction.Why.FILE)
    client.post(url, {"near": mail.pk, f"words-{mail.pk}": "Kranich"})
    client.post(url, {"finish": "1", f"decision-{name.pk}": "release"})
    package.refresh_from_db()
    assert package.state == Package.State.REVIEW  # the file is not decided
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post(url, {"finish": "1", f"decision-{file.pk}": "redact"})
    package.refresh_from_db()
    assert package.state == Package.State.READY
    assert package.released_by == officer
    files = files_of(package)
    notes = {note["text"] for note in data_of(files, "data/notes.json")}
    assert notes == {
        "calls often, colleague M. Meier handled",  # shown, as decided
        "Vetter Karl ([geschwärzt]) bürgt, Aktenzeichen [geschwärzt]",
    }
    assert not any(path.startswith("attachments/") for path in files)
    assert b"".join(client.post(reverse("privacy:package_download", args=[package.uuid])).streaming_content)
    # The review is over, and what was decided holds for the next copy.
    assert client.post(url, {"finish": "1"}).status_code == 302
    assert client.get(url).status_code == 302
    assert not build(anna, "access").review_needed


def test_words_typed_to_be_blackened_never_go_out_whichever_button_is_pressed(fresh, officer, anna) -> None:
    client = fresh(officer)
    note = Note.objects.create(customer=anna, text="Nachbar Otto Krause nimmt an; karl@fremd.example auch")
    package = ordered(client, anna, "access")
    url = reverse("privacy:package_review", args=[package.uuid])
    mail = package.redactions.get(why=Redaction.Why.EMAIL)
    page = client.post(url, {f"words-{mail.pk}": "Otto Kruse", "finish": "1"}, follow=True)
    assert "Diese Wörter stehen dort nicht." in page.text
    package.refresh_from_db()
    assert package.state == Package.State.REVIEW  # a slip of the pen does not let the package go
    page = client.post(url, {f"words-{mail.pk}": "Otto Krause"}, follow=True)
    assert "Geschwärzt." in page.text
    by_hand = package.redactions.get(why=Redaction.Why.OWN)
    assert note.text[by_hand.begins : by_hand.ends] == "Otto Krause"
    assert "Gespeichert." in client.post(url, {f"decision-{mail.pk}": "redact"}, follow=True).text


def test_a_name_in_full_is_one_decision(officer, anna) -> None:
    make_colleague("Katharina Vogt")
    note = Note.objects.create(customer=anna, text="Kollegin Katharina Vogt weiß es, sonst Katharina Vogt, nie Vogt.")
    package = build(anna, "access")
    marked = package.redactions.filter(model="customers.Note", row=str(note.pk)).order_by("begins")
    assert [note.text[one.begins : one.ends] for one in marked] == ["Katharina Vogt", "Katharina Vogt", "Vogt"]
    [first, *_rest] = reviewing.passages(marked)
    assert first.where == "Notiz"


def test_a_decision_counts_for_the_words_it_was_made_about(officer, anna) -> None:
    package = build(anna, "access")
    reviewing.decide(package, {one.pk: "release" for one in package.redactions.all()}, officer.pk)
    note = anna.notes.get()
    note.text = "colleague M. Meier handled, Kollegin Frau Schmidt auch"
    note.save()
    again = build(anna, "access")
    assert again.review_needed
    assert (
        data_of(files_of(again), "data/notes.json")[0]["text"]
        == "colleague [geschwärzt] handled, Kollegin Frau [geschwärzt] auch"
    )


def test_a_package_after_its_day_is_gone(fresh, officer, anna) -> None:
    client = fresh(officer)
    package = build(anna, "access")
    stored = Path(package.file.storage.path(package.file.name))
    assert stored.exists()
    assert b"index.html" not in stored.read_bytes()  # sealed at rest
    Package.objects.filter(pk=package.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    for url in ("privacy:package_download", "privacy:package_review"):
        answer = client.post(reverse(url, args=[package.uuid]), {"finish": "1"})
        assert answer.status_code == 410
        assert "14 Tagen" in answer.text
    assert client.get(reverse("privacy:package", args=[package.uuid])).status_code == 200
    assert expire_packages() == 1
    assert not stored.exists()
    package.refresh_from_db()
    assert (package.state, package.file.name, package.redactions.count()) == (Package.State.EXPIRED, "", 0)
    assert expire_packages() == 0


def test_a_package_nobody_fetches_ends_as_well(anna) -> None:
    package = build(anna, "portability")
    assert package.expires_at == last_moment(package.built_at)
    assert 14 < (package.expires_at - package.built_at).total_seconds() / 86400 <= 15


def test_files_that_no_package_names_are_swept_after_a_day(anna, tmp_path, monkeypatch) -> None:
    package = build(anna, "portability")
    storage: SealedFileStorage = package.file.storage
    stray = storage.save("x", io.BytesIO(b"x"))
    old = timezone.now().timestamp() - 90_000
    for name in (stray, package.file.name):
        os.utime(storage.path(name), (old, old))
    assert drop_strays() == 1
    assert storage.exists(package.file.name)
    assert not storage.exists(stray)


def test_the_one_time_link_opens_once(fresh, officer, anna, client) -> None:
    package = build(anna, "portability")
    page = fresh(officer).post(reverse("privacy:package_link", args=[package.uuid])).text
    url = "/privacy/get/" + page.partition("/privacy/get/")[2].partition("<")[0]
    assert client.get(url).status_code == 200  # looking spends nothing: mail scanners look
    shown = client.get(url)
    assert shown["Referrer-Policy"] == "same-origin"  # no other site learns the address
    assert "Laden am Deich GmbH" in shown.text  # the person knows the shop, not the portal
    answer = client.post(url)
    assert len(b"".join(answer.streaming_content)) == package.bytes
    assert client.post(url).status_code == 404
    assert client.get(url).status_code == 404
    made_up = client.get("/privacy/get/nonsense/")
    assert made_up.status_code == 404
    assert "Laden am Deich GmbH" in made_up.text


def test_a_link_after_the_day_says_so(fresh, officer, anna, client) -> None:
    package = build(anna, "portability")
    page = fresh(officer).post(reverse("privacy:package_link", args=[package.uuid])).text
    url = "/privacy/get/" + page.partition("/privacy/get/")[2].partition("<")[0]
    Package.objects.filter(pk=package.pk).update(expires_at=timezone.now())
    assert client.get(url).status_code == 410
    assert client.post(url).status_code == 410


def test_a_restricted_person_gets_a_copy(fresh, officer, anna) -> None:
    Customer.objects.filter(pk=anna.pk).update(restricted_at=timezone.now())
    assert ordered(fresh(officer), anna, "portability").state == Package.State.READY


def test_bad_input_makes_nothing(fresh, officer, anna) -> None:
    client = fresh(officer)
    assert client.post(reverse("privacy:package_create", args=[anna.number]), {"kind": "all"}).status_code == 422
    assert client.post(reverse("privacy:package_create", args=["gibtsnicht"])).status_code == 404
    assert client.get(reverse("privacy:package", args=[uuid4()])).status_code == 404
    assert not Package.objects.exists()


# --- Faults ----------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_nothing_and_can_be_tried_again(fresh, officer, anna, monkeypatch) -> None:
    """Fault 17, with the error the system gives when a device is full."""
    real = os.fsync

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("vault.files.os.fsync", full)
    client = fresh(officer)
    with pytest.raises(OSError):
        build(anna, "access")
    package = Package.objects.get()
    assert (package.state, package.failure, package.file.name) == (Package.State.FAILED, "disk", "")
    root = Path(package.file.storage.path(""))
    assert not list(root.rglob(".draft-*"))
    assert not package.redactions.exists()
    assert "kein Platz" in client.get(reverse("privacy:package", args=[package.uuid])).text
    monkeypatch.setattr("vault.files.os.fsync", real)
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post(reverse("privacy:package_again", args=[package.uuid]))
    package.refresh_from_db()
    assert package.state == Package.State.REVIEW


def test_a_package_whose_worker_died_is_built_by_the_next_sweep(anna) -> None:
    package = building.ask(anna, "portability")
    lease = building._claim(package.pk)
    assert lease
    assert building.work_on(package.pk) is None  # the lease is another's
    Package.objects.filter(pk=package.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    resume_packages()
    package.refresh_from_db()
    assert package.state == Package.State.READY
    assert building.work_on(package.pk) is None


def test_a_package_that_kills_its_workers_ends_as_failed(anna) -> None:
    package = building.ask(anna, "portability")
    Package.objects.filter(pk=package.pk).update(attempts=building.MOST_ATTEMPTS)
    assert building.work_on(package.pk).state == Package.State.FAILED


def test_a_statement_that_fails_fails_the_package_and_not_the_connection(
    anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ordered ahead, it fails while something else is worked with."""

    def broken(wanted: Wanted, blocked: bool) -> Statement:
        found = reading(wanted, blocked)
        fails = wanted.section.label == "customers.HistoricalCustomer"
        return replace(found, sql=found.sql.replace("WHERE", "WHERE 1 / 0 = 1 AND", 1)) if fails else found

    monkeypatch.setattr(collecting, "reading", broken)
    with pytest.raises(DataError):
        building.build(anna, "access")
    failed = Package.objects.get()
    assert (failed.state, failed.failure, bool(failed.file)) == (Package.State.FAILED, "DataError", False)
    monkeypatch.undo()
    assert building.again(failed)
    assert building.work_on(failed.pk).state == Package.State.REVIEW


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("chunks", [1, 5, 20])
def test_a_package_whose_database_went_away_is_built_by_the_next_sweep(
    anna: Customer, chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the loss shows: as something is ordered ahead, taken in, or asked beside."""
    usual, told = Reader._read, []

    def read(*given: Any) -> Any:
        told.append(given)
        if len(told) == chunks:
            at, process = connection.get_connection_params(), connection.connection.info.backend_pid
            with psycopg.connect(host=at["host"], user=at["user"], dbname=at["dbname"]) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        return usual(*given)

    monkeypatch.setattr(Reader, "_read", read)
    wanted = building.ask(anna, "access")
    with pytest.raises((OperationalError, InterfaceError)):
        building.work_on(wanted.pk)
    monkeypatch.undo()
    wanted.refresh_from_db()
    assert (wanted.state, wanted.failure) == (Package.State.BUILDING, "")
    Package.objects.filter(pk=wanted.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    built = building.work_on(wanted.pk)
    assert built is not None
    assert built.state == Package.State.REVIEW


# --- The command -----------------------------------------------------------------------------------------------


def exported(number: str, output: Path, kind: str = "access") -> dict[str, Any]:
    out = io.StringIO()
    call_command("export_person", number, kind=kind, output=output, json=True, stdout=out)
    return json.loads(out.getvalue())


def test_the_command_writes_the_package_and_says_what_it_is(anna, tmp_path) -> None:
    output = tmp_path / "anna.zip"
    said = exported("K-900", output)
    package = Package.objects.get()
    assert said == {
        "package": str(package.uuid),
        "kind": "access",
        "path": str(output),
        "files": len(files_of(package)),
        "bytes": output.stat().st_size,
        "review_needed": True,
    }
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert "Meier" not in everything(files_of(package))
    assert not exported("K-900", tmp_path / "p.zip", "portability")["review_needed"]
    assert exported("K-900", output)["bytes"]  # the same file again


def test_the_command_refuses_who_is_unknown_and_a_place_that_is_none(anna, tmp_path) -> None:
    for number, output in (
        ("K-1", tmp_path / "x.zip"),
        (str(uuid4()), tmp_path / "x.zip"),
        ("K-900", tmp_path / "no" / "x"),
    ):
        with pytest.raises(CommandError) as refused:
            exported(number, output)
        assert refused.value.returncode == 2
    assert list(tmp_path.iterdir()) == []
    assert not Package.objects.exists()


def test_former_versions_are_looked_through_as_well(fresh, officer, anna) -> None:
    contact = anna.interactions.get()
    contact.content = "Meier fragt nach"
    contact.save()
    contact.content = "erledigt"
    contact.save()
    package = build(anna, "access")
    past = package.redactions.filter(model="interactions.HistoricalInteraction")
    assert past.count() == 1
    page = fresh(officer).get(reverse("privacy:package_review", args=[package.uuid])).text
    assert "<mark>Meier</mark> fragt nach" in page
