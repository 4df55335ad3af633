"""The table of places decides which texts are accepted or shown: on the sign-up page, at the desk, on pages to come."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from consents.models import Acceptance, LegalText, LegalTextVersion, PendingOptIn, Placement
from consents.passing import TextsMissing, due_to, pass_place
from customers.models import Customer
from customers.placing import BY_LINK, places
from tests.consents.publishing import make_text, make_version, place_text
from tests.consents.signing_up import MAIL, form_of, link_of, publish
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

SIGN_UP = "/c/sign-up/"
YES = {"yes-newsletter": "on"}


@pytest.fixture(autouse=True)
def wording(db):
    return publish()


def terms(**said: str) -> LegalTextVersion:
    text = make_text("agb", kind="terms", purpose=None)
    return make_version(
        text, **{"title_de": "AGB", "title_en": "Terms", "body_de": "Regeln.", "body_en": "Rules."} | said
    )


def notice() -> LegalTextVersion:
    text = make_text("dse", kind="privacy_notice", purpose=None)
    return make_version(text, title_de="Datenschutz", title_en="Privacy", body_de="Hinweise.", body_en="Notes.")


@pytest.fixture
def placed() -> tuple[LegalTextVersion, LegalTextVersion]:
    """Terms to be accepted and a notice to be shown, on the sign-up page."""
    made = terms(), notice()
    place_text(made[0].text, "sign_up")
    place_text(made[1].text, "sign_up", Placement.Demand.SHOW)
    return made


def noted() -> list[tuple[object, ...]]:
    fields = ("version", "demand", "place", "language", "source")
    return list(Acceptance.objects.order_by("version").values_list(*fields))


# The sign-up page


def test_the_page_shows_what_the_table_names_and_ticks_nothing(client, placed):
    page = client.get(SIGN_UP).text
    assert "Ich nehme an: AGB" in page and "Regeln." in page and "Hinweise." in page
    assert page.count('type="checkbox"') == 2
    assert "checked" not in page
    # The notice stands on the page; it is not linked a second time.
    assert reverse("opt_in:privacy_notice") not in page
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "I accept: Terms" in (english := client.get(SIGN_UP).text) and "Rules." in english


def test_without_a_line_in_the_table_nothing_more_is_asked(client):
    assert client.get(SIGN_UP).text.count('type="checkbox"') == 1
    assert client.post(SIGN_UP, form_of(client, **YES)).status_code == 302
    assert PendingOptIn.objects.get().texts == []


def test_a_missing_acceptance_is_said_at_its_box_and_nothing_is_lost(client, placed):
    answer = client.post(SIGN_UP, form_of(client, born="1990-02-03", **YES))
    assert answer.status_code == 422
    box = f"accept-{placed[0].pk}"
    assert f'id="id_{box}-error">Ohne das können wir Sie nicht anmelden.' in answer.text
    assert f'aria-describedby="id_{box}-error"' in answer.text
    assert MAIL in answer.text and "1990-02-03" in answer.text and answer.text.count(" checked") == 1
    assert "inzwischen geändert" not in answer.text
    assert not PendingOptIn.objects.exists()


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_was_accepted_and_shown_counts_once_the_address_is_confirmed(client, placed, language):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    assert client.post(SIGN_UP, form_of(client, **YES, **{f"accept-{placed[0].pk}": "on"})).status_code == 302
    assert noted() == []
    pending = PendingOptIn.objects.get()
    for _n in range(2):
        Client().post(link_of(pending))
    assert noted() == [
        (placed[0].pk, "accept", "sign_up", language, "web_form"),
        (placed[1].pk, "show", "sign_up", language, "web_form"),
    ]
    assert {row.at for row in Acceptance.objects.all()} == {pending.asked_at}
    customer = Customer.objects.get()
    assert {row.customer for row in Acceptance.objects.all()} == {customer}


def test_a_version_published_meanwhile_has_to_be_read_and_accepted_first(client, placed):
    form = form_of(client, **YES, **{f"accept-{placed[0].pk}": "on"})
    newer = terms(body_de="Neue Regeln.", valid_from=date(2021, 1, 1))
    answer = client.post(SIGN_UP, form)
    assert answer.status_code == 422
    assert "Neue Regeln." in answer.text and "inzwischen geändert" in answer.text
    # The yes to the newsletter, whose wording is the same, is still there; the new text is not accepted.
    assert answer.text.count(" checked") == 1
    again = form_of(client, **YES, **{f"accept-{newer.pk}": "on"})
    assert client.post(SIGN_UP, again).status_code == 302
    assert [one["version"] for one in PendingOptIn.objects.get().texts] == [newer.pk, placed[1].pk]


def test_a_notice_that_was_not_shown_is_not_noted_as_shown(client):
    shown = notice()
    place_text(shown.text, "sign_up", Placement.Demand.SHOW)
    form = form_of(client, **YES)
    form.pop("seen")
    assert client.post(SIGN_UP, form).status_code == 422
    assert not PendingOptIn.objects.exists()


def test_a_text_that_is_not_valid_yet_is_not_asked_for(client):
    place_text(make_text("agb", kind="terms", purpose=None), "sign_up")
    terms(valid_from=date(2099, 1, 1))
    assert client.post(SIGN_UP, form_of(client, **YES)).status_code == 302


# The desk


def new_customer(**given: str) -> dict[str, str]:
    return {"token": str(uuid4()), "kind": "person", "status": "account", "language": "en", "last_name": "Vogt"} | given


def test_the_desk_confirms_what_the_table_names_for_a_new_customer(agent_client):
    version, shown, page = terms(), notice(), reverse("customers:create")
    assert agent_client.post(page, new_customer(last_name="Ohne")).status_code == 302
    assert noted() == []
    place_text(version.text, "desk")
    place_text(shown.text, "desk", Placement.Demand.SHOW)
    assert "Die Kundin oder der Kunde hat angenommen: AGB" in agent_client.get(page).text
    refused = agent_client.post(page, new_customer())
    assert refused.status_code == 422 and "Vogt" in refused.text
    ticked = new_customer(**{f"text_{version.pk}": "on", f"text_{shown.pk}": "on"})
    for _n in range(2):
        assert agent_client.post(page, ticked).status_code == 302
    assert noted() == [(version.pk, "accept", "desk", "en", "desk"), (shown.pk, "show", "desk", "en", "desk")]
    assert {row.customer.last_name for row in Acceptance.objects.all()} == {"Vogt"}


# What a page by link asks


def test_a_first_start_lets_nobody_through_before_the_texts_of_the_table(placed):
    person = make_person("4711")
    assert due_to(person.pk, "first_start") == []
    place_text(placed[0].text, "first_start")
    place_text(placed[1].text, "first_start", Placement.Demand.SHOW)
    assert [one.version for one in due_to(person.pk, "first_start")] == list(placed)
    with pytest.raises(TextsMissing) as missing:
        pass_place(person.pk, "first_start", {placed[1].pk}, language="de", source="self_service")
    assert [one.version for one in missing.value.due] == [placed[0]]
    assert noted() == []
    seen = {version.pk for version in placed}
    assert pass_place(person.pk, "first_start", seen, language="de", source="self_service") == 2
    assert due_to(person.pk, "first_start") == []
    assert pass_place(person.pk, "first_start", (), language="de", source="self_service") == 0
    newer = terms(body_de="Neue Regeln.", valid_from=date(2021, 1, 1))
    assert [one.version for one in due_to(person.pk, "first_start")] == [newer]


def test_who_was_shown_a_text_accepts_it_once_the_table_demands_that():
    person, version = make_person("4711"), terms()
    line = place_text(version.text, "loyalty", Placement.Demand.SHOW)
    pass_place(person.pk, "loyalty", {version.pk}, language="de", source="self_service")
    line.demand = Placement.Demand.ACCEPT
    line.save()
    assert pass_place(person.pk, "loyalty", {version.pk}, language="en", source="self_service") == 1
    assert noted() == [(version.pk, "accept", "loyalty", "en", "self_service")]
    line.demand = Placement.Demand.SHOW
    line.save()
    assert due_to(person.pk, "loyalty") == []


# The table itself


def test_the_table_says_which_places_a_page_asks(manager_client):
    page = manager_client.get(reverse("consents:places")).text
    assert page.count(">über einen Link<") == len(BY_LINK) == 3
    assert page.count(">in Gebrauch<") == len(places()) - 3


@pytest.mark.parametrize(("place", "demand"), [("first_start", "accept"), ("sign_up", "show"), ("sign_up", "accept")])
def test_a_consent_is_no_condition(manager_client, place, demand):
    form = {"place": place, "text": make_text().pk, "demand": demand, "position": "10"}
    answer = manager_client.post(reverse("consents:places"), form)
    assert answer.status_code == 422 and "Art. 7 Abs. 4" in answer.text
    assert not Placement.objects.exists()


def test_what_was_due_at_the_newsletter_form_is_due_on_the_sign_up_page():
    agb, dse = make_text("agb", kind="terms", purpose=None), make_text("dse", kind="privacy_notice", purpose=None)
    place_text(agb, "sign_up", Placement.Demand.SHOW)
    for text in (agb, dse, make_text()):
        place_text(text, "newsletter")
    migration = import_module("consents.migrations.0009_texts_of_sign_ups")
    with connection.schema_editor() as editor:
        migration.one_place(apps, editor)
    found = Placement.objects.order_by("pk").values_list("place", "text__kind", "demand")
    assert list(found) == [
        ("sign_up", LegalText.Kind.TERMS, "show"),
        ("sign_up", LegalText.Kind.PRIVACY_NOTICE, "accept"),
    ]
