"""Double opt-in: a form, a neutral mail, a button; the same for everybody, recorded once, proven for years."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import consents
from consents import ages
from consents.audience import allowed_among
from consents.events import Source
from consents.models import Entry, PendingOptIn, Purpose, Record, State
from consents.opting_in import PER_ADDRESS, PER_NETWORK, BadAddress, NotOffered, Outcome, Visitor, ask_opt_in, confirm
from consents.rebuilding import compare_states
from consents.verifying import verify
from consents.withdrawing import withdraw
from customers.deactivating import deactivate, reactivate
from customers.models import ContactPoint, Customer, Suppression, Tombstone
from customers.suppression import suppress, suppressed
from customers.tombstones import marks_of
from mail.models import Message
from mail.sending import deliver_due
from privacy.erasing import ask_erasure, run_erasure
from tests.consents.signing_up import MAIL, advertise, ask, form_of, link_of, person, publish, token_of

pytestmark = pytest.mark.django_db

AT = datetime(2026, 9, 10, 16, 0, tzinfo=UTC)
SIGN_UP = "/c/sign-up/"
SENT = "/c/sign-up/sent/"


@pytest.fixture(autouse=True)
def wording(db):
    return publish()


def grant_of(address: str = MAIL) -> Record:
    return Record.objects.get(endpoint_index=address, kind="given")


def proof_of(record: Record) -> dict:
    return json.loads(record.proof[64:])


# The form


def test_the_form_shows_each_wording_in_full_beside_a_box_that_is_not_ticked(client, wording):
    publish("birthday")
    page = client.get(SIGN_UP).content.decode()
    assert page.count('type="checkbox"') == 2
    assert "checked" not in page
    assert wording.body_de in page


def test_what_has_no_published_wording_is_not_offered(client):
    assert "birthday" not in client.get(SIGN_UP).content.decode()
    with pytest.raises(NotOffered):
        ask(MAIL, "birthday")


def test_signing_up_sends_one_neutral_mail_and_allows_nothing(client, mail_server):
    known = person()
    answer = client.post(SIGN_UP, form_of(client, **{"yes-newsletter": "on"}))
    assert (answer.status_code, answer["Location"]) == (302, SENT)
    deliver_due(10)
    ((to, mail),) = mail_server.accepted
    assert to == MAIL
    assert mail["List-Unsubscribe"] is None
    text = mail.get_body(("plain",)).get_content()
    link = re.search(r"http://\S+", text).group()
    assert client.get(link.removeprefix("http://127.0.0.1:8000")).status_code == 200
    assert "Groß" not in str(mail)  # nothing tells that the address is known
    assert not Entry.objects.exists()
    assert consents.may(known, "newsletter", "email").reason == "never_asked"


def world() -> dict[str, list[str]]:
    """What an onlooker of the database could count after a form."""
    return {
        "opt-ins": list(PendingOptIn.objects.values_list("channel", flat=True)),
        "mails": list(Message.objects.values_list("template", flat=True)),
        "entries": list(Entry.objects.values_list("kind", flat=True)),
    }


@pytest.mark.parametrize("kind", ["unknown", "known", "suppressed", "erased", "restricted"])
def test_answer_and_mail_are_the_same_whatever_is_known_of_the_address(client, mail_server, kind):
    if kind in ("known", "restricted"):
        person(restricted_at=timezone.now() if kind == "restricted" else None)
    if kind == "suppressed":
        suppress("email", MAIL, reason="objection")
    if kind == "erased":
        gone = timezone.now() - timedelta(days=1)
        Tombstone.objects.bulk_create(Tombstone(kind=k, mark=m, erased_at=gone) for k, m in marks_of(emails=[MAIL]))
    answer = client.post(SIGN_UP, form_of(client, **{"yes-newsletter": "on"}))
    assert (answer.status_code, answer["Location"]) == (302, SENT)
    assert world() == {"opt-ins": ["email"], "mails": ["opt_in"], "entries": []}
    deliver_due(10)
    assert mail_server.recipients == [MAIL]
    mail = mail_server.accepted[0][1].get_body(("plain",)).get_content()
    assert "Sehr geehrte Damen und Herren," in mail


@pytest.mark.parametrize("form", [{}, {"email": ""}, {"email": "kein at", "yes-newsletter": "on"}, {"email": MAIL}])
def test_a_form_that_says_too_little_comes_back(client, form):
    answer = client.post(SIGN_UP, form)
    assert answer.status_code == 422
    assert world()["opt-ins"] == []


def test_a_machine_gets_the_same_answer_and_nothing_happens(client):
    answer = client.post(SIGN_UP, form_of(client, website="http://x", **{"yes-newsletter": "on"}))
    assert (answer.status_code, answer["Location"]) == (302, SENT)
    assert world() == {"opt-ins": [], "mails": [], "entries": []}


@pytest.mark.parametrize("text", ["", "f" * 64, "x"])
def test_a_wording_that_was_not_shown_is_not_agreed_to(client, text):
    answer = client.post(SIGN_UP, form_of(client, **{"yes-newsletter": "on", "text-newsletter": text}))
    assert answer.status_code == 422
    assert world()["opt-ins"] == []


def test_a_new_version_meanwhile_has_to_be_read_first(client):
    form = form_of(client, **{"yes-newsletter": "on"})
    newer = publish(number=2)
    answer = client.post(SIGN_UP, form)
    assert answer.status_code == 422
    assert newer.body_de in answer.content.decode()
    assert client.post(SIGN_UP, form_of(client, **{"yes-newsletter": "on"})).status_code == 302


def test_a_published_wording_can_neither_change_nor_go(wording):
    for change in (wording.delete, lambda: type(wording).objects.filter(pk=wording.pk).update(body_de="Anders.")):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@pytest.mark.parametrize("purposes", [["nothing-known"], ["phone"], ["account"], []])
def test_nobody_is_asked_for_an_unknown_purpose_or_one_of_another_way(purposes):
    with pytest.raises(NotOffered):
        ask(MAIL, *(purposes or ["nothing-known"]))
    assert not PendingOptIn.objects.exists()


def test_a_purpose_that_is_no_longer_used_is_not_offered_and_not_confirmed(client):
    pending = ask()
    Purpose.objects.filter(key="newsletter").update(retired_at=timezone.now())
    with pytest.raises(NotOffered):
        ask("andere@laden.example")
    assert client.post(link_of(pending)).status_code == 410
    assert not Entry.objects.exists()


def test_what_is_kept_of_a_form_lies_sealed_and_no_link_is_in_the_database():
    pending = ask()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(p)::text FROM consents_pendingoptin p")
        kept = cursor.fetchone()[0]
        cursor.execute("SELECT to_jsonb(m)::text FROM mail_message m")
        kept += cursor.fetchone()[0]
    assert "zoe" not in kept
    assert token_of(pending) not in kept


# Looking, and confirming


def test_looking_at_the_link_changes_nothing_and_sets_no_cookie(client):
    pending = ask()
    for _ in range(3):
        page = client.get(link_of(pending))
        assert page.status_code == 200
        assert not page.cookies
        assert page["Referrer-Policy"] == "no-referrer"
    assert "<button" in page.content.decode()
    assert not Entry.objects.exists()


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_page_says_in_full_what_the_button_agrees_to(client, wording, language):
    """Whoever was asked by the desk reads the wording here for the first time (Art. 4(11), 7(1) GDPR)."""
    pending = ask(customer=person(), page="desk", source="desk", actor="staff:7", language=language)
    publish(number=2, valid_from=date(2021, 1, 1))  # another one holds by now; agreed to is the one that was asked
    shown = client.get(link_of(pending)).content.decode()
    assert wording.title(language) in shown
    assert wording.body(language) in shown
    assert "(2)" not in shown
    client.post(link_of(pending))
    assert grant_of().entry.text_sha256 == wording.wording(language).sha256


def test_the_mail_says_nothing_of_pages_that_nobody_opened(mail_server):
    ask(customer=person(), page="desk", source="desk", actor="staff:7")
    deliver_due(10)
    ((_to, mail),) = mail_server.accepted
    text = mail.get_body(("plain",)).get_content()
    assert "Newsletter" in text
    assert "auf unseren Seiten" not in text


def test_the_button_confirms_with_all_three_times_and_both_texts(client, mail_server, wording):
    client.post(SIGN_UP, form_of(client, **{"yes-newsletter": "on"}), headers={"User-Agent": "Feuerfuchs"})
    deliver_due(10)
    pending = PendingOptIn.objects.get()
    answer = Client(enforce_csrf_checks=True).post(link_of(pending))
    assert (answer.status_code, len(answer.cookies)) == (200, 0)
    record = grant_of()
    assert (record.source, record.confirmed) == ("double_opt_in", True)
    assert record.entry.text_sha256 == wording.sha256_de
    assert record.entry.ref_id == pending.uuid
    said = proof_of(record)["evidence"]
    pending.refresh_from_db()
    assert said["form"]["at"] <= said["mail"]["at"] <= said["confirmation"]["at"]
    assert said["form"]["page"] == "sign_up"
    assert (said["form"]["ip"], said["form"]["agent"]) == ("127.0.0.1", "Feuerfuchs")
    assert "Newsletter" in said["mail"]["text"]
    assert token_of(pending) not in record.proof
    assert said["token"] == bytes(pending.token_sha256).hex()
    assert compare_states().ok


def test_somebody_unknown_becomes_a_prospect_who_has_confirmed_the_address(client):
    client.post(link_of(ask()))
    customer = Customer.objects.get()
    assert (customer.status, customer.origin.kind) == ("prospect", "form")
    point = customer.contact_points.get()
    assert (point.value, point.verified_at is not None) == (MAIL, True)
    assert consents.may(customer, "newsletter", "email").reason == "consent"


def test_the_one_account_with_the_address_is_the_one_who_agreed(client):
    known = person()
    client.post(link_of(ask()))
    assert Customer.objects.get() == known
    assert consents.may(known, "newsletter", "email").allowed
    assert known.contact_points.get().verified_at is not None


def test_of_a_shared_address_nobody_can_say_whose_consent_it_is(client):
    for number in ("K-1", "K-2"):
        person(number)
    client.post(link_of(ask()))
    assert Customer.objects.filter(status="prospect").count() == 1
    for known in Customer.objects.filter(status="account"):
        assert not consents.may(known, "newsletter", "email").allowed
    client.post(link_of(ask()))
    assert Customer.objects.count() == 3  # who has confirmed before is the same again


def test_a_guest_of_an_order_is_never_found_by_the_address(client):
    guest = person(status="guest")
    client.post(link_of(ask()))
    assert not consents.may(guest, "newsletter", "email").allowed
    assert Customer.objects.filter(status="prospect").exists()


def test_the_account_is_untouched_while_its_data_are_restricted(client):
    known = person(restricted_at=timezone.now())
    client.post(link_of(ask()))
    assert known.contact_points.get().verified_at is None
    assert consents.may(known, "newsletter", "email").reason == "restricted"
    assert grant_of().customer == known


def test_what_the_owner_of_a_deactivated_account_confirms_is_kept_and_opens_nothing_meanwhile(client, mail_server):
    """Their word is proof (Art. 7(1) GDPR); that nothing is sent is a word of the shop, which the shop takes back."""
    known = person(registered_at=AT)
    pending = ask()
    deliver_due(10)
    deactivate([known.pk], user_id=None)
    before = client.get(link_of(pending)).content
    answer = client.post(link_of(pending))
    assert answer.status_code == 200
    assert b"K-1" not in before + answer.content
    assert Customer.objects.get() == known
    assert grant_of().customer == known
    assert consents.may(known, "newsletter", "email").reason == "deactivated"
    assert allowed_among([known.pk], Purpose.objects.get(key="newsletter"), "email") == set()
    advertise(known)
    deliver_due(10)
    assert mail_server.recipients == [MAIL]  # the neutral mail that was asked for, and nothing since
    assert compare_states().ok
    reactivate([known.pk], user_id=None)
    assert consents.may(known, "newsletter", "email").reason == "consent"
    # Who withdraws meanwhile has withdrawn.
    deactivate([known.pk], user_id=None)
    assert withdraw(known, "newsletter", "email", source=Source.ONE_CLICK) == 1
    reactivate([known.pk], user_id=None)
    assert consents.may(known, "newsletter", "email").reason == "withdrawn"


def test_after_an_erasure_it_is_a_new_and_unlinked_customer(client, mail_server):
    old = person(registered_at=AT)
    run_erasure(ask_erasure(old).pk)
    assert not Customer.objects.filter(number="K-1").exists()
    pending = ask()
    deliver_due(10)
    assert mail_server.recipients[-1] == MAIL
    assert client.post(link_of(pending)).status_code == 200
    new = Customer.objects.get()
    assert new.number != "K-1"
    assert consents.may(new, "newsletter", "email").allowed


def test_an_erasure_takes_opt_ins_that_wait_and_their_mails_along(client, mail_server):
    known = person(registered_at=AT)
    pending = ask()
    PendingOptIn.objects.update(customer=None)  # asked for before the address was known here
    run_erasure(ask_erasure(known).pk)
    assert not PendingOptIn.objects.exists()
    deliver_due(10)
    assert mail_server.recipients == []
    assert client.post(link_of(pending)).status_code == 404


def test_confirming_ends_the_suppression_of_exactly_this_way_and_address(client):
    known = person()
    ContactPoint.objects.create(customer=known, kind="email", value="zweite@laden.example")
    for channel, endpoint in (("email", MAIL), ("email", "zweite@laden.example"), ("phone", "+49405550142")):
        suppress(channel, endpoint, reason="objection")
    client.post(link_of(ask()))
    assert not suppressed("email", MAIL)
    assert suppressed("email", "zweite@laden.example")
    assert suppressed("phone", "+49405550142")
    ended = Suppression.objects.get(ended_at__isnull=False)
    assert ended.reason == "objection"  # kept, not deleted
    assert consents.may(known, "newsletter", "email", MAIL).allowed
    assert not consents.may(known, "newsletter", "email", "zweite@laden.example").allowed


# Bad links


def test_one_link_is_recorded_once_however_often_it_is_used(client):
    pending = ask()
    assert [client.post(link_of(pending)).status_code for _ in range(3)] == [200, 200, 200]
    assert client.get(link_of(pending)).status_code == 200
    assert Entry.objects.count() == 1


def test_a_link_that_was_used_brings_nothing_back_that_was_ended_since(client):
    used = ask()
    client.post(link_of(used))
    customer = Customer.objects.get()
    withdraw(customer, "newsletter", "email", source="rfc8058")
    for method in (client.get, client.post, client.post):
        assert method(link_of(used)).status_code == 200
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"
    assert [entry.kind for entry in Entry.objects.order_by("pk")] == ["given", "withdrawn"]


@pytest.mark.django_db(transaction=True)
def test_a_confirmation_and_a_withdrawal_at_once_leave_one_word_that_every_answer_knows(client):
    publish(number=3)
    customer = person()
    given, link = ask(), link_of(ask())
    client.post(link_of(given))

    def speak(n: int) -> None:
        try:
            if n % 2:
                Client().post(link)
            else:
                withdraw(customer, "newsletter", "email", source="rfc8058")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as people:
        list(people.map(speak, range(6)))
    last = Entry.objects.latest("pk").kind
    assert State.objects.get().state == last
    assert consents.may(customer, "newsletter", "email").allowed == (last in ("given", "renewed"))
    assert compare_states().ok and verify().ok


@pytest.mark.django_db(transaction=True)
def test_two_confirmations_at_once_are_one(client):
    publish(number=3)
    links = [link_of(ask()), link_of(ask())]

    def press(link: str) -> int:
        try:
            return Client().post(link).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as browsers:
        assert set(browsers.map(press, links * 4)) == {200}
    assert Customer.objects.count() == 1
    assert Entry.objects.count() == 2  # one for each form
    assert State.objects.count() == 1


def test_a_link_works_for_thirty_days(client):
    pending = ask(at=timezone.now() - timedelta(days=30, seconds=1))
    assert client.get(link_of(pending)).status_code == 410
    assert client.post(link_of(pending)).status_code == 410
    young = ask("andere@laden.example", at=timezone.now() - timedelta(days=29, hours=23))
    assert client.post(link_of(young)).status_code == 200
    assert Entry.objects.count() == 1


def test_what_nobody_confirms_is_gone_after_thirty_days():
    ask(at=timezone.now() - timedelta(days=32))
    ask("andere@laden.example", at=timezone.now() - timedelta(days=5))
    call_command("purge_expired", "--rule", "DOI-PEND", verbosity=0)
    assert [row.address for row in PendingOptIn.objects.all()] == ["andere@laden.example"]


@pytest.mark.parametrize("change", ["first", "last", "cut", "longer"])
def test_a_forged_link_is_no_link(client, change):
    pending = ask()
    token = token_of(pending)
    other = "A" if token[0] != "A" else "B"
    last = "A" if token[-1] != "A" else "B"
    forged = {"first": other + token[1:], "last": token[:-1] + last, "cut": token[:-1], "longer": token + "A"}[change]
    link = reverse("opt_in:confirm", args=[forged])
    assert (client.get(link).status_code, client.post(link).status_code) == (404, 404)
    assert not Entry.objects.exists()


def test_a_clock_that_is_set_back_confirms_nothing_twice():
    pending = ask(at=AT)
    assert confirm(token_of(pending), at=AT + timedelta(hours=1)) is Outcome.CONFIRMED
    assert confirm(token_of(pending), at=AT - timedelta(days=3)) is Outcome.BEFORE
    assert Entry.objects.count() == 1


# Limits


def test_one_address_gets_three_mails_an_hour_and_every_form_the_same_answer(client):
    for _ in range(PER_ADDRESS + 2):
        assert client.post(SIGN_UP, form_of(client, **{"yes-newsletter": "on"}))["Location"] == SENT
    assert Message.objects.count() == PER_ADDRESS
    assert (
        client.post(SIGN_UP, form_of(client, email=" ZOE@Laden.example ", **{"yes-newsletter": "on"})).status_code
        == 302
    )
    assert Message.objects.count() == PER_ADDRESS
    PendingOptIn.objects.update(asked_at=timezone.now() - timedelta(hours=2))
    client.post(SIGN_UP, form_of(client, **{"yes-newsletter": "on"}))
    assert Message.objects.count() == PER_ADDRESS + 1


def test_one_place_on_the_net_sends_so_many_forms_an_hour(client):
    form = form_of(client, **{"yes-newsletter": "on"})
    for n in range(PER_NETWORK):
        assert client.post(SIGN_UP, form | {"email": f"n{n}@laden.example"}).status_code == 302
    assert client.post(SIGN_UP, form | {"email": "mehr@laden.example"}).status_code == 429
    assert client.post(SIGN_UP, form | {"email": "mehr@laden.example"}, REMOTE_ADDR="192.0.2.7").status_code == 302


# Addresses


def test_capitals_and_blanks_are_the_same_mailbox(client):
    known = person(email="Zoe@Laden.example")
    client.post(link_of(ask("  ZOE@laden.EXAMPLE\t")))
    assert Customer.objects.get() == known
    assert consents.may(known, "newsletter", "email", "zoe@laden.example").allowed


def test_an_address_that_looks_alike_is_another_mailbox(client):
    known = person(email="anna@laden.example")
    suppress("email", "anna@laden.example", reason="objection")
    cyrillic = "\u0430nna@laden.example"
    client.post(link_of(ask(cyrillic)))
    assert Customer.objects.exclude(pk=known.pk).get().contact_points.get().value == cyrillic
    assert not consents.may(known, "newsletter", "email", "anna@laden.example").allowed
    assert not consents.may(known, "newsletter", "email", cyrillic).allowed
    assert suppressed("email", "anna@laden.example")
    assert grant_of(cyrillic).endpoint == cyrillic


def test_a_letter_written_in_two_ways_is_one_mailbox(client):
    known = person(email="zoë@laden.example")
    client.post(link_of(ask("zoe\u0308@laden.example")))
    assert Customer.objects.get() == known


@pytest.mark.parametrize(
    "address", ["", "zoe", "zoe@", "a b@laden.example", "zoe@laden.example\nBcc: x@y.example", "\0"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(BadAddress):
        ask(address)
    assert not PendingOptIn.objects.exists()


def test_staff_ask_for_a_customer_at_an_address_of_that_customer():
    known = person()
    assert ask(customer=known, source="phone_call", actor="staff:7").customer == known
    with pytest.raises(BadAddress):
        ask("fremd@laden.example", customer=known)


# Ages


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(2011, 1, 15), date(2027, 1, 14), 15),
        (date(2011, 1, 15), date(2027, 1, 15), 16),  # attained at the start of the birthday
        (date(2012, 2, 29), date(2028, 2, 28), 15),
        (date(2012, 2, 29), date(2028, 2, 29), 16),
        (date(2008, 2, 29), date(2026, 2, 28), 17),  # § 188(2) BGB: 1 March where there is no 29 February
        (date(2008, 2, 29), date(2026, 3, 1), 18),
    ],
)
def test_a_year_of_life_is_complete_when_the_law_says_so(born, day, age):
    assert ages.age_on(born, day) == age


@pytest.mark.parametrize(("country", "limit"), [("DE", 16), ("AT", 14), ("CH", 16)])
def test_the_limit_is_that_of_the_law_that_counts(country, limit):
    assert ages.limit_of(Purpose.objects.get(key="newsletter"), country) == limit
    assert ages.limit_of(Purpose.objects.get(key="post"), country) is None


def test_the_result_of_the_age_check_is_kept_and_never_the_date(client):
    client.post(SIGN_UP, form_of(client, born="1990-04-23", **{"yes-newsletter": "on"}))
    pending = PendingOptIn.objects.get()
    client.post(link_of(pending))
    said = proof_of(grant_of())["evidence"]["age_check"]
    assert said == {"limit": 16, "passed": True, "jurisdiction": "DE"}
    assert "1990" not in json.dumps(pending.evidence) + grant_of().proof


def test_an_age_check_says_only_what_applied(client):
    """Of each purpose its own limit; of one that knows no age, nothing; what one is too young for is gone."""
    limits = {"newsletter": {"DE": 16}, "birthday": {"DE": 18}, "feedback": {}, "profiling": {"DE": 80}}
    for key, limit in limits.items():
        Purpose.objects.filter(key=key).update(minimum_age=limit, channels=["email"])
    for key in ("birthday", "feedback", "profiling"):
        publish(key)
    ask_opt_in("zoe@laden.example", limits, page="sign_up", born=date(1990, 4, 23))
    client.post(link_of(PendingOptIn.objects.get()))
    checks = {
        record.purpose.key: proof_of(record)["evidence"].get("age_check")
        for record in Record.objects.filter(kind="given").select_related("purpose")
    }
    assert checks == {
        "newsletter": {"limit": 16, "passed": True, "jurisdiction": "DE"},
        "birthday": {"limit": 18, "passed": True, "jurisdiction": "DE"},
        "feedback": None,
    }


def test_an_opt_in_that_waited_over_an_update_keeps_its_age_check(client):
    """As it was written before the limits were noted by purpose."""
    Purpose.objects.filter(key="feedback").update(minimum_age={}, channels=["email"])
    publish("feedback")
    ask_opt_in("zoe@laden.example", ["newsletter", "feedback"], page="sign_up", visitor=Visitor("192.0.2.7"))
    pending = PendingOptIn.objects.get()
    network = bytes(pending.network_index)
    pending.evidence["age_check"] = {"limit": 16, "passed": True, "jurisdiction": "DE"}
    pending.save()
    ask_opt_in("bert@laden.example", ["newsletter"], page="sign_up", born=date(1990, 4, 23))
    untouched = PendingOptIn.objects.latest("pk").evidence
    migrate = import_module("consents.migrations.0013_age_checks_of_opt_ins").name_purposes
    for _ in range(2):
        migrate(apps, connection.schema_editor())
    assert PendingOptIn.objects.latest("pk").evidence == untouched
    assert bytes(PendingOptIn.objects.get(pk=pending.pk).network_index) == network
    client.post(link_of(pending))
    checks = {
        record.purpose.key: proof_of(record)["evidence"].get("age_check")
        for record in Record.objects.filter(kind="given").select_related("purpose")
    }
    assert checks == {"newsletter": {"limit": 16, "passed": True, "jurisdiction": "DE"}, "feedback": None}


def test_who_tells_no_date_was_not_checked(client):
    ask_opt_in("zoe@laden.example", ["newsletter"], page="sign_up")
    client.post(link_of(PendingOptIn.objects.get()))
    assert "age_check" not in proof_of(grant_of())["evidence"]
