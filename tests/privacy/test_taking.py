"""Requests come in: from the form, for people known, shared and unknown, once however often they are sent."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from customers.models import ContactPoint
from privacy.models import Request
from privacy.pasting import read_mail
from privacy.suggesting import suggest_kind, suggest_objection
from tests.privacy.making import form, person, take

pytestmark = pytest.mark.django_db

NEW = "privacy:request_new"


def test_a_request_of_somebody_unknown_is_registered(privacy_client):
    answer = privacy_client.post(reverse(NEW), form(email="fremd@laden.example", address="Am Deich 4\n20095 Hamburg"))
    case = Request.objects.get()
    assert answer["Location"] == reverse("privacy:request", args=[case.pk])
    assert (case.customer, case.person_email, case.state) == (None, "fremd@laden.example", "received")
    assert [event.kind for event in case.events.all()] == ["registered"]


def test_somebody_known_by_e_mail_is_asked_for_never_assumed(privacy_client):
    customer = person()
    sent = form(email="ZOE@laden.example ")
    page = privacy_client.post(reverse(NEW), sent)
    assert page.status_code == 422
    assert customer.number in page.text
    assert not Request.objects.exists()
    privacy_client.post(reverse(NEW), sent | {"person": customer.number})
    assert Request.objects.get().customer == customer


def test_two_persons_with_one_e_mail_are_both_offered(privacy_client):
    one, other = person("10001"), person("10002", first_name="Anna")
    page = privacy_client.post(reverse(NEW), form(email="zoe@laden.example"))
    assert page.status_code == 422
    assert one.number in page.text
    assert other.number in page.text
    privacy_client.post(reverse(NEW), form(email="zoe@laden.example", person=other.number))
    assert Request.objects.get().customer == other


def test_a_choice_outside_the_offer_is_none(privacy_client):
    person("10001")
    person("10002", email="anders@laden.example", phone="+49405550999")
    page = privacy_client.post(reverse(NEW), form(email="zoe@laden.example", person="10002"))
    assert page.status_code == 422
    assert not Request.objects.exists()
    privacy_client.post(reverse(NEW), form(email="zoe@laden.example", person="unknown"))
    assert Request.objects.get().customer is None


def test_a_form_sent_twice_is_one_request(privacy_client):
    sent = form(email="fremd@laden.example")
    places = [privacy_client.post(reverse(NEW), sent)["Location"] for _ in range(2)]
    assert places[0] == places[1]
    assert Request.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("received_at", "2026-02-30T10:00"),
        ("received_at", "gestern"),
        ("received_at", "1999-01-01T10:00"),
        ("kind", ""),
        ("kind", "coffee"),
        ("email", "zoe@"),
        ("number", "gibt-es-nicht"),
        ("name", ""),
        ("token", "x"),
        ("channel", "fax"),
        ("text", "null\0byte"),
    ],
)
def test_bad_input_is_answered_at_its_field(privacy_client, field, value):
    page = privacy_client.post(reverse(NEW), form(**{field: value}))
    assert page.status_code == 422
    assert page.context["form"].errors[field]
    assert not Request.objects.exists()


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        # 26 October 2025: the clock goes from 03:00 back to 02:00, so that 02:30 comes twice; summer time is earlier.
        ("2025-10-26T02:30", "2025-10-26T00:30+00:00"),
        ("26.10.2025 02:30", "2025-10-26T00:30+00:00"),
        ("2025-10-26T03:30", "2025-10-26T02:30+00:00"),
        ("26.10.2025", "2025-10-25T22:00+00:00"),
    ],
)
def test_a_receipt_in_the_hour_that_comes_twice_is_in_the_earlier_one(privacy_client, typed, instant):
    assert privacy_client.post(reverse(NEW), form(received_at=typed)).status_code == 302
    case = Request.objects.get()
    assert case.received_at == datetime.fromisoformat(instant)
    assert case.due_on == date(2025, 11, 26)


def test_a_receipt_in_the_hour_that_is_skipped_is_a_clear_error(privacy_client):
    page = privacy_client.post(reverse(NEW), form(received_at="2026-03-29T02:30"))
    assert page.status_code == 422 and not Request.objects.exists()
    assert page.context["form"].errors["received_at"] == ["Diese Uhrzeit gibt es an diesem Tag nicht."]


def test_a_receipt_that_lies_ahead_is_refused(privacy_client):
    ahead = (timezone.localtime() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert privacy_client.post(reverse(NEW), form(received_at=ahead)).status_code == 422


def test_an_objection_says_what_it_is_against(privacy_client):
    page = privacy_client.post(reverse(NEW), form(kind="objection"))
    assert page.status_code == 422
    assert page.context["form"].errors["objects_to"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Guten Tag, bitte teilen Sie mir mit, welche Daten Sie über mich gespeichert haben.", "access"),
        ("Ich verlange Auskunft nach Art. 15 DSGVO.", "access"),
        ("This is a subject access request. Please send me a copy of my data.", "access"),
        ("Bitte löschen Sie mein Konto und alle meine Daten.", "erasure"),
        ("Please delete my account and erase my data.", "erasure"),
        ("Ich widerspreche der Werbung.", "objection"),
        ("Stop sending me these mails, no more advertising please.", "objection"),
        ("Wo bleibt mein Paket?", ""),
    ],
)
def test_plain_words_suggest_the_right(text, kind):
    assert suggest_kind(text) == kind


def test_an_objection_is_suggested_against_advertising_or_with_reasons():
    assert suggest_objection("Ich widerspreche der Werbung per Post") == "advertising"
    assert suggest_objection("Ich widerspreche der Betrugsprüfung, weil ich verwechselt wurde") == "reasons"


def test_the_suggestion_registers_nothing(privacy_client):
    page = privacy_client.post(reverse(NEW), form(kind="", text="Bitte löschen Sie alles.", suggest="1"))
    assert page.status_code == 200
    assert page.context["form"].initial["kind"] == "erasure"
    assert not Request.objects.exists()


@pytest.mark.parametrize(
    ("head", "name", "email", "received"),
    [
        (
            "Von: Zoë Groß <zoe@laden.example>\nDatum: Mon, 23 Nov 2026 23:30:00 +0000\nAn: hallo@shop.example",
            "Zoë Groß", "zoe@laden.example", "2026-11-24T00:30",
        ),
        (
            "From: \"Groß, Zoë\" <zoe@laden.example>\nDate: Mon, 6 Jul 2026 08:05:00 +0200",
            "Groß, Zoë", "zoe@laden.example", "2026-07-06T08:05",
        ),
        (
            "Von: Zoë Groß [mailto:zoe@laden.example]\nGesendet: Montag, 2. März 2026 14:03",
            "Zoë Groß", "zoe@laden.example", "2026-03-02T14:03",
        ),
        ("> Von: zoe@laden.example\n> Gesendet: 02.03.2026, 14:03 Uhr", "", "zoe@laden.example", "2026-03-02T14:03"),
        (
            "From: Zoe Gross <zoe@laden.example>\nSent: Monday, March 2, 2026 2:03 PM",
            "Zoe Gross", "zoe@laden.example", "2026-03-02T14:03",
        ),
        (
            "---------- Forwarded message ---------\nVon: Zoë Groß <zoe@laden.example>\n"
            "Date: Mo., 23. Nov. 2026 um 14:03\u202fUhr\nSubject: Auskunft",
            "Zoë Groß", "zoe@laden.example", "2026-11-23T14:03",
        ),
        (
            "From: Zoë Groß <zoe@laden.example>\nDate: Mon, Nov 23, 2026 at 2:03\u202fPM\nSubject: Access",
            "Zoë Groß", "zoe@laden.example", "2026-11-23T14:03",
        ),
        ("From: zoe@laden.example\nDate: Mon, 23 Nov 2026 at 14:03", "", "zoe@laden.example", "2026-11-23T14:03"),
        ("From: zoe@laden.example\nDate: November 23, 2026 at 12:03:12 AM GMT+1", "", "zoe@laden.example",
         "2026-11-23T00:03"),
        ("Von: zoe@laden.example\nDatum: 23. März 2026 um 14:03:12 MEZ", "", "zoe@laden.example", "2026-03-23T14:03"),
        ("Von: zoe@laden.example\nDatum: 23.11.26, 14:03", "", "zoe@laden.example", "2026-11-23T14:03"),
        (
            "From: =?UTF-8?Q?Zo=C3=AB_Gro=C3=9F?= <zoe@laden.example>\nDate: Mon, 23 Nov 2026 14:03:00 +0100 (CET)",
            "Zoë Groß", "zoe@laden.example", "2026-11-23T14:03",
        ),
        (
            "Received: from mail.example\nFrom: =?UTF-8?B?Wm/DqyBHcm/Dnw==?=\n <zoe@laden.example>\n"
            "Date: Mon, 23 Nov 2026\n 14:03:00 +0100",
            "Zoë Groß", "zoe@laden.example", "2026-11-23T14:03",
        ),
        (
            "*Von:* Zoë Groß <zoe@laden.example>\n*Gesendet:* Montag, 23. November 2026 14:03",
            "Zoë Groß", "zoe@laden.example", "2026-11-23T14:03",
        ),
        ("  Von: zoe@laden.example\n  Datum: 23.11.2026", "", "zoe@laden.example", "2026-11-23T00:00"),
        ("Datum: 2026-03-02", "", "", "2026-03-02T00:00"),
        ("Datum: 02.03.2199", "", "", ""),
        ("Datum: 31.02.2026 10:00", "", "", ""),
        ("Datum: 2. Foober 2026", "", "", ""),
        ("Von: niemand\nDatum: gestern", "niemand", "", ""),
        ("Ich komme von: Köln", "", "", ""),
    ],
)  # fmt: skip
def test_the_head_of_a_pasted_mail_says_who_wrote_and_when(db, head, name, email, received):
    assert read_mail(f"{head}\n\nBitte löschen Sie meine Daten.") == (name, email, received)


def test_a_pasted_mail_fills_the_empty_fields_alone(privacy_client):
    text = "Von: Zoë Groß <zoe@laden.example>\nDatum: 02.03.2026 14:03\n\nBitte löschen Sie alles."
    page = privacy_client.post(reverse(NEW), form(kind="", email="", name="Frau Groß", text=text, suggest="1"))
    start = page.context["form"].initial
    assert (start["kind"], start["name"], start["email"]) == ("erasure", "Frau Groß", "zoe@laden.example")
    assert start["received_at"] == "2026-03-02T14:03"
    assert 'value="2026-03-02T14:03"' in page.text


def test_whoever_may_have_written_a_pasted_mail_is_offered_with_the_suggestion(privacy_client):
    customer = person()
    text = "Von: Zoë Groß <zoe@laden.example>\nDatum: 02.03.2026 14:03\n\nBitte löschen Sie alles."
    page = privacy_client.post(reverse(NEW), form(kind="", email="", text=text, suggest="1"))
    assert [one for one, _name, _place in page.context["people"]] == [customer]
    for typed in ("niemand", "@", "zoe@", "+49"):
        asked = privacy_client.post(reverse(NEW), form(kind="", email=typed, phone=typed, text="Hallo", suggest="1"))
        assert (asked.status_code, asked.context["people"]) == (200, [])
    # The choice stays where another field has to be mended.
    page = privacy_client.post(reverse(NEW), form(kind="", email="zoe@laden.example", person=customer.number))
    assert page.status_code == 422
    assert f'value="{customer.number}" id="person-1" checked' in page.text


def test_who_wrote_from_a_confirmed_address_proves_nothing_more(privacy):
    customer = person()
    ContactPoint.objects.filter(customer=customer, kind="email").update(verified_at=timezone.now())
    assert take(customer=customer, email="Zoe@laden.example").identity_method == "verified_mail"
    assert take(customer=customer, email="anders@laden.example").identity_method == ""
    assert take(customer=customer, channel="page").identity_method == "signed_in"
    assert take(customer=customer, channel="phone").identity_method == ""


def test_the_service_takes_in_and_sees_no_desk(agent_client, agent):
    customer = person()
    page = agent_client.post(reverse("privacy:request_for", args=[customer.number]), form(kind="erasure"))
    case = Request.objects.get()
    assert case.customer == customer
    assert case.owner is None
    assert page["Location"] == reverse("portal:customer_detail", args=[customer.number])
    assert agent_client.get(reverse("privacy:requests")).status_code == 403
    assert agent_client.get(reverse("privacy:request", args=[case.pk])).status_code == 403


def test_the_service_learns_nothing_of_a_restricted_person(agent_client, privacy_client):
    customer = person(restricted_at=timezone.now())
    assert agent_client.get(reverse("privacy:request_for", args=[customer.number])).status_code == 404
    answer = agent_client.post(reverse(NEW), form(email="zoe@laden.example"))
    assert answer.status_code == 302
    case = Request.objects.get()
    assert case.customer is None
    page = privacy_client.get(reverse("privacy:request", args=[case.pk]))
    assert customer.number in page.text
    privacy_client.post(
        reverse("privacy:request_assign", args=[case.pk]), {"version": case.version, "person": customer.number}
    )
    case.refresh_from_db()
    assert case.customer == customer


def test_who_may_take_in(client, outsider_client):
    assert client.get(reverse(NEW)).status_code == 302
    assert outsider_client.get(reverse(NEW)).status_code == 403
    assert outsider_client.post(reverse("privacy:objection", args=["1"])).status_code == 403


def test_nobody_of_that_number_is_404(privacy_client):
    for name in ("request_for", "customer", "restrict"):
        assert privacy_client.get(reverse(f"privacy:{name}", args=["gibt-es-nicht"])).status_code == 404
