"""Recipients by name, what went to them, and who must be told of a change (Art. 15(1)(c), 19 GDPR)."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datamap.models import AccessLog
from datamap.receivers import Receiver
from orders.documents import issue_document
from orders.models import Document
from privacy import notices
from privacy.disclosing import DisclosureRefused, note_disclosure
from privacy.lasting import keep_standing
from privacy.models import Disclosure, Erasure, Notice, Recipient, Request
from privacy.recipients import names_by_kind, recipients_of, recipients_of_ref, unnamed_kinds
from tests.privacy.noting import at, disclose, make_customer, make_order, make_recipient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def p15():
    """The persons and the log of scenario P15."""
    customer = make_customer()
    carrier = make_recipient("Nordpost", "parcel")
    provider = make_recipient("Postfix AG", "mail_provider", "processor")
    agency = make_recipient("Auskunft GmbH", "credit_agency")
    office = make_recipient("Finanzamt Hamburg-Nord", "tax_office", "authority")
    disclose(carrier, customer, "2026-10-01")
    disclose(provider, customer, "2026-01-01", origin="standing")
    disclose(agency, customer, "2026-01-15", data="Name, Geburtsdatum", basis="6(1)(f)")
    disclose(office, customer, "2026-05-20", purpose="Außenprüfung 2024", basis="6(1)(c)")
    return customer, carrier, provider, agency, office


def test_p15_whom_to_notify_after_a_correction(officer):
    customer, carrier, provider, agency, office = p15()
    request = Request.objects.create(kind="rectification", customer=customer, received_at=at("2026-11-10T09:00"))
    count = notices.queue_notices("rectification", customer.pk, None, request=request, what="Nachname: Möller")
    assert count == 3
    queued = notices.open_notices(request=request)
    assert {notice.recipient for notice in queued} == {carrier, provider, agency}
    assert not Notice.archive.filter(recipient=office).exists()  # Art. 4(9): a particular inquiry
    assert all("Nachname: Möller" in notice.details and customer.number in notice.details for notice in queued)

    # A bounced notice stays open until it is told another way or written down as impossible.
    mine = {notice.recipient: notice for notice in queued}
    Notice.archive.filter(pk=mine[carrier].pk).update(state=Notice.State.BOUNCED)
    notices.mark_told(mine[provider].pk, "Brief vom 11.11.", by=officer)
    notices.mark_told(mine[agency].pk, "am Telefon", by=officer)
    assert notices.open_notices(request=request) == [mine[carrier]]
    with pytest.raises(notices.NoticeRefused):
        notices.mark_impossible(mine[carrier].pk, " ", by=officer)
    notices.mark_impossible(mine[carrier].pk, "Die Firma ist erloschen.", by=officer)
    assert notices.open_notices(request=request) == []

    # On demand the person gets the list of those who were told (Art. 19, second sentence).
    told = {(one.recipient, one.kind, one.state) for one in notices.told_of(customer_id=customer.pk)}
    assert told == {
        ("Nordpost", "rectification", "impossible"),
        ("Postfix AG", "rectification", "done"),
        ("Auskunft GmbH", "rectification", "done"),
    }


def test_a_notice_is_queued_once_for_a_request():
    customer, *_others = p15()
    request = Request.objects.create(kind="rectification", customer=customer)
    assert notices.queue_notices("rectification", customer.pk, None, request=request) == 3
    assert notices.queue_notices("rectification", customer.pk, None, request=request) == 0
    late = make_recipient("Inkasso KG", "collection")
    disclose(late, customer, "2026-11-01")
    assert notices.queue_notices("rectification", customer.pk, None, request=request) == 1
    # Found by the shop itself there is no request; what still waits is not said twice.
    assert notices.queue_notices("restriction", customer.pk, None) == 4
    assert notices.queue_notices("restriction", customer.pk, None) == 0
    with pytest.raises(ValueError, match="gossip"):
        notices.queue_notices("gossip", customer.pk, None)


def test_once_told_a_notice_no_longer_says_whom_it_was_about(officer):
    customer, *_others = p15()
    notices.queue_notices("rectification", customer.pk, None)
    notice = notices.open_notices()[0]
    assert customer.last_name in notice.details
    settled = notices.mark_told(notice.pk, "Brief", by=officer)
    settled.refresh_from_db()
    assert settled.details == ""
    with pytest.raises(notices.NoticeRefused):
        notices.mark_told(notice.pk, "Brief", by=officer)


def test_notices_of_an_erasure_stand_under_the_pseudonym_and_hold_up_no_row_of_the_person():
    customer, carrier, *_others = p15()
    make_order(customer, "2026-10-02")
    request = Request.objects.create(kind="erasure", customer=customer)
    erasure = Erasure.objects.create(customer=customer, as_of=date(2026, 11, 24), request=request)
    ref = erasure.subject_ref
    assert notices.queue_notices("erasure", customer.pk, ref, request=request, erasure=erasure) == 3
    assert notices.queue_notices("erasure", customer.pk, ref, request=request, erasure=erasure) == 0
    rows = Notice.archive.filter(erasure=erasure)
    assert {(row.customer_id, row.subject_ref, row.blocked_at is not None) for row in rows} == {(None, ref, True)}
    assert not Notice.objects.filter(erasure=erasure).exists()  # no page of daily work returns them
    assert notices.open_notices(request=request) == notices.open_notices(erasure=erasure) != []
    assert len(notices.told_of(subject_ref=ref)) == 3
    # What only followed from the order is written down before the order goes (C-553/07).
    kept = recipients_of_ref(ref)
    assert [(told.recipient, told.origin) for told in kept] == [(carrier, "standing")]


def test_the_carrier_of_a_delivered_order_needs_no_entry(django_assert_max_num_queries):
    customer, other = make_customer(), make_customer()
    carrier = make_recipient("Nordpost", "parcel", data="Name, Anschrift", purposes="Zustellung")
    make_order(customer, "2026-03-02")
    make_order(customer, "2026-10-02")
    make_order(other)  # not delivered: nobody has got anything
    with django_assert_max_num_queries(8):
        found = recipients_of([customer.pk, other.pk])
    assert [(told.recipient, told.first_at, told.last_at, told.origin, told.data) for told in found[customer.pk]] == [
        (carrier, at("2026-03-02T12:00"), at("2026-10-02T12:00"), "standing", "Name, Anschrift")
    ]
    assert found[other.pk] == []


def test_a_parcel_for_somebody_else_was_told_of_that_person():
    buyer, receiver = make_customer(), make_customer()
    make_recipient("Nordpost", "parcel")
    make_order(buyer, "2026-03-02", gift_recipient=receiver)
    found = recipients_of([buyer.pk, receiver.pk])
    assert [told.recipient.name for told in found[receiver.pk]] == ["Nordpost"]
    assert found[buyer.pk] == []


def test_invoices_go_to_the_tax_adviser_and_to_the_office_only_when_somebody_notes_it(officer):
    customer = make_customer()
    make_recipient("Steuerkanzlei", "tax_adviser", "processor")
    make_recipient("Finanzamt", "tax_office", "authority")
    order = make_order(customer, "2026-03-02", billing={"name": "Jürgen Müller", "city": "Hamburg"})
    issue_document(order.pk, Document.Kind.INVOICE, user_id=officer.pk)
    assert [told.recipient.name for told in recipients_of([customer.pk])[customer.pk]] == ["Steuerkanzlei"]


def test_only_who_was_the_carrier_then_received_something():
    customer = make_customer()
    make_recipient("Altpost", "parcel", until=date(2026, 2, 28))
    new = make_recipient("Neupost", "parcel", since=date(2026, 3, 1))
    make_order(customer, "2026-03-02")
    assert [told.recipient for told in recipients_of([customer.pk])[customer.pk]] == [new]
    assert names_by_kind(date(2026, 2, 1)) == {"parcel": ["Altpost"]}
    assert names_by_kind(date(2026, 3, 1)) == {"parcel": ["Neupost"]}
    make_order(customer, "2026-02-02")
    found = {told.recipient.name: told for told in recipients_of([customer.pk])[customer.pk]}
    assert found["Neupost"].first_at >= at("2026-03-01T00:00")
    assert found["Altpost"].last_at < at("2026-03-01T00:00")


def test_more_customers_are_no_query_more():
    make_recipient("Nordpost", "parcel")
    people = [make_customer() for _ in range(4)]
    for person in people:
        make_order(person, "2026-03-02")

    def asked(ids):
        with CaptureQueriesContext(connection) as queries:
            recipients_of(ids)
        return len(queries)

    assert asked([people[0].pk]) == asked([person.pk for person in people])


def test_kinds_that_declarations_speak_of_want_a_name():
    assert Receiver.PARCEL in unnamed_kinds()
    make_recipient("Nordpost", "parcel")
    assert Receiver.PARCEL not in unnamed_kinds()


def test_a_disclosure_keeps_country_and_safeguard_of_its_day(officer):
    customer = make_customer()
    abroad = make_recipient("Mailer Inc.", "mail_provider", "processor", country="US", safeguard="clauses")
    rows = note_disclosure(abroad, [customer], data="E-Mail", purpose="Versand", basis="6(1)(b)", by=officer)
    Recipient.objects.filter(pk=abroad.pk).update(country="DE", safeguard="")
    told = recipients_of([customer.pk])[customer.pk][0]
    assert (told.country, told.safeguard, rows[0].noted_by) == ("US", "clauses", officer)


def test_no_disclosure_to_a_third_country_without_a_safeguard_and_none_tomorrow():
    customer = make_customer()
    said = {"data": "E-Mail", "purpose": "Versand", "basis": "6(1)(b)"}
    with pytest.raises(DisclosureRefused) as refused:
        note_disclosure(make_recipient("Mailer Inc.", country="US"), [customer], **said)
    assert refused.value.field == "recipient"
    with pytest.raises(DisclosureRefused) as refused:
        note_disclosure(make_recipient("Nordpost"), [customer], at=at("2999-01-01T00:00"), **said)
    assert refused.value.field == "at"
    assert not Disclosure.archive.exists()


def test_what_is_kept_under_a_pseudonym_is_kept_once():
    customer = make_customer()
    make_recipient("Nordpost", "parcel")
    make_order(customer, "2026-03-02")
    ref = uuid.uuid4()
    assert keep_standing({customer.pk: ref}) == 1
    assert keep_standing({customer.pk: ref}) == 0


def recipient_form(**changed):
    said = {"name": "Nordpost", "kind": "parcel", "role": "controller", "language": "de", "country": "Deutschland"}
    return {**said, **changed}


def test_recipients_are_seen_by_privacy_and_operator_and_changed_by_privacy(
    officer_client, agent_client, outsider_client
):
    answer = officer_client.post(reverse("privacy:recipient_new"), recipient_form(email="post@nord.example"))
    assert answer.status_code == 302
    one = Recipient.objects.get()
    assert (one.country, one.email) == ("DE", "post@nord.example")
    assert "Nordpost" in officer_client.get(reverse("privacy:recipients")).content.decode()
    changed = recipient_form(name="Nordpost SE", until="2026-12-31")
    assert officer_client.post(reverse("privacy:recipient", args=[one.pk]), changed).status_code == 302
    one.refresh_from_db()
    assert (one.name, one.until) == ("Nordpost SE", date(2026, 12, 31))
    for client in (agent_client, outsider_client):
        assert client.get(reverse("privacy:recipients")).status_code == 403
        assert client.post(reverse("privacy:recipient_new"), recipient_form()).status_code == 403


def test_two_who_change_a_recipient_do_not_overwrite_each_other_unasked(officer_client):
    one = make_recipient("Nordpost", "parcel")
    page = reverse("privacy:recipient", args=[one.pk])
    seen = officer_client.get(page).context["version"]
    assert officer_client.post(page, recipient_form(name="Nordpost SE", version=seen)).status_code == 302
    late = officer_client.post(page, recipient_form(name="Nordpost AG", version=seen))
    assert late.status_code == 409
    assert "Somebody saved this meanwhile" in late.text and "Nordpost AG" in late.text  # what was typed is not lost
    one.refresh_from_db()
    assert one.name == "Nordpost SE"
    knowing = recipient_form(name="Nordpost AG", version=late.context["version"])
    assert officer_client.post(page, knowing).status_code == 302
    one.refresh_from_db()
    assert one.name == "Nordpost AG"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "no address"}, "email"),
        ({"country": "Atlantis"}, "country"),
        ({"country": "US"}, "safeguard"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
        ({"kind": "oracle"}, "kind"),
    ],
)
def test_a_recipient_that_cannot_be_is_refused(officer_client, wrong, field):
    answer = officer_client.post(reverse("privacy:recipient_new"), recipient_form(**wrong))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Recipient.objects.exists()


def test_the_address_of_a_recipient_lies_sealed():
    make_recipient("Nordpost", email="geheim@nord.example", contact="Frau Sommer, 040 555")
    with connection.cursor() as cursor:
        cursor.execute("SELECT email, contact FROM privacy_recipient")
        stored = b"".join(bytes(value) for value in cursor.fetchone())
    assert b"geheim" not in stored and b"Sommer" not in stored


def test_disclosures_of_a_customer_are_noted_on_the_page_and_the_look_is_logged(officer, officer_client, agent_client):
    customer, carrier, *_others = p15()
    page = reverse("privacy:disclosures", args=[customer.number])
    html = officer_client.get(page).content.decode()
    assert all(name in html for name in ("Nordpost", "Postfix AG", "Auskunft GmbH", "Finanzamt Hamburg-Nord"))
    assert AccessLog.objects.filter(customer_number=customer.number, page="privacy:disclosures").count() == 1
    said = {
        "recipient": carrier.pk,
        "at": "2026-11-02T10:00",
        "data": "Name",
        "purpose": "Zustellung",
        "basis": "6(1)(b)",
    }
    new = reverse("privacy:disclosure_new", args=[customer.number])
    assert officer_client.post(new, said).status_code == 302
    assert Disclosure.objects.filter(customer=customer, noted_by=officer, at=at("2026-11-02T10:00")).count() == 1
    for wrong in ({"at": "2026-02-30T10:00"}, {"at": "2999-01-01T10:00"}, {"basis": "6(9)"}, {"data": ""}):
        assert officer_client.post(new, {**said, **wrong}).status_code == 422
    assert agent_client.get(page).status_code == 403
    assert officer_client.get(reverse("privacy:disclosures", args=["nobody"])).status_code == 404


def test_notices_are_settled_on_their_page(officer_client, agent_client, outsider_client):
    customer, *_others = p15()
    notices.queue_notices("rectification", customer.pk, None)
    first, second, third = notices.open_notices()
    listed = officer_client.get(reverse("privacy:notices"))
    assert {row.pk for row in listed.context["page"].rows} == {first.pk, second.pk, third.pk}
    page = reverse("privacy:notice", args=[first.pk])
    assert customer.number in officer_client.get(page).content.decode()
    assert AccessLog.objects.filter(customer_number=customer.number, page="privacy:notice").exists()
    told = reverse("privacy:notice_settle", args=[first.pk, "told"])
    assert officer_client.post(told, {"reason": ""}).status_code == 422
    assert officer_client.post(told, {"reason": "Brief"}).status_code == 302
    assert officer_client.post(told, {"reason": "Brief"}).status_code == 422
    impossible = reverse("privacy:notice_settle", args=[second.pk, "impossible"])
    assert officer_client.post(impossible, {"reason": "erloschen"}).status_code == 302
    assert officer_client.post(reverse("privacy:notice_settle", args=[third.pk, "burnt"]), {}).status_code == 404
    assert [notice.pk for notice in notices.open_notices()] == [third.pk]
    for client in (agent_client, outsider_client):
        assert client.get(reverse("privacy:notices")).status_code == 403
        assert client.get(page).status_code == 403
        assert client.post(told, {"reason": "Brief"}).status_code == 403


def test_a_look_at_a_notice_about_an_erased_person_is_logged_under_the_pseudonym(officer_client):
    customer, *_others = p15()
    ref = uuid.uuid4()
    notices.queue_notices("erasure", customer.pk, ref)
    officer_client.get(reverse("privacy:notice", args=[notices.open_notices()[0].pk]))
    assert AccessLog.objects.filter(customer_number=str(ref), page="privacy:notice", purpose="Art. 19").exists()
