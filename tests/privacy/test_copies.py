"""An answer to access or portability goes out together with its copy, or says truly that there is none."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from mail.models import Message
from mail.sending import deliver_due
from privacy import handling, identifying, receiving
from privacy.models import Package, Request
from privacy.packages.building import ask, build, provide
from privacy.steps import StepRefused
from tests.privacy.making import days_ago, make_copy, person, take

pytestmark = pytest.mark.django_db

KINDS = pytest.mark.parametrize("kind", ["access", "portability"])


def settled(by, kind: str = "access", **given) -> Request:
    case = take(by, kind=kind, **given)
    identifying.settle(case, "call_back", version=None, by=by)
    return case


def answer(client, case: Request, way: str = "mail"):
    case.refresh_from_db()
    url = reverse("privacy:request_answer", args=[case.pk])
    return client.post(url, {"version": case.version, "decision": "", "way": way})


def link_in(text: str) -> str:
    return re.search(rf"{re.escape(settings.SITE_URL)}(/\S+)", text)[1]


def refused(client, case: Request) -> bool:
    page = answer(client, case)
    case.refresh_from_db()
    assert "Die Antwort geht zusammen mit der Kopie hinaus" in page.text
    return page.status_code == 422 and case.is_open and not case.letters.exists() and not Message.objects.exists()


@KINDS
def test_without_a_copy_no_answer_goes_out(privacy_client, privacy, kind):
    case = settled(privacy, kind, customer=person())
    assert refused(privacy_client, case)
    package = ask(case.customer, kind, request=case, user_id=privacy.pk)
    for state in ("building", "review", "failed", "expired"):
        Package.objects.filter(pk=package.pk).update(state=state)
        assert refused(privacy_client, case)


@KINDS
def test_the_letter_names_a_link_that_opens_the_copy_once(client, privacy_client, privacy, kind):
    case = settled(privacy, kind, customer=person())
    package = make_copy(case, privacy)
    assert answer(privacy_client, case).status_code == 302
    deliver_due(10)
    (sent,) = mail.outbox
    package.refresh_from_db()
    last = timezone.localtime(package.expires_at - timedelta(seconds=1)).date()
    # DSARPKG: fourteen days from the day on which it was handed out.
    assert last == timezone.localdate() + timedelta(days=14)
    assert f"bis zum {date_format(last, 'DATE_FORMAT')}" in sent.body
    address = link_in(sent.body)
    assert client.get(address).status_code == 200
    fetched = b"".join(client.post(address).streaming_content)
    assert zipfile.ZipFile(io.BytesIO(fetched)).testzip() is None
    assert client.post(address).status_code == 404


def test_a_copy_made_from_the_customers_page_since_the_request_counts(privacy_client, privacy):
    customer = person()
    old = build(customer, "access", user_id=privacy.pk)
    case = settled(privacy, customer=customer)
    assert old.state == "ready" and refused(privacy_client, case)
    build(customer, "portability", user_id=privacy.pk)
    assert refused(privacy_client, case)
    build(customer, "access", user_id=privacy.pk)
    assert answer(privacy_client, case).status_code == 302


def test_a_copy_of_somebody_else_never_goes_with_the_answer(privacy_client, privacy):
    case = settled(privacy, customer=person())
    make_copy(case, privacy)
    receiving.assign(case, person("10002", email="zora@laden.example"), version=None, by=privacy)
    identifying.settle(case, "call_back", version=None, by=privacy)
    assert refused(privacy_client, case)


def test_a_copy_whose_day_is_over_does_not_count(privacy_client, privacy):
    case = settled(privacy, customer=person())
    Package.objects.filter(pk=make_copy(case, privacy).pk).update(expires_at=timezone.now())
    assert refused(privacy_client, case)


def test_by_post_the_copy_is_enclosed_once_somebody_took_it_out(privacy_client, privacy):
    case = settled(privacy, customer=person(), channel="letter")
    package = make_copy(case, privacy)
    page = privacy_client.get(reverse("privacy:request_answer", args=[case.pk]))
    assert "unter dieser Adresse" in page.context["draft"].body
    provide(package)
    assert answer(privacy_client, case, "post").status_code == 302
    assert "Die Kopie liegt diesem Schreiben bei." in case.letters.get().body
    assert settings.SITE_URL not in case.letters.get().body


def test_who_was_told_otherwise_has_the_copy(privacy_client, privacy):
    case = settled(privacy, customer=person())
    package = make_copy(case, privacy)
    assert answer(privacy_client, case, "told").status_code == 422
    provide(package)
    assert answer(privacy_client, case, "told").status_code == 302
    case.refresh_from_db()
    assert case.state == "answered" and not case.letters.exists()


@KINDS
def test_of_whom_we_hold_nothing_the_letter_says_so(privacy_client, privacy, kind):
    case = settled(privacy, kind, name="Fremd", email="fremd@laden.example")
    assert answer(privacy_client, case).status_code == 302
    body = case.letters.get().body
    assert "Außer dieser Anfrage und unserer Antwort haben wir keine gefunden" in body
    assert settings.SITE_URL not in body


def test_a_refusal_needs_no_copy(privacy, second):
    case = settled(privacy, customer=person(), received_at=days_ago(3))
    handling.propose_refusal(case, "excessive", "Elfte Anfrage", "DS-1", way="mail", version=None, by=privacy)
    handling.approve_refusal(case, way="mail", version=None, by=second)
    assert case.state == "refused"


def test_a_letter_that_cannot_be_written_hands_nothing_out(privacy):
    case = settled(privacy, customer=person())
    package = make_copy(case, privacy)
    case.customer.addresses.all().delete()
    with pytest.raises(StepRefused):
        handling.answer(case, "", way="post", partly=False, version=None, by=privacy)
    package.refresh_from_db()
    assert (package.provided_at, package.token_hash) == (None, None)
