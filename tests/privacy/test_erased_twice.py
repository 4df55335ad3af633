"""Somebody came back after an erasure and was erased again: one request for a copy is answered about both times."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from customers.models import ContactPoint
from orders.models import Document
from privacy.erasing import ask_erasure, run_erasure
from privacy.models import Package, Request
from staff.models import User
from tests.house import just_proved
from tests.privacy.making import make_order, make_paper, make_person, take
from tests.privacy.packaging import data_of, files_of, make_shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]

SHARED = "alma@laden.example"


@pytest.fixture
def desk(privacy: User, privacy_client: Client) -> Client:
    make_shop()
    return just_proved(privacy_client, privacy)


def _erased(number: str, issued: str, *, former: bool = False) -> Document:
    """Somebody with a paper that taxes need is erased; the address is theirs, or was."""
    customer = make_person(number)
    point = ContactPoint.objects.get(customer=customer, kind="email")
    point.value = SHARED
    point.save()
    if former:
        point.value = f"neu{number}@laden.example"
        point.save()
    ContactPoint.objects.filter(customer=customer, kind="phone").delete()
    paper = make_paper(make_order(customer, issued), "invoice", issued, number=f"R-{number}")
    assert run_erasure(ask_erasure(customer, as_of=date(2026, 11, 28)).pk, now=True).state == "done"
    return Document.archive.get(pk=paper.pk)


def _asked(privacy: User, **given: Any) -> Request:
    case = take(privacy, name="Alma Kanarienvogel", email=SHARED)
    Request.objects.filter(pk=case.pk).update(**given)
    return case


def test_the_package_holds_what_is_kept_of_each_time(desk, privacy, eager, django_capture_on_commit_callbacks) -> None:
    papers = [_erased("1", "2024-03-01"), _erased("2", "2025-03-01"), _erased("3", "2026-03-01", former=True)]
    _erased("4", "2026-03-02")
    Document.archive.filter(number="R-4").delete()  # of the fourth time nothing is kept
    case = _asked(privacy, identity_method="account")
    page = desk.get(reverse("privacy:request", args=[case.pk]))
    assert "Das geschah 4-mal" in page.text
    with django_capture_on_commit_callbacks(execute=True):
        assert desk.post(reverse("privacy:package_for_case", args=[case.pk])).status_code == 302
    files = files_of(Package.objects.get())
    told = {one["number"] for one in data_of(files, "data/orders.Document.json")}
    assert told == {paper.number for paper in papers}
    refs = {one["identity_value"] for one in data_of(files, "manifest.json")["subject_identities"]}
    assert refs >= {str(paper.subject_ref) for paper in papers} and len(refs) == 4


def test_nobody_gets_a_package_before_it_is_settled_who_asks(desk, privacy) -> None:
    _erased("1", "2024-03-01")
    case = _asked(privacy)
    assert desk.post(reverse("privacy:package_for_case", args=[case.pk])).status_code == 404
    assert not Package.objects.exists()
