"""The pages of an import, from the file to the undo; who may, who may not; pressed twice, come too late."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from config.celery import app as celery_app
from customers.models import Customer
from intake.models import Batch, BatchProblem, SavedMapping
from intake.tasks import expire_files
from intake.uploading import take_in
from orders.models import Order
from staff.models import Role, User
from tests.intake.conftest import HEADER, customers_csv

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def worker_in_this_process() -> Iterator[None]:
    """Tasks run where they are asked for; the real worker has a test of its own."""
    before = celery_app.conf.task_always_eager
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = before


def upload(client: Client, content: bytes, kind: str = "customers", name: str = "Kunden Mueller.csv", **more: Any):
    data = {"kind": kind, "file": SimpleUploadedFile(name, content), **more}
    return client.post(reverse("intake:upload"), data)


def columns_post(batch: Batch, **chosen: str) -> dict[str, str]:
    places = {name: place for place, name in enumerate(batch.header)}
    fields = {f"column-{places[name]}": target for name, target in chosen.items()}
    return {"profile": batch.profile, "version": str(batch.version), **fields}


PLAIN = {
    "Kundennummer": "external_id", "Vorname": "first_name", "Nachname": "last_name", "E-Mail": "email", "Ort": "city",
}  # fmt: skip


def test_a_recognized_file_goes_from_upload_to_undo(manager_client: Client, shared_data: Path) -> None:
    content = (shared_data / "csv" / "shopify_customers_export.v2026_apostrophes.csv").read_bytes()
    answer = upload(manager_client, content)
    batch = Batch.objects.get()
    assert (answer.status_code, batch.profile) == (302, "shopify_customers")
    page = manager_client.get(reverse("intake:columns", args=[batch.pk]))
    assert "Geburtsdatum (customer.metafields.facts.birth_date)" in page.content.decode()
    chosen = {"Geburtsdatum (customer.metafields.facts.birth_date)": "birthday"}
    manager_client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **chosen))
    batch.refresh_from_db()
    assert (batch.state, batch.preview["created"], batch.rows) == (Batch.State.CHECKED, 6, 6)
    assert Customer.objects.count() == 0
    assert manager_client.get(reverse("intake:detail", args=[batch.pk])).status_code == 200
    start = {"version": str(batch.version)}
    manager_client.post(reverse("intake:start", args=[batch.pk]), start)
    batch.refresh_from_db()
    assert (batch.state, batch.counts["created"], batch.position) == (Batch.State.DONE, 6, 6)
    assert (Customer.objects.get(last_name="Müller").birthday_month, Customer.objects.count()) == (2, 6)
    # The button pressed twice starts nothing twice.
    again = manager_client.post(reverse("intake:start", args=[batch.pk]), start)
    assert (again.status_code, Customer.objects.count()) == (302, 6)
    page = manager_client.get(reverse("intake:undo", args=[batch.pk]))
    assert page.context["plan"]["removed"] == 6
    assert Customer.objects.count() == 6
    manager_client.post(reverse("intake:undo", args=[batch.pk]), {"version": str(batch.version)})
    batch.refresh_from_db()
    assert (batch.state, batch.undo["removed"], Customer.objects.count()) == (Batch.State.UNDONE, 6, 0)
    assert manager_client.get(reverse("intake:detail", args=[batch.pk])).status_code == 200
    assert manager_client.get(reverse("intake:list")).status_code == 200


def test_each_row_of_a_file_is_told_in_one_of_the_figures(manager_client: Client) -> None:
    header, first, second = customers_csv(2).splitlines()
    upload(manager_client, "\n".join([header, first, second, first, "kaputt"]).encode())
    batch = Batch.objects.get()
    manager_client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **PLAIN))
    page = manager_client.get(reverse("intake:detail", args=[batch.pk])).content.decode()
    told = [int(figure) for figure in re.findall(r"<dt>[^<]+</dt><dd>(\d+)</dd>", page)]
    # Rows; new, changed, unchanged, of earlier rows, rejected, held; what is past its last day is told once more.
    assert told == [4, 2, 0, 0, 1, 1, 0, 0]


def test_a_file_of_which_nothing_would_come_in_asks_what_its_columns_mean(manager_client: Client) -> None:
    for day, asks in (("2026-01-05", False), ("eilig", True)):
        upload(manager_client, f"Nr,Tag,Betrag\n1,{day},5.00\n".encode(), "orders")
        batch = Batch.objects.order_by("created_at").last()
        columns = {"Nr": "external_id", "Tag": "placed_at", "Betrag": "total"}
        manager_client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **columns))
        page = manager_client.get(reverse("intake:detail", args=[batch.pk])).content.decode()
        assert ("Bedeuten die Spalten" in page) is asks


def test_a_plain_file_asks_for_its_columns_and_remembers_them(manager_client: Client) -> None:
    upload(manager_client, customers_csv(2).encode())
    batch = Batch.objects.get()
    assert batch.profile == "plain"
    manager_client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **PLAIN))
    batch.refresh_from_db()
    assert (batch.state, batch.preview["created"]) == (Batch.State.CHECKED, 2)
    assert SavedMapping.objects.count() == 1
    upload(manager_client, customers_csv(2, first=7).encode())
    second = Batch.objects.order_by("-created_at").first()
    page = manager_client.get(reverse("intake:columns", args=[second.pk]))
    assert {column.name: column.target for column in page.context["columns"] if column.target} == PLAIN


def test_orders_and_their_lines_come_in_two_files(manager_client: Client) -> None:
    lines = SimpleUploadedFile("lines.csv", b"Bestellung,Art,Preis\n1,a,5.00\n1,b,2.50\n")
    upload(manager_client, b"Nr,Datum\n1,2026-01-01\n", "orders", lines_file=lines)
    batch = Batch.objects.get()
    data = columns_post(batch, Nr="external_id", Datum="placed_at")
    data |= {"line-0": "order_external_id", "line-1": "sku", "line-2": "unit_price"}
    manager_client.post(reverse("intake:columns", args=[batch.pk]), data)
    batch.refresh_from_db()
    assert (batch.state, batch.preview["created"], batch.preview["lines"]) == (Batch.State.CHECKED, 1, 2)


def test_the_columns_of_a_wide_file_that_mean_nothing_are_folded_away(manager_client: Client) -> None:
    extra = [f"Feld {n}" for n in range(40)]
    text = ";".join(["Vorname", "E-Mail", *extra]) + "\n" + ";".join(["Änne", "a@laden.example", *"x" * 40]) + "\n"
    upload(manager_client, text.encode())
    batch = Batch.objects.get()
    page = manager_client.get(reverse("intake:columns", args=[batch.pk]))
    told, rest = page.context["parts"]
    assert ([column.name for column in told], [column.name for column in rest]) == (["Vorname", "E-Mail"], extra)
    html = page.content.decode()
    assert html.count('<details class="mt-3">') == 1
    # Folded or not, every column may be given a meaning, and the form sends it.
    chosen = columns_post(batch, **{"Vorname": "first_name", "E-Mail": "email", "Feld 7": "city"})
    assert manager_client.post(reverse("intake:columns", args=[batch.pk]), chosen).status_code == 302
    batch.refresh_from_db()
    assert batch.mapping == {"first_name": "Vorname", "email": "E-Mail", "city": "Feld 7"}


def test_one_target_for_two_columns_is_refused(manager_client: Client) -> None:
    upload(manager_client, customers_csv(1).encode())
    batch = Batch.objects.get()
    chosen = {"Kundennummer": "email", "E-Mail": "email"}
    answer = manager_client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **chosen))
    assert answer.status_code == 422
    batch.refresh_from_db()
    assert batch.state == Batch.State.UPLOADED


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"a,b,a\n1,2,3\n", b"%PDF-1.7", b"a@b.de,Ida\n"])
def test_a_file_that_cannot_be_read_is_not_stored(manager_client: Client, sealed_root: Path, content: bytes) -> None:
    assert upload(manager_client, content).status_code == 422
    assert Batch.objects.count() == 0
    assert not [path for path in sealed_root.rglob("*") if path.is_file()]


def test_a_file_beyond_the_limit_is_refused(manager_client: Client, settings: Any) -> None:
    settings.INTAKE_MAX_BYTES = 100
    assert upload(manager_client, customers_csv(50).encode()).status_code == 422
    assert Batch.objects.count() == 0


def test_too_many_rows_stop_the_check(manager_client: Client, settings: Any) -> None:
    settings.INTAKE_MAX_ROWS = 10
    upload(manager_client, customers_csv(50).encode())
    batch = Batch.objects.get()
    manager_client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **PLAIN))
    batch.refresh_from_db()
    assert (batch.state, bool(batch.failure)) == (Batch.State.FAILED, True)


def test_files_lie_sealed_under_names_that_say_nothing(manager_client: Client, sealed_root: Path) -> None:
    upload(manager_client, customers_csv(3).encode())
    files = [path for path in sealed_root.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert "Mueller" not in files[0].name
    assert b"kunde1@example.com" not in files[0].read_bytes()
    page = manager_client.get(reverse("intake:list"))
    assert "Mueller" not in page.content.decode()


def test_files_are_deleted_after_thirty_days_and_the_counts_stay(manager_client: Client, sealed_root: Path) -> None:
    upload(manager_client, customers_csv(3).encode())
    batch = Batch.objects.get()
    batch.created_at = batch.created_at.replace(year=batch.created_at.year - 1)
    batch.save()
    expire_files()
    batch.refresh_from_db()
    assert (batch.file.name, batch.file_name) == ("", "")
    assert not [path for path in sealed_root.rglob("*") if path.is_file()]


def test_an_upload_that_cannot_be_noted_leaves_no_file(sealed_root: Path) -> None:
    file, lines = (SimpleUploadedFile(f"{name}.csv", b"Nr,Datum\n1,2026-01-01\n") for name in "ab")
    with pytest.raises(IntegrityError):
        take_in("orders", file, lines, user_id=2**40)
    assert not [path for path in sealed_root.rglob("*") if path.is_file()]


def test_files_that_no_batch_names_are_swept_after_a_day(manager_client: Client) -> None:
    upload(manager_client, customers_csv(1).encode())
    batch = Batch.objects.get()
    storage = batch.file.storage
    old, young = (storage.save("x", ContentFile(b"x")) for _n in range(2))
    draft = Path(storage.path(old)).with_name(".draft-x")
    draft.write_bytes(b"")
    past = (timezone.now() - timedelta(days=2)).timestamp()
    for path in (draft, storage.path(old), batch.file.path):
        os.utime(path, (past, past))
    expire_files()
    assert (storage.exists(old), storage.exists(young), storage.exists(str(batch.file))) == (False, True, True)
    assert not draft.exists()


def test_what_was_told_from_a_file_goes_with_it_also_where_a_command_read_it() -> None:
    batch = Batch.objects.create(
        kind="customers",
        state=Batch.State.UNDONE,
        created_at=timezone.now() - timedelta(days=31),
        header=["Nr", "Ort"],
        mapping={"external_id": "Nr"},
        preview={"rows": 2, "created": 2, "unused": ["Ort"], "refused": []},
        counts={"rows": 2},
        failure="The file has no column “Nr”.",
        undo={"removed": 1, "restored": 0, "left": [{"model": "customers.Customer", "id": "10482"}], "left_count": 1},
    )
    BatchProblem.objects.create(batch=batch, severity="error", line=2, field="Ort", message="x")
    young = Batch.objects.create(kind="customers", header=["Nr"])
    expire_files()
    batch.refresh_from_db()
    young.refresh_from_db()
    assert (batch.header, batch.mapping, batch.failure, batch.undo["left"]) == ([], {}, "", [])
    assert (batch.preview, batch.counts) == ({"rows": 2, "created": 2}, {"rows": 2})
    assert (batch.undo["removed"], batch.undo["left_count"]) == (1, 1)
    assert not batch.problems.exists()
    assert young.header == ["Nr"]
    assert not Batch.objects.with_expired_files().exists()


def test_a_file_may_be_thrown_away_before_it_is_imported(manager_client: Client, sealed_root: Path) -> None:
    upload(manager_client, customers_csv(3).encode())
    manager_client.post(reverse("intake:discard", args=[Batch.objects.get().pk]))
    assert Batch.objects.count() == 0
    assert not [path for path in sealed_root.rglob("*") if path.is_file()]


def test_a_stale_form_changes_nothing(manager_client: Client) -> None:
    upload(manager_client, customers_csv(2).encode())
    batch = Batch.objects.get()
    stale = columns_post(batch, **PLAIN) | {"version": "99"}
    assert manager_client.post(reverse("intake:columns", args=[batch.pk]), stale).status_code == 409
    for version in ("", "x", "-1", "99999999999999999999"):
        answer = manager_client.post(reverse("intake:start", args=[batch.pk]), {"version": version})
        assert answer.status_code == 409
    batch.refresh_from_db()
    assert (batch.state, batch.mapping) == (Batch.State.UPLOADED, {})


def test_rejected_rows_can_be_fetched_as_a_file(manager_client: Client) -> None:
    upload(manager_client, (customers_csv(2) + "K3,cut\n").encode())
    batch = Batch.objects.get()
    manager_client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **PLAIN))
    answer = manager_client.get(reverse("intake:problems", args=[batch.pk]))
    text = b"".join(answer.streaming_content).decode()
    assert '"4"' in text
    assert "K3" not in text
    assert "attachment" in answer["Content-Disposition"]


def test_progress_goes_on_without_javascript(manager_client: Client) -> None:
    batch = Batch.objects.create(kind="customers", profile="plain", state=Batch.State.RUNNING, rows=10, position=5)
    page = manager_client.get(reverse("intake:detail", args=[batch.pk]))
    assert page["Refresh"]
    part = manager_client.get(reverse("intake:detail", args=[batch.pk]), headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert b'value="50"' in part.content
    # The chip beside the heading follows, which stands outside what is fetched again.
    assert re.search(r'id="import-chip"[^>]*>.*läuft', page.content.decode())
    assert re.search(r'id="import-chip" hx-swap-oob="true">.*läuft', part.content.decode())


def test_the_figures_of_the_list_are_grouped(manager_client: Client) -> None:
    Batch.objects.create(
        kind="orders", profile="cdnow", state=Batch.State.DONE, rows=69_659, counts={"created": 69_659}
    )
    page = manager_client.get(reverse("intake:list")).content.decode()
    assert page.count(">69.659</td>") == 2


PAGES = ["detail", "columns", "undo", "start", "discard", "problems"]


def test_only_who_may_import_gets_in(
    manager_client: Client, agent_client: Client, outsider_client: Client, client: Client
) -> None:
    batch = Batch.objects.create(kind="customers", profile="plain", header=HEADER.split(","))
    for name in ("list", "upload"):
        assert manager_client.get(reverse(f"intake:{name}")).status_code == 200
    addresses = [reverse("intake:list"), reverse("intake:upload")]
    addresses += [reverse(f"intake:{name}", args=[batch.pk]) for name in PAGES]
    for address in addresses:
        for method in ("get", "post"):
            for person in (agent_client, outsider_client):
                assert getattr(person, method)(address).status_code in (403, 405), address
            assert getattr(client, method)(address).status_code in (302, 405), address
    batch.refresh_from_db()
    assert (batch.state, Batch.objects.count()) == (Batch.State.UPLOADED, 1)


def test_who_may_see_no_customers_sees_no_files_of_them(signed_in: Callable[[User], Client]) -> None:
    operator = User.objects.create_user("operator@obhut.example", name="Operator", roles=[Role.OPERATOR])
    assert signed_in(operator).get(reverse("intake:list")).status_code == 403


def test_an_import_that_is_not_there_is_not_found(manager_client: Client) -> None:
    for name in ("detail", "columns", "undo", "problems"):
        address = reverse(f"intake:{name}", args=["00000000-0000-4000-8000-000000000000"])
        assert manager_client.get(address).status_code == 404


def test_the_list_asks_as_much_for_fifty_imports_as_for_two(manager_client: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert manager_client.get(reverse("intake:list")).status_code == 200
        return len(queries)

    Batch.objects.bulk_create(Batch(kind="customers", profile="plain", state="done") for _n in range(2))
    asked()
    few = asked()
    Batch.objects.bulk_create(Batch(kind="customers", profile="plain", state="done") for _n in range(58))
    assert asked() == few
    page = manager_client.get(reverse("intake:list"))
    assert len(page.context["rows"]) == 50
    older = manager_client.get(reverse("intake:list") + page.context["next_url"])
    assert len(older.context["rows"]) == 10


AMOUNTS = "Nr;Datum;Summe\n1;1.2.2026;1.234\n2;1.2.2026;2.500,50\n3;1.2.2026;7,90\n"
ORDERS = {"Nr": "external_id", "Datum": "placed_at", "Summe": "total"}


def checked(client: Client, batch: Batch, columns: dict[str, str], **options: str) -> Batch:
    batch.refresh_from_db()
    client.post(reverse("intake:columns", args=[batch.pk]), columns_post(batch, **columns) | options)
    batch.refresh_from_db()
    return batch


def test_how_amounts_are_written_is_chosen_beside_the_columns_and_kept(manager_client: Client) -> None:
    upload(manager_client, AMOUNTS.encode(), "orders")
    batch = checked(manager_client, Batch.objects.get(), ORDERS)
    assert (batch.preview["created"], batch.preview["error_count"]) == (2, 1)
    (problem,) = batch.problems.all()
    assert (problem.line, problem.field) == (2, "Summe")
    assert "Tausend" in problem.message
    assert problem.message in manager_client.get(reverse("intake:detail", args=[batch.pk])).content.decode()

    batch = checked(manager_client, batch, ORDERS, decimals="comma")
    assert (batch.preview["created"], batch.preview["error_count"]) == (3, 0)
    manager_client.post(reverse("intake:start", args=[batch.pk]), {"version": str(batch.version)})
    totals = Order.objects.order_by("external_id").values_list("total", flat=True)
    assert list(totals) == [Decimal("1234.00"), Decimal("2500.50"), Decimal("7.90")]

    upload(manager_client, AMOUNTS.encode(), "orders")
    second = Batch.objects.order_by("-created_at").first()
    assert second
    page = manager_client.get(reverse("intake:columns", args=[second.pk]))
    assert [(option.name, value) for option, value in page.context["options"]] == [("decimals", "comma")]
    assert '<option value="comma" selected>' in page.content.decode()
    # Written the other way, all of it is refused rather than read wrongly.
    assert checked(manager_client, second, ORDERS, decimals="point").preview["error_count"] == 2


def test_whose_customer_numbers_they_are_is_chosen_beside_the_columns(manager_client: Client) -> None:
    Customer.objects.create(number="10001", last_name="Muster", first_name="Mia")
    upload(manager_client, b"Kundennr;Nachname;Vorname\n10001;Mustermann;Mia\n")
    columns = {"Kundennr": "number", "Nachname": "last_name", "Vorname": "first_name"}
    batch = checked(manager_client, Batch.objects.get(), columns)
    assert (batch.preview["created"], batch.preview["updated"]) == (1, 0)
    batch = checked(manager_client, batch, columns, numbers="own")
    assert (batch.preview["created"], batch.preview["updated"]) == (0, 1)
    page = manager_client.get(reverse("intake:columns", args=[batch.pk]))
    assert [(option.name, value) for option, value in page.context["options"]] == [("numbers", "own")]


def test_a_choice_that_is_none_is_refused(manager_client: Client) -> None:
    upload(manager_client, AMOUNTS.encode(), "orders")
    batch = Batch.objects.get()
    answer = manager_client.post(
        reverse("intake:columns", args=[batch.pk]), columns_post(batch, **ORDERS) | {"decimals": "semicolon"}
    )
    assert answer.status_code == 422
    batch.refresh_from_db()
    assert batch.state == Batch.State.UPLOADED


def as_suggested(client: Client, batch: Batch) -> dict[str, str]:
    """What the page of columns sends when somebody only nods."""
    page = client.get(reverse("intake:columns", args=[batch.pk]))
    parts = [*page.context["parts"], *page.context["line_parts"]]
    chosen = {column.field: column.target for part in parts for column in part}
    return {"profile": batch.profile, "version": str(batch.version), **chosen}


def test_the_suggested_columns_of_orders_and_lines_only_need_a_nod(manager_client: Client, shared_data: Path) -> None:
    sets = shared_data / "sets"
    upload(manager_client, (sets / "northwind_customers.csv").read_bytes())
    people = Batch.objects.get()
    manager_client.post(reverse("intake:columns", args=[people.pk]), as_suggested(manager_client, people))
    people.refresh_from_db()
    manager_client.post(reverse("intake:start", args=[people.pk]), {"version": str(people.version)})
    lines = SimpleUploadedFile("lines.csv", (sets / "northwind_order_details.csv").read_bytes())
    upload(manager_client, (sets / "northwind_orders.csv").read_bytes(), "orders", lines_file=lines)
    batch = Batch.objects.get(kind="orders")
    nod = as_suggested(manager_client, batch)
    manager_client.post(reverse("intake:columns", args=[batch.pk]), nod)
    batch.refresh_from_db()
    found = {key: batch.preview[key] for key in ("rows", "created", "lines", "error_count", "customers_created")}
    assert found == {"rows": 830, "created": 830, "lines": 2155, "error_count": 0, "customers_created": 0}
    manager_client.post(reverse("intake:start", args=[batch.pk]), {"version": str(batch.version)})
    order = Order.objects.get(external_id="10250")
    assert (order.customer.company, order.total) == ("Hanari Carnes", Decimal("1552.60"))
    assert (order.shipping["street"], order.shipping["city"]) == ("Rua do Paço, 67", "Rio de Janeiro")
