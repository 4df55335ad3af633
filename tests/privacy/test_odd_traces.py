"""The search after an erasure finds what leads to the person however it is written; files of imports likewise."""

from __future__ import annotations

import base64
import json
import unicodedata
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from customers.models import ContactPoint, Customer
from orders.models import OrderLine
from tests.privacy.making import make_order, make_person
from tests.privacy.test_stores import HEADER, brought

pytestmark = pytest.mark.django_db

EMAIL = "jürgen.groß@laden.example"
EMAILS = {
    "as it is": EMAIL,
    "in capitals": EMAIL.upper(),
    "letters and marks apart": unicodedata.normalize("NFD", EMAIL),
    "escaped for JSON": json.dumps({"mail": EMAIL}),
    "escaped in capitals": json.dumps({"mail": EMAIL}).replace("\\u00fc", "\\u00FC"),
    "base64": base64.b64encode(EMAIL.encode()).decode(),
    "base64, one aside": base64.b64encode(b"x" + EMAIL.encode() + b"yz").decode(),
    "base64, two aside": base64.b64encode(b"xx" + EMAIL.encode() + b"y").decode(),
    "base64 of addresses": base64.urlsafe_b64encode(b"??>" + EMAIL.encode()).decode(),
    "hex": EMAIL.encode().hex().upper(),
}
PHONES = ["+49301234567", "+49 30 1234567", "030 1234567", "030/123 45 67", "0049 30 1234567", "+49 (0)30-1234567"]
NAMES = ["Jürgen Groß-Müller", "JÜRGEN GROSS-MÜLLER", "JÜRGEN GROß-MÜLLER", "Groß-Müller, Jürgen"]


def erase() -> dict[str, Any]:
    out = StringIO()
    call_command("erase_person", "4711", json=True, stdout=out)
    return json.loads(out.getvalue())


def elsewhere(text: str) -> None:
    """Somebody else bought a thing with this text on it: the name of a line stands unsealed."""
    order = make_order(make_person("4712", first_name="Otto", last_name="Anders"), "2026-01-02")
    ContactPoint.objects.filter(customer__number="4712", kind="phone").delete()
    OrderLine.objects.create(order=order, name=f"Gravur: {text} (Gold)", unit_price=Decimal(1))


@pytest.mark.parametrize("written", EMAILS.values(), ids=EMAILS.keys())
def test_an_email_is_found_in_every_form(written: str) -> None:
    ContactPoint.objects.create(customer=make_person("4711"), kind="email", value=EMAIL)
    elsewhere(written)
    told = erase()
    assert (told["complete"], told["traces"]) == (False, {"orders_orderline.name": 1})


def test_a_domain_with_an_umlaut_is_found_as_mail_servers_write_it() -> None:
    ContactPoint.objects.create(customer=make_person("4711"), kind="email", value="alma@möhre.example")
    elsewhere("alma@xn--mhre-5qa.example")
    assert erase()["traces"] == {"orders_orderline.name": 1}


@pytest.mark.parametrize("written", PHONES)
def test_a_phone_number_is_found_as_people_write_it(written: str) -> None:
    make_person("4711")
    elsewhere(written)
    told = erase()
    assert (told["complete"], told["traces"]) == (False, {"orders_orderline.name": 1})


@pytest.mark.parametrize("written", ["0301234567890", "10301234567", "EAN 4930123456789", "030 1234568"])
def test_another_number_is_no_trace(written: str) -> None:
    make_person("4711")
    elsewhere(written)
    told = erase()
    assert (told["complete"], told["traces"]) == (True, {})


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("written", NAMES)
def test_a_name_is_shown_however_its_letters_are_composed(written: str, form: Any) -> None:
    names = {"first_name": "Jürgen", "last_name": "Groß-Müller"}
    make_person("4711", **{key: unicodedata.normalize(form, name) for key, name in names.items()})
    elsewhere(unicodedata.normalize("NFC" if form == "NFD" else "NFD", written))
    told = erase()
    assert (told["complete"], told["traces"]) == (True, {"orders_orderline.name": 1})


@pytest.fixture
def moved() -> Customer:
    """Alma, who had another e-mail before."""
    alma = make_person("4711")
    point = alma.contact_points.get(kind="email")
    now, point.value = point.value, "alt@laden.example"
    point.save()
    point.value = now
    point.save()
    return alma


def test_an_address_of_before_is_looked_for_too(moved: Customer) -> None:
    elsewhere("alt@laden.example")
    assert erase()["traces"] == {"orders_orderline.name": 1}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("cell", ["alt@laden.example", "030/123 45 67", "0049 (0)30 1234567"])
def test_a_file_goes_that_names_a_former_address_or_writes_the_number_its_own_way(
    moved: Customer, cell: str, encoding: str
) -> None:
    theirs = brought(f"{HEADER}\r\n7,Alma,{cell}\r\n".encode(encoding))
    others = brought(f"{HEADER}\r\n8,Otto,0301234567890\r\n".encode(encoding))
    assert erase()["complete"]
    theirs.refresh_from_db()
    others.refresh_from_db()
    assert (bool(theirs.file), bool(others.file)) == (False, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "cell", ["jürgen.groß@laden.example", "JÜRGEN.GROß@LADEN.EXAMPLE", "JÜRGEN.GROSS@Laden.example"]
)
def test_a_file_goes_that_names_an_address_with_umlauts_in_the_encoding_of_its_time(cell: str, encoding: str) -> None:
    ContactPoint.objects.create(customer=make_person("4711"), kind="email", value=EMAIL)
    theirs = brought(f"{HEADER}\r\n7,Jürgen,{cell}\r\n".encode(encoding))
    others = brought(f"{HEADER}\r\n8,Jörg,jörgen.groß@laden.example\r\n".encode(encoding))
    assert erase()["complete"]
    theirs.refresh_from_db()
    others.refresh_from_db()
    assert (bool(theirs.file), bool(others.file)) == (False, True)
