"""The panel of consents on the customer page, and what the desk takes down and ends."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from itertools import product
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

import consents
from consents.events import Event
from consents.models import Entry, LegalText, PendingOptIn, Purpose, Record, Scan, State
from consents.panel import panel_of
from consents.rebuilding import compare_states
from consents.recording import record
from consents.sealing import seal_pending
from consents.verifying import verify
from customers.models import ContactPoint, Customer, Flag, Suppression
from customers.suppression import suppress
from datamap import journal
from privacy.objecting import object_now
from staff.models import Role, User
from tests.consents.publishing import give, make_text, make_version
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4 signed"


@pytest.fixture
def person() -> Customer:
    return make_person("4711")


@pytest.fixture
def desk(agent, signed_in):
    return signed_in(agent)


@pytest.fixture
def officer(signed_in):
    return signed_in(User.objects.create_user("officer@obhut.example", name="Olga", roles=[Role.PRIVACY]))


def line_of(customer: Customer, purpose: str, channel: str):
    return next(line for line in panel_of(customer) if (line.purpose.key, line.channel) == (purpose, channel))


def form_of(customer: Customer, purpose: str = "phone", channel: str = "phone", **given):
    values = {
        "purpose": purpose,
        "choice": line_of(customer, purpose, channel).key,
        "token": str(uuid4()),
        "agrees": "yes",
        "source": "phone_call",
        "at": "",
        "wording": "",
        "note": "Ja, gern, sagt sie.",
    }
    return values | given


def take(client, customer: Customer, **given):
    return client.post(reverse("consents:take_down", args=[customer.number]), form_of(customer, **given))


def end(client, customer: Customer, purpose: str, channel: str, back: str = "customer"):
    data = {"purpose": purpose, "line": line_of(customer, purpose, channel).key, "back": back}
    return client.post(reverse("consents:withdraw", args=[customer.number]), data)


def wording(purpose: str = "phone") -> str:
    return f"{make_version(text_for(purpose)).pk}.de"


def text_for(purpose: str) -> LegalText:
    return make_text(f"{purpose}-wording", purpose=purpose)


def test_the_panel_says_what_may_says(person):
    """Every purpose, channel and endpoint, whatever stands for or against the person."""
    ContactPoint.objects.create(customer=person, kind="email", value="Alma.Zwei@Laden.example")
    give(person)
    give(person, purpose="birthday")
    give(person, kind="withdrawn", purpose="birthday")
    give(person, kind="requested", purpose="feedback", confirmed=False)
    give(person, purpose="phone", channel="phone", endpoint="+49301234567", at=timezone.now() - timedelta(days=1200))
    give(person, endpoint="alt@laden.example")  # no address of theirs
    give(person, kind="refused", purpose="post", channel="post")

    def agree() -> set[str]:
        found = set()
        for line in panel_of(person):
            said = consents.may(person, line.purpose.key, line.channel, line.value or None)
            assert line.decision == said, (line.purpose.key, line.channel, line.value)
            found.add(said.reason)
        return found

    seen = agree()
    assert {"consent", "withdrawn", "requested", "stale", "not_theirs", "refused", "never_asked", "contract"} <= seen
    suppress("email", "ALMA.ZWEI@laden.example", reason=Suppression.Reason.BOUNCED)
    assert "suppressed" in agree()
    Flag.objects.create(customer=person, kind="minor", reason="gesagt", review_on="2030-01-01")
    assert "too_young" in agree()
    object_now(person, channel="phone", by=None)
    assert "objected" in agree()
    person.refresh_from_db()
    Customer.objects.filter(pk=person.pk).update(restricted_at=timezone.now())
    person.refresh_from_db()
    assert agree() == {"restricted"}


def test_the_panel_asks_the_database_no_more_for_more_consents(person):
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            panel_of(person)
        return len(asked)

    queries()
    few = queries()
    for purpose, channel in product(("newsletter", "birthday", "feedback"), ("sms", "whatsapp")):
        give(person, purpose=purpose, channel=channel, endpoint="+49301234567")
    for n in range(5):
        ContactPoint.objects.create(customer=person, kind="email", value=f"mehr{n}@laden.example")
    assert queries() <= few + 1  # the wordings, once there are any
    assert few <= 7


def test_a_customer_page_shows_state_source_wording_and_reason(person, desk):
    version = make_version()
    give(person, wording=version.wording("de"))
    page = desk.get(reverse("portal:customer_detail", args=[person.number])).text
    assert reverse("consents:version", args=[version.pk]) in page
    assert "Double-Opt-in" in page
    assert "Die Person hat eingewilligt." in page
    full = desk.get(reverse("consents:customer", args=[person.number])).text
    assert "alma4711@laden.example" in full


def test_a_consent_on_the_phone_stands_with_wording_note_and_who_took_it(person, desk, agent):
    answer = take(desk, person, wording=wording())
    assert answer.status_code == 302
    row = Record.objects.get()
    assert (row.kind, row.source, row.channel, row.endpoint, row.late) == (
        "given", "phone_call", "phone", "+49301234567", False,
    )  # fmt: skip
    assert row.entry.actor_ref == f"staff:{agent.pk}"
    assert "Ja, gern" in row.proof
    assert consents.may(person, "phone", "phone").reason == "consent"
    assert consents.may(person, "phone", "phone").wording == row.entry.text_sha256
    seal_pending()
    assert verify().ok
    assert compare_states().ok


def test_said_twice_with_one_form_it_is_entered_once(person, desk):
    data = form_of(person, wording=wording())
    url = reverse("consents:take_down", args=[person.number])
    assert [desk.post(url, data).status_code for _n in range(2)] == [302, 302]
    assert Entry.objects.count() == 1
    desk.post(url, data | {"note": "Noch einmal."})
    assert list(Entry.objects.order_by("pk").values_list("kind", flat=True)) == ["given", "renewed"]


def test_a_yes_needs_a_published_wording_and_its_evidence(person, desk):
    assert take(desk, person).status_code == 422
    draft = make_version(text_for("birthday"))
    assert take(desk, person, wording=f"{draft.pk}.de").status_code == 422  # of another purpose
    good = wording()
    assert take(desk, person, wording=good, note=" ").status_code == 422
    assert take(desk, person, wording=good, source="paper").status_code == 422
    assert take(desk, person, wording="999999.de").status_code == 422
    assert take(desk, person, wording=good, at="2099-01-01T10:00").status_code == 422
    assert take(desk, person, wording=good, choice="email.1").status_code == 422
    assert desk.post(reverse("consents:take_down", args=[person.number]), {}).status_code == 400
    assert desk.get(reverse("consents:take_down", args=[person.number]), {"purpose": "gibtsnicht"}).status_code == 404
    assert not Entry.objects.exists()


def test_a_scanned_paper_is_kept_sealed_and_its_hash_stands_in_the_ledger(person, desk, outsider_client):
    scan = SimpleUploadedFile("Einwilligung Alma.pdf", PDF, "application/pdf")
    good = wording("newsletter")
    answer = take(desk, person, purpose="newsletter", channel="email", source="paper", wording=good, note="",
                  at="2026-01-05T10:00", scans=scan)  # fmt: skip
    assert answer.status_code == 302
    kept, row = Scan.objects.get(), Record.objects.get()
    assert (row.kind, row.late) == ("given", True)  # signed: no confirmation by mail is needed
    assert sha256(PDF).hexdigest() in row.proof
    with open(kept.file.storage.path(kept.file.name), "rb") as stored:
        assert PDF not in stored.read()
    url = reverse("consents:scan", args=[kept.pk])
    assert b"".join(desk.get(url).streaming_content) == PDF
    assert outsider_client.get(url).status_code == 403
    Record.objects.filter(pk=row.pk).update(blocked_at=timezone.now())
    assert desk.get(url).status_code == 404


def test_a_spoken_yes_to_mails_waits_for_its_confirmation(person, desk):
    take(desk, person, purpose="newsletter", channel="email", wording=wording("newsletter"))
    assert State.objects.get().state == "requested"
    assert not consents.may(person, "newsletter", "email")
    assert line_of(person, "newsletter", "email").asks_opt_in


def test_the_desk_sends_the_confirmation_mail_and_only_the_person_says_yes(person, desk, agent):
    url = reverse("consents:ask_opt_in", args=[person.number])
    line = line_of(person, "newsletter", "email")
    data = {"purpose": "newsletter", "line": line.key, "back": "customer"}
    desk.post(url, data)  # no wording is published yet
    assert not PendingOptIn.objects.exists()
    make_version(text_for("newsletter"))
    assert desk.post(url, data).status_code == 302
    asked = PendingOptIn.objects.get()
    assert (asked.customer, asked.address, asked.actor, asked.source) == (
        person, "alma4711@laden.example", f"staff:{agent.pk}", "desk",
    )  # fmt: skip
    assert not consents.may(person, "newsletter", "email")
    assert desk.post(url, {"purpose": "newsletter", "line": "email.0"}).status_code == 400
    give(person)
    end(desk, person, "newsletter", "email")
    desk.post(url, data)  # who has said no is asked no more
    assert PendingOptIn.objects.count() == 1


def test_what_is_told_later_decides_over_nothing_later(person, desk):
    give(person, purpose="phone", channel="phone", endpoint="+49301234567", confirmed=False)
    end(desk, person, "phone", "phone")
    past = timezone.localtime() - timedelta(days=3)
    take(desk, person, wording=wording(), at=past.strftime("%Y-%m-%dT%H:%M"))
    assert consents.may(person, "phone", "phone").reason == "withdrawn"
    assert compare_states().ok


def test_a_no_told_later_ends_no_yes_that_came_after_it(person, desk):
    past = timezone.localtime() - timedelta(days=3)
    give(person, purpose="phone", channel="phone", endpoint="+49301234567", confirmed=False)
    take(desk, person, agrees="no", at=past.strftime("%Y-%m-%dT%H:%M"))
    assert consents.may(person, "phone", "phone").reason == "consent"
    take(desk, person, agrees="no")
    assert consents.may(person, "phone", "phone").reason == "withdrawn"


def test_a_letter_of_before_the_no_that_stands_is_kept_and_counts_for_the_time_between(person, desk):
    start = timezone.now() - timedelta(days=60)
    give(person, purpose="phone", channel="phone", endpoint="+49301234567", at=start, confirmed=False)
    end(desk, person, "phone", "phone")
    ended = State.objects.get().since
    said = start + timedelta(days=20)
    local = timezone.localtime(said).strftime("%Y-%m-%dT%H:%M")
    scan = SimpleUploadedFile("brief.pdf", PDF, "application/pdf")
    letter = {"agrees": "no", "source": "paper", "at": local, "scans": scan, "note": "", "token": str(uuid4())}
    for _click in range(2):
        scan.seek(0)
        assert take(desk, person, **letter).status_code == 302
    assert [row.kind for row in Record.objects.order_by("pk")] == ["given", "withdrawn", "refused"]
    assert Scan.objects.count() == 1
    assert consents.may(person, "phone", "phone").since == ended
    assert consents.may(person, "phone", "phone", at=said - timedelta(days=1)).allowed
    between = consents.may(person, "phone", "phone", at=said + timedelta(days=1))
    assert (between.allowed, between.reason) == (False, "refused")
    assert compare_states().ok


def test_one_click_withdraws_at_once_and_twice_is_the_same(person, desk):
    give(person)
    data = {"purpose": "newsletter", "line": line_of(person, "newsletter", "email").key, "back": "customer"}
    url = reverse("consents:withdraw", args=[person.number])
    for _n in range(2):
        answer = desk.post(url, data)
        assert answer.status_code == 302
        assert answer.url == reverse("portal:customer_detail", args=[person.number])
    assert Entry.objects.filter(kind="withdrawn").count() == 1
    assert Record.objects.get(kind="withdrawn").source == "desk"
    assert consents.may(person, "newsletter", "email").reason == "withdrawn"
    assert Suppression.objects.filter(ended_at__isnull=True).count() == 1
    assert sum(entry.kind == "consent_withdrawal" for entry in journal.entries()) == 1


def test_post_on_legitimate_interests_ends_by_an_objection(person, desk):
    assert consents.may(person, "post", "post").reason == "interests"
    end(desk, person, "post", "post")
    assert not consents.may(person, "post", "post")
    end(desk, person, "post", "post")
    assert Entry.objects.count() == 1


def test_what_nobody_was_asked_stands_apart_on_the_page_of_consents_too(person, desk):
    give(person)
    page = desk.get(reverse("consents:customer", args=[person.number])).text
    said, unasked = page.split("Noch nicht gefragt")
    assert "Newsletter, E-Mail" in said and "Treueprogramm, Webseiten" in said and "Bitte um Bewertung" not in said
    assert unasked.count("<span>Bitte um Bewertung</span>") == 1  # one row for its channels
    take_down = reverse("consents:take_down", args=[person.number])
    assert f"{take_down}?purpose=feedback" in unasked and f"{take_down}?purpose=newsletter" in said


def test_a_channel_that_the_name_of_a_purpose_says_is_not_said_twice(person, desk):
    end(desk, person, "post", "post")
    pages = [reverse(name, args=[person.number]) for name in ("portal:customer_detail", "consents:customer")]
    for page in [desk.get(url).text for url in pages]:
        assert "Werbung mit der Post" in page
        assert "Post, Post" not in page
    assert "Treueprogramm, Webseiten" in desk.get(pages[1]).text
    entry = Record.objects.get()
    with translation.override("de"):
        assert (entry.use, entry.purpose.on("email")) == ("Werbung mit der Post", "Werbung mit der Post, E-Mail")
        assert Purpose.objects.get(key="phone").on("phone") == "Anrufe"
        assert Purpose.objects.get(key="newsletter").on("email") == "Newsletter, E-Mail"
    with translation.override("en"):
        assert entry.use == "Advertising by post"
        assert Purpose.objects.get(key="phone").on("phone") == "Phone calls"
        assert Purpose.objects.get(key="tracking").on("web") == "Recognising visits, Web pages"


def test_a_moment_before_anybody_consented_to_anything_is_a_slip(desk, person):
    shown = wording()
    for at in ("0001-01-01T00:00", "0026-11-01T10:00", "1899-12-31T23:59", "2026-11-01T10:00+23:59"):
        answer = take(desk, person, wording=shown, at=at)
        assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"at"}), at
    assert not Entry.objects.exists()


def test_bad_withdrawals_change_nothing(person, desk, outsider_client):
    give(person)
    url = reverse("consents:withdraw", args=[person.number])
    assert desk.post(url).status_code == 400
    assert desk.post(url, {"purpose": "newsletter", "line": "email.999"}).status_code == 400
    assert desk.get(url).status_code == 405
    assert outsider_client.post(url, {"purpose": "newsletter", "line": "email"}).status_code == 403
    other = make_person("4712")
    foreign = line_of(other, "newsletter", "email").key
    assert desk.post(url, {"purpose": "newsletter", "line": foreign}).status_code == 400
    assert consents.may(person, "newsletter", "email")


def test_nothing_new_begins_with_restricted_data_but_a_no_always_counts(person, desk, officer):
    give(person, purpose="phone", channel="phone", endpoint="+49301234567", confirmed=False)
    good = wording()
    Customer.objects.filter(pk=person.pk).update(restricted_at=timezone.now())
    page = reverse("consents:customer", args=[person.number])
    assert desk.get(page).status_code == 404
    assert officer.get(page).status_code == 200
    person.refresh_from_db()
    assert take(officer, person, wording=good).status_code == 422
    assert end(officer, person, "phone", "phone", back="").status_code == 302
    assert State.objects.get().state == "withdrawn"


def test_nobody_too_young_consents(person, desk):
    Flag.objects.create(customer=person, kind="minor", reason="gesagt", review_on="2030-01-01")
    assert take(desk, person, wording=wording()).status_code == 422
    assert not Entry.objects.exists()


def test_the_timeline_tells_of_consents(person, desk):
    give(person)
    record(Event("withdrawn", person.pk, person.number, "newsletter", "email", "alma4711@laden.example"))
    page = desk.get(reverse("portal:customer_timeline", args=[person.number]), {"type": "consent"}).text
    assert "Einwilligung: Newsletter" in page
    assert "widerrufen" in page


def test_a_purpose_out_of_use_keeps_what_was_said(person):
    give(person)
    Purpose.objects.filter(key="newsletter").update(retired_at=timezone.now())
    assert line_of(person, "newsletter", "email").decision.reason == "retired"
