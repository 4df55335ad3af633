"""P17 as far as consents go: the copy (Art. 15) has each consent with its proof, what is taken along (Art. 20) none.

Page visits were observed under consent: they are in both. Neither file deletes anything.
"""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

import consents
from consents.checkpoints import sign_checkpoint
from consents.models import Record
from consents.sealing import seal_pending
from customers.models import Customer, Note
from privacy.packages.building import build
from staff.models import User
from tests.consents.making import moment
from tests.consents.publishing import give, make_text, make_version
from tests.privacy.making import make_person
from tests.privacy.packaging import data_of, everything, files_of, make_colleague, make_shop
from tests.tracking.making import ORIGIN, SECRET, agreed, link, publish_wording, report

pytestmark = pytest.mark.django_db

CALLED = "ruft oft an, Martin Meier hat es aufgenommen"


@pytest.fixture(autouse=True)
def _shop(settings: Any) -> None:
    make_shop()
    settings.TRACKING_ORIGINS, settings.TRACKING_LINK_SECRETS = [ORIGIN], [SECRET]


@pytest.fixture
def meier() -> User:
    return make_colleague("Martin Meier")


@pytest.fixture
def anna(meier: User) -> Customer:
    """Newsletter confirmed and withdrawn, calls agreed to on the phone, post refused, visits with consent."""
    anna = make_person("4711")
    Note.objects.create(customer=anna, text="calls often, colleague M. Meier handled", author=meier)
    wording = make_version(make_text()).wording("de")
    give(anna, moment("2026-01-02T11:00:00+01:00"), wording=wording)
    give(anna, moment("2026-03-01T09:00:00+01:00"), kind="withdrawn", source="rfc8058", confirmed=False)
    give(
        anna, moment("2026-04-01T09:00:00+02:00"), purpose="phone", channel="phone", endpoint="+49301234567",
        source="phone_call", actor=f"staff:{meier.pk}", evidence={"note": CALLED},
    )  # fmt: skip
    give(anna, moment("2026-05-01T09:00:00+02:00"), kind="refused", purpose="post", channel="post", source="desk")
    publish_wording()
    given = timezone.now() - timedelta(days=1)
    give(anna, given, purpose="tracking", channel="web", source="self_service", confirmed=False)
    report("/kaffee", "/kaffee/espresso", consent=agreed(given))
    assert link(anna).status_code == 204
    seal_pending()
    sign_checkpoint()
    return anna


def rows() -> dict[str, int]:
    """Rows of what consents, visits and the master data hold."""
    labels = ("consents", "tracking", "customers")
    models = [model for label in labels for model in apps.get_app_config(label).get_models()]
    return {model._meta.label: model._base_manager.count() for model in models}


def test_p17_access_versus_portability_of_consents(anna: Customer) -> None:
    before = rows()
    asked = [("newsletter", "email"), ("phone", "phone"), ("post", "post"), ("tracking", "web")]
    answers = [consents.may(anna, *one) for one in asked]
    assert [one.reason for one in answers] == ["withdrawn", "consent", "refused", "consent"]
    copy, portable = (files_of(build(anna, kind)) for kind in ("access", "portability"))

    records = {
        one["dpv:hasProcess"][0]["dct:identifier"]: one for one in data_of(copy, "data/consents.jsonld")["@graph"]
    }
    told = {
        key: [(state["@type"][0], state["dpv:hasIndicationMethod"]) for state in record["dpv:hasConsentStatus"]]
        for key, record in records.items()
    }
    assert told == {
        "newsletter": [("dpv:ConsentGiven", "double_opt_in"), ("dpv:ConsentWithdrawn", "rfc8058")],
        "phone": [("dpv:ConsentGiven", "phone_call")],
        "post": [("dpv:ConsentRefused", "desk")],
        "tracking": [("dpv:ConsentGiven", "self_service")],
    }
    assert records["newsletter"]["dpv:hasNotice"][0]["dct:identifier"] == "newsletter-wording:1"
    # The colleague's name is blackened, in the evidence as in the note; a receipt with it is left out.
    assert "Meier" not in everything(copy)
    phone = records["phone"]["dpv:hasConsentStatus"][0]["obhut:payload"]
    assert "ruft oft an" in phone and "[geschwärzt]" in phone
    receipts = copy["data/consent_receipts.txt"].decode()
    assert receipts.count("BEGIN OBHUT CONSENT RECEIPT") == Record.objects.filter(customer=anna).count() - 1

    lines = data_of(copy, "meta/processing.json")["data"]
    # Two ended in 2026, three years to the year's end; calls five years to the day, from 1 April 2026 on (§ 7a UWG).
    last = {line["rule"]: line["last_day"] for line in lines}
    assert (last["CONSENT"], last["CONSENT-TEL"]) == ("2030-01-01", "2031-04-02")
    assert "TRACK" in last
    assert all(line["source"] and line["purposes"] and line["legal_bases"] and line["period"] for line in lines)

    # Art. 20: observed under consent, so it goes along; the proofs were made by the shop and stay.
    seen = ["/kaffee", "/kaffee/espresso"]
    for files in (copy, portable):
        assert sorted(one["path"] for one in data_of(files, "data/visits.json")[0]["visits"]) == seen
        table = csv.DictReader(io.StringIO(files["data/visits.csv"].decode(), newline=""))
        assert sorted(row["path"] for row in table) == seen
    assert not [name for name in portable if "consent" in name.lower() or "note" in name]
    assert not any(word in everything(portable) for word in ("ruft oft an", "calls often", "ConsentWithdrawn"))

    assert rows() == before
    assert [consents.may(anna, *one) for one in asked] == answers
