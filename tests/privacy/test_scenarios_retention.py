"""The legal scenarios that end in a night's run: invoices and letters on their own days, in the shop's own zone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection

from customers.models import Customer
from interactions.models import Attachment, Interaction
from orders.models import Document
from privacy.removing import remove_files
from tests.privacy.making import make_contact, make_order, make_paper, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_a_developers_machine(settings: Any) -> None:
    """Only there may a day to come really delete."""
    settings.DEBUG = True


def purge(as_of: str) -> dict[str, Any]:
    out = StringIO()
    call_command("purge_expired", "--as-of", as_of, "--json", stdout=out)
    return json.loads(out.getvalue())["categories"]


@pytest.fixture
def anna() -> Customer:
    """A customer who is still active whenever these runs come."""
    return make_person(last_activity="2040-01-01")


def test_P06_no_retroactive_deletion_date(anna: Customer) -> None:
    make_paper(make_order(anna, "2015-11-01"), "invoice", "2015-11-30")
    purge("2024-12-31")  # ten years: until 2025-12-31
    assert Document.objects.count() == 1
    # Eight years are over since 2023, but the eight-year rule is in force since 2025 only.
    assert purge("2025-01-01")["INV"]["deleted"] == 1
    assert not Document.archive.exists()


def test_P07_year_boundary_and_utc(anna: Customer) -> None:
    order = make_order(anna, "2026-12-20")
    late = datetime(2026, 12, 31, 22, 30, tzinfo=UTC)  # 23:30 in Hamburg
    for number, issued in (("a", late), ("b", late.replace(hour=23))):
        Document.objects.create(
            order=order, customer=anna, kind="invoice", number=number, issued_at=issued, currency="EUR", gross=1, net=1
        )
    purge("2034-12-31")
    assert Document.objects.count() == 2
    purge("2035-01-01")
    assert list(Document.objects.values_list("number", flat=True)) == ["b"]
    purge("2035-12-31")
    assert Document.objects.count() == 1
    purge("2036-01-01")
    assert not Document.archive.exists()


def test_P08_mixed_content_mail_plus_attached_invoice(anna: Customer) -> None:
    asked = make_contact(anna, "2020-05-04", "letter", content="Bitte schicken Sie mir zwei Espressomühlen.")
    confirmed = make_contact(anna, "2020-05-05", "letter", content="Ihre Bestellung ist bestätigt.", direction="out")
    copy = Attachment(interaction=confirmed, name="Rechnung.pdf", content_type="application/pdf", size=8)
    copy.file.save("file", ContentFile(b"%PDF-1.7"))
    make_paper(make_order(anna, "2020-05-04"), "invoice", "2020-05-05")

    purge("2026-12-31")
    assert set(Interaction.objects.values_list("pk", flat=True)) == {asked.pk, confirmed.pk}
    told = purge("2027-01-01")
    assert told["LETTER"]["deleted"] == 2
    remove_files()
    assert not Interaction.archive.exists() and not Attachment.objects.exists()
    assert not Interaction.history.exists()  # type: ignore[attr-defined]
    assert not Path(copy.file.path).exists()
    assert Document.objects.count() == 1
    # Nothing of the mail's text is found any more, in whatever column.
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" r WHERE r::text ILIKE %s', ["%espressomühle%"])
            assert cursor.fetchone() == (0,), table

    purge("2028-12-31")
    assert Document.objects.count() == 1
    assert purge("2029-01-01")["INV"]["deleted"] == 1
    assert not Document.archive.exists()
