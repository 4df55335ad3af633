"""Purposes, legal texts, their places, and what an order is placed under."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from html import unescape
from time import monotonic
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

import consents
from consents import texts
from consents.comparing import compare
from consents.events import Source
from consents.models import Acceptance, LegalText, LegalTextVersion, Placement, Purpose, State
from consents.rebuilding import compare_states
from customers.models import Customer
from customers.placing import places, texts_of_order
from datamap.keyset import PAGE
from orders.models import Order, OrderType
from privacy.erasing import ask_erasure, run_erasure
from staff.models import Role, User
from tests.consents.publishing import SAID, give, make_text, make_version, place_text
from tests.consents.test_waiting_for_each_other import meanwhile
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> Customer:
    return make_person("4711")


def draft_form(**said: str) -> dict[str, str]:
    return SAID | {"valid_from": "2026-01-01"} | said


def test_a_text_is_drafted_published_and_stands(manager_client):
    answer = manager_client.post(reverse("consents:text_new"), {"key": "agb", "kind": "terms", "purpose": ""})
    text = LegalText.objects.get(key="agb")
    assert answer.url == reverse("consents:draft", args=[text.pk])
    manager_client.post(answer.url, draft_form(body_de="Zeile eins \r\nZeile zwei\r\n"))
    manager_client.post(answer.url, draft_form(body_de="Zeile eins \r\nZeile zwei\r\n", title_de="AGB"))
    version = LegalTextVersion.objects.get()  # one draft at a time
    assert (version.number, version.published_at, version.body_de) == (1, None, "Zeile eins\nZeile zwei")
    publish = reverse("consents:publish", args=[version.pk])
    assert manager_client.get(publish).status_code == 200
    assert [manager_client.post(publish).status_code for _n in range(2)] == [302, 302]
    version.refresh_from_db()
    assert version.sha256_de == sha256(b"AGB\nZeile eins\nZeile zwei").hexdigest()
    assert version.published_by.name == "Manager"
    for change in ({"body_de": "anders"}, {"valid_from": date(2020, 1, 1)}, {"published_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LegalTextVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalTextVersion.objects.filter(pk=version.pk).delete()
    manager_client.post(reverse("consents:discard", args=[version.pk]))
    assert LegalTextVersion.objects.filter(pk=version.pk).exists()


def test_published_texts_are_not_emptied_out_either():
    make_version()
    for table in ("consents_legaltextversion", "consents_legaltext"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL obhut.flush = ''")
            cursor.execute(f"TRUNCATE {table} CASCADE")
    assert texts.published().exists()


@pytest.mark.parametrize("change", ["key", "kind", "purpose"])
def test_what_a_published_text_is_called_and_what_it_is_for_stands_with_it(change):
    """A proof names a wording by key and version, and is one because of the purpose beside which it was shown."""
    text = make_text()
    another = {
        "key": "renamed",
        "kind": LegalText.Kind.SALE_NOTICE,
        "purpose": Purpose.objects.get(key="birthday"),
    }
    setattr(text, change, another[change])
    text.save()  # nobody has seen it yet
    make_version(text)
    before = LegalText.objects.values("key", "kind", "purpose").get()
    again = {"key": "once-more", "kind": LegalText.Kind.TERMS, "purpose": None}
    setattr(text, change, again[change])
    with pytest.raises(IntegrityError), transaction.atomic():
        text.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        LegalText.objects.filter(pk=text.pk).update(**{change: again[change]})
    assert LegalText.objects.values("key", "kind", "purpose").get() == before
    LegalText.objects.get().save()  # as it is


def test_the_fingerprint_does_not_depend_on_how_an_umlaut_is_written():
    assert texts.fingerprint("Für", "ä") == texts.fingerprint("Fu\u0308r", "a\u0308")
    assert texts.fingerprint("a", "b\nc") != texts.fingerprint("a", "b c")


def test_a_text_without_its_english_wording_is_not_published(manager_client):
    draft = texts.save_draft(make_text(), SAID | {"body_en": " "}, date(2026, 1, 1))
    assert manager_client.post(reverse("consents:publish", args=[draft.pk])).status_code == 422
    assert not texts.published().exists()


def test_the_same_words_are_not_published_twice(manager_client):
    text = make_text()
    make_version(text)
    again = texts.save_draft(text, SAID, date(2027, 1, 1))
    with pytest.raises(texts.TextRefused):
        texts.publish(again.pk, None)
    manager_client.post(reverse("consents:discard", args=[again.pk]))
    assert text.versions.count() == 1


def test_the_version_of_a_day_is_the_last_one_that_is_valid_on_it():
    text = make_text()
    old = make_version(text, valid_from=date(2025, 1, 1))
    new = make_version(text, valid_from=date(2026, 1, 1), body_de="Neu.")
    make_version(text, valid_from=date(2099, 1, 1), body_de="Später.")
    late = make_version(text, valid_from=date(2024, 1, 1), body_de="Alt, nachgetragen.")
    place_text(text, "newsletter")
    for day, wanted in (("2024-06-01", late), ("2025-12-31", old), ("2026-01-01", new)):
        assert [one.version for one in texts.texts_for("newsletter", date.fromisoformat(day))] == [wanted]
    assert texts.texts_for("newsletter", date(2023, 1, 1)) == []
    assert texts.texts_for("nowhere") == []


def test_two_versions_are_compared_word_by_word(manager_client):
    text = make_text()
    old = make_version(text)
    new = make_version(
        text, body_de="Ja, schreiben Sie mir von schönen Waren.\nIch kann jederzeit widersprechen.\nNeu."
    )
    found = compare(old, new, "de")
    assert found.paragraphs[0].pieces == [
        ("same", "Ja, schreiben Sie mir von "), ("gone", "neuen "), ("new", "schönen "), ("same", "Waren."),
    ]  # fmt: skip
    assert [paragraph.is_changed for paragraph in found.paragraphs] == [True, False, True]
    assert not compare(old, new, "en").is_changed
    page = manager_client.get(reverse("consents:compare", args=[text.pk]), {"a": old.pk, "b": new.pk}).text
    assert "<del>" in page
    assert "schönen" in page
    for bad in ({}, {"a": old.pk}, {"a": "x", "b": new.pk}, {"a": 0, "b": 0}):
        assert manager_client.get(reverse("consents:compare", args=[text.pk]), bad).status_code == 404


def test_a_sign_behind_a_word_and_the_blanks_are_no_change_of_the_word():
    text = make_text()
    old = make_version(text, body_de="Wir liefern binnen drei Tagen.\nIn unserem Laden.")
    new = make_version(text, body_de="Wir liefern  binnen drei Tagen, frei Haus.\nIn unserem Laden und per Telefon!")
    assert [paragraph.pieces for paragraph in compare(old, new, "de").paragraphs] == [
        [("same", "Wir liefern  binnen drei Tagen"), ("new", ", frei Haus"), ("same", ".")],
        [("same", "In unserem Laden "), ("gone", "."), ("new", "und per Telefon!")],
    ]


def test_long_texts_are_compared_in_a_moment():
    text = make_text()
    words = [f"Wort{n % 977} und der die das" for n in range(4_000)]
    old = make_version(text, body_de=" ".join(words))
    new = make_version(text, body_de=" ".join(words[::2] + words[1::2]))
    began = monotonic()
    compare(old, new, "de")
    assert monotonic() - began < 5


def test_who_saw_a_version_is_listed_by_pages(person, manager_client, agent_client):
    version = make_version()
    give(person, wording=version.wording("en"))
    hidden = make_person("4712", restricted_at=timezone.now())
    give(hidden, wording=version.wording("de"))
    page = reverse("consents:seen", args=[version.pk])
    shown = manager_client.get(page).text
    assert "4711" in shown
    assert "4712" not in shown
    assert "geschützter Datensatz" in shown
    due = [texts.Due(version, "show")]
    for n in range(PAGE + 3):
        texts.accept(make_person(f"5{n:03}").pk, due, "newsletter", language="de", source=Source.WEB_FORM)
    seen, cursor = 0, ""
    while True:
        answer = agent_client.get(page, {"of": "acceptances", "cursor": cursor})
        seen += len(answer.context["rows"])
        if not answer.context["next_url"]:
            break
        cursor = answer.context["next_url"].split("cursor=")[1]
    assert seen == PAGE + 3


def test_a_passage_is_noted_once_and_never_under_a_draft(person):
    text = make_text()
    version = make_version(text)
    due = [texts.Due(version, "accept")]
    at = datetime(2026, 3, 2, tzinfo=UTC)
    assert texts.accept(person.pk, due, "sign_up", language="de", source=Source.WEB_FORM, at=at) == 1
    assert texts.accept(person.pk, due, "sign_up", language="en", source=Source.WEB_FORM) == 0
    assert texts.accept(person.pk, due, "loyalty", language="de", source=Source.WEB_FORM) == 1
    assert Acceptance.objects.order_by("pk")[0].at == at
    draft = texts.save_draft(text, SAID | {"body_de": "Entwurf"}, date(2026, 1, 1))
    with pytest.raises(texts.NotPublished):
        texts.accept(person.pk, [texts.Due(draft, "accept")], "sign_up", language="de", source=Source.WEB_FORM)


def test_the_shop_says_which_text_is_due_where(manager_client):
    kind = OrderType.objects.create(name="Telefon")
    text = make_text("agb", kind="terms", purpose=None)
    page, place = reverse("consents:places"), f"order:{kind.pk}"
    form = {"place": place, "text": text.pk, "demand": "accept", "position": "10"}
    assert manager_client.post(page, form).status_code == 302
    assert manager_client.post(page, form).status_code == 422  # stands there already
    assert manager_client.post(page, form | {"place": "order:99"}).status_code == 422
    assert "keine veröffentlicht" in manager_client.get(page).text
    make_version(text)
    assert "Bestellung: Telefon" in manager_client.get(page).text
    assert str(places()[place]) == "Bestellung: Telefon"
    manager_client.post(reverse("consents:place_remove", args=[Placement.objects.get().pk]))
    assert not Placement.objects.exists()


def order_form(kind: OrderType, customer: Customer, **given: str) -> dict[str, str]:
    form = {
        "type": str(kind.pk), "token": str(uuid4()), "customer_number": customer.number, "currency": "EUR",
        "placed_at": "2026-11-20T10:00", "lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-name": "Kaffee",
        "lines-0-unit_price": "11,90", "lines-0-quantity": "1", "lines-0-tax_rate": "19", "billing_country": "DE",
    }  # fmt: skip
    return form | given


def test_an_order_keeps_the_version_that_it_accepted(person, agent_client, signed_in):
    kind = OrderType.objects.create(name="Telefon")
    terms, notice = make_text("agb", kind="terms", purpose=None), make_text("dse", kind="privacy_notice", purpose=None)
    first = make_version(terms, title_de="Unsere AGB", valid_from=date(2020, 1, 1))
    shown = make_version(notice, title_de="Datenschutzhinweise")
    place_text(terms, f"order:{kind.pk}")
    place_text(notice, f"order:{kind.pk}", Placement.Demand.SHOW)
    page = agent_client.get(reverse("orders:new"), {"type": kind.pk}).text
    assert "Die Kundin oder der Kunde hat angenommen: Unsere AGB" in page
    form = order_form(kind, person)
    assert agent_client.post(reverse("orders:new"), form).status_code == 422
    ticked = form | {f"text_{first.pk}": "on", f"text_{shown.pk}": "on"}
    for _n in range(2):
        assert agent_client.post(reverse("orders:new"), ticked).status_code == 302
    order = Order.objects.get()
    rows = Acceptance.objects.order_by("pk")
    assert [(row.version, row.demand, row.order_number, row.customer) for row in rows] == [
        (first, "accept", order.number, person), (shown, "show", order.number, person),
    ]  # fmt: skip
    second = make_version(terms, title_de="Unsere AGB", body_de="Andere.", valid_from=date(2026, 1, 1))
    # What was ticked for the version before does not count for the one that is valid now.
    assert agent_client.post(reverse("orders:new"), ticked | {"token": str(uuid4())}).status_code == 422
    detail = agent_client.get(reverse("orders:detail", args=[order.pk])).text
    assert reverse("consents:version", args=[first.pk]) in detail
    assert reverse("consents:version", args=[second.pk]) not in detail
    tax = signed_in(User.objects.create_user("tax@obhut.example", name="Tax", roles=[Role.TAX]))
    page = tax.get(reverse("orders:detail", args=[order.pk])).text
    assert "Unsere AGB" in page
    assert reverse("consents:version", args=[first.pk]) not in page
    assert texts_of_order(person.pk, "") == []


def test_an_order_of_before_a_new_version_stands_under_the_one_that_was_valid_then(person, agent_client):
    """Nobody has accepted in May what the shop's terms say since June."""
    kind = OrderType.objects.create(name="Brief")
    terms = make_text("agb", kind="terms", purpose=None)
    first = make_version(terms, title_de="Unsere AGB", valid_from=date(2026, 1, 1))
    second = make_version(terms, title_de="Unsere AGB", body_de="Andere.", valid_from=date(2026, 6, 1))
    place_text(terms, f"order:{kind.pk}")
    # Half past midnight in Hamburg is the first of June, in UTC still the last of May.
    for placed, due in (("2026-05-31T23:30", first), ("2026-06-01T00:30", second), ("2026-11-20T10:00", second)):
        (other,) = {first, second} - {due}
        form = order_form(kind, person, placed_at=placed)
        wrong = agent_client.post(reverse("orders:new"), form | {f"text_{other.pk}": "on"})
        assert wrong.status_code == 422
        assert f'name="text_{due.pk}"' in wrong.text
        assert f'name="text_{other.pk}"' not in wrong.text
        more = agent_client.post(reverse("orders:new"), form | {"more": "1"}).text
        assert f'name="text_{due.pk}"' in more
        assert agent_client.post(reverse("orders:new"), form | {f"text_{due.pk}": "on"}).status_code == 302
        kept = Acceptance.objects.latest("pk")
        assert (kept.version, kept.at) == (due, Order.objects.latest("pk").placed_at)
    # Before the first version nothing was due.
    early = order_form(kind, person, placed_at="2025-12-31T10:00")
    assert agent_client.post(reverse("orders:new"), early).status_code == 302
    assert Acceptance.objects.count() == 3


def test_an_erasure_takes_the_acceptances_and_makes_those_of_orders_anonymous(person):
    version = make_version()
    due = [texts.Due(version, "accept")]
    texts.accept(person.pk, due, "sign_up", language="de", source=Source.WEB_FORM)
    texts.accept(person.pk, due, "order:1", language="de", source=Source.SALE, order_number="B-1")
    erasure = ask_erasure(person)
    run_erasure(erasure.pk)
    assert not Customer.objects.filter(pk=person.pk).exists()
    assert list(Acceptance.objects.values_list("customer", "order_number")) == [(None, "")]


def purpose_form(**given: object) -> dict[str, object]:
    return {
        "name_de": "Katalog", "name_en": "Catalogue", "description_de": "Ein Katalog.",
        "description_en": "A catalogue.", "basis": "consent", "channels": ["post"], "advertising": "on",
        "message_class": "", "minimum_age": "de 16, AT 14", "warn_months": "24", "stale_months": "36",
        "position": "200",
    } | given  # fmt: skip


def test_the_shop_adds_edits_and_retires_purposes(manager_client, person):
    assert manager_client.post(reverse("consents:purpose_new"), purpose_form(key="katalog")).status_code == 302
    purpose = Purpose.objects.get(key="katalog")
    assert purpose.minimum_age == {"DE": 16, "AT": 14}
    url = reverse("consents:purpose", args=[purpose.pk])
    manager_client.post(url, purpose_form(key="anders", name_de="Kataloge"))
    purpose.refresh_from_db()
    assert (purpose.key, purpose.name_de) == ("katalog", "Kataloge")
    for wrong in (
        {"warn_months": "36", "stale_months": "24"}, {"minimum_age": "Deutschland"}, {"channels": ["brieftaube"]},
        {"existing_customers": "on"}, {"warn_months": "3", "stale_months": ""}, {"minimum_age": "DE 99"},
        {"minimum_age": "DE 16, DE 14"}, {"warn_months": "", "stale_months": "0"}, {"warn_months": "0"},
    ):  # fmt: skip
        assert manager_client.post(url, purpose_form(**wrong)).status_code == 422
    retire = reverse("consents:purpose_retire", args=[purpose.pk])
    assert manager_client.post(retire).status_code == 400
    manager_client.post(retire, {"retired": "yes"})
    assert consents.may(person, "katalog", "post").reason == "retired"
    manager_client.post(retire, {"retired": "no"})
    assert consents.may(person, "katalog", "post").reason == "never_asked"


def test_a_changed_purpose_takes_its_states_along(manager_client, person):
    give(person, at=timezone.now() - timedelta(days=500))
    purpose = Purpose.objects.get(key="newsletter")
    form = {
        "name_de": "Newsletter", "name_en": "Newsletter", "description_de": "Neues.", "description_en": "News.",
        "basis": "consent", "channels": ["email", "sms"], "advertising": "on", "double_opt_in": "on",
        "existing_customers": "on", "message_class": "advertising", "minimum_age": "", "warn_months": "6",
        "stale_months": "12", "position": "10",
    }  # fmt: skip
    url = reverse("consents:purpose", args=[purpose.pk])
    assert manager_client.post(url, form).status_code == 302
    assert consents.may(person, "newsletter", "email").reason == "stale"
    assert compare_states().ok
    manager_client.post(url, form | {"stale_months": "", "warn_months": ""})
    assert State.objects.get().fresh_until is None
    assert consents.may(person, "newsletter", "email").reason == "consent"
    assert compare_states().ok


def test_a_purpose_that_nobody_can_be_asked_for_says_how_its_wording_is_published(manager_client):
    purpose = Purpose.objects.get(key="tracking")
    page, begin = reverse("consents:purpose", args=[purpose.pk]), reverse("consents:text_new")
    listed = manager_client.get(reverse("consents:purposes")).text
    assert listed.count("kein Wortlaut veröffentlicht") == Purpose.objects.filter(basis="consent").count()
    assert f"{begin}?purpose={purpose.pk}" in manager_client.get(page).text
    form = manager_client.get(begin, {"purpose": purpose.pk}).context["form"]
    assert (form["kind"].value(), form["purpose"].value()) == ("consent", str(purpose.pk))
    draft = manager_client.post(begin, {"key": "tracking", "kind": "consent", "purpose": purpose.pk})["Location"]
    saved = manager_client.post(draft, SAID | {"valid_from": "2026-01-01"})["Location"]
    assert begin in manager_client.get(page).text  # a draft is no wording yet
    manager_client.post(f"{saved}publish/")
    assert begin not in manager_client.get(page).text
    assert manager_client.get(begin, {"purpose": "x"}).status_code == 200


@pytest.mark.parametrize("name", ["purposes", "purpose_new", "places", "text_new"])
def test_the_desk_reads_texts_and_changes_none(agent_client, manager_client, name):
    assert agent_client.get(reverse(f"consents:{name}")).status_code == 403
    assert manager_client.get(reverse(f"consents:{name}")).status_code == 200
    assert agent_client.get(reverse("consents:texts")).status_code == 200


# Two at one text


def hidden(page: str, name: str = "read") -> str:
    """What a page sends back of what its reader has seen."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return found[1]


def test_only_what_was_read_is_published(manager_client):
    """What is published stands for ever: a colleague's change of the last minute has to be read first."""
    text = make_text()
    draft = texts.save_draft(text, SAID, date(2026, 1, 1))
    page = manager_client.get(reverse("consents:version", args=[draft.pk])).text
    confirm = re.search(rf'href="({reverse("consents:publish", args=[draft.pk])}[^"]*)"', page)
    texts.save_draft(text, SAID | {"body_en": "Something else."}, date(2026, 1, 1))
    assert confirm is not None
    asked = manager_client.get(unescape(confirm[1])).text
    answer = manager_client.post(reverse("consents:publish", args=[draft.pk]), {"read": hidden(asked)})
    assert answer.status_code == 409
    assert "inzwischen geändert" in answer.text
    assert not texts.published().exists()
    page = manager_client.get(reverse("consents:version", args=[draft.pk])).text
    confirm = re.search(rf'href="({reverse("consents:publish", args=[draft.pk])}[^"]*)"', page)
    assert confirm is not None
    asked = manager_client.get(unescape(confirm[1])).text
    assert manager_client.post(reverse("consents:publish", args=[draft.pk]), {"read": hidden(asked)}).status_code == 302
    assert texts.published().get().body_en == "Something else."


def test_two_who_edit_one_draft_lose_nothing(manager_client):
    text = make_text()
    page = reverse("consents:draft", args=[text.pk])
    first, second = (hidden(manager_client.get(page).text) for _tab in range(2))
    assert manager_client.post(page, draft_form(body_de="Die eine.", read=first)).status_code == 302
    answer = manager_client.post(page, draft_form(body_de="Die andere.", read=second))
    assert answer.status_code == 409
    assert "Die eine." in answer.text and "Die andere." in answer.text
    assert text.versions.get().body_de == "Die eine."
    assert manager_client.post(page, draft_form(body_de="Beide.", read=hidden(answer.text))).status_code == 302
    assert text.versions.get().body_de == "Beide."


def test_a_draft_that_was_published_meanwhile_becomes_the_next_one_only_when_its_writer_says_so(manager_client):
    text = make_text()
    draft = texts.save_draft(text, SAID, date(2026, 1, 1))
    page = reverse("consents:draft", args=[text.pk])
    read = hidden(manager_client.get(page).text)
    texts.publish(draft.pk, None)
    answer = manager_client.post(page, draft_form(body_de="Neu.", read=read))
    assert answer.status_code == 409
    assert text.versions.count() == 1
    assert manager_client.post(page, draft_form(body_de="Neu.", read=hidden(answer.text))).status_code == 302
    assert [(one.number, one.published_at is None) for one in text.versions.order_by("number")] == [
        (1, False), (2, True),
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("other", ["save", "discard", "publish"])
def test_whoever_comes_while_a_draft_is_published_finds_it_published(other):
    text = make_text()
    draft = texts.save_draft(text, SAID, date(2026, 1, 1))
    stories = {
        "save": lambda: texts.save_draft(text, SAID | {"body_de": "Neu."}, date(2026, 1, 1)),
        "discard": lambda: texts.discard(draft.pk),
        "publish": lambda: texts.publish(draft.pk, None),
    }
    with meanwhile(stories[other]):
        texts.publish(draft.pk, None)
    assert texts.published().get().body_de == SAID["body_de"]
    assert text.versions.count() == (2 if other == "save" else 1)
