"""A customer reads and accepts the texts of a place by a link of the desk: signed, once, without signing in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consents import passing
from consents.models import Acceptance, LegalTextVersion, Placement
from consents.passing import due_to, url_of
from consents.tokens import PlaceTicket, Ticket, place_token, read_place_token, unsubscribe_token
from customers.models import Customer
from privacy.erasing import ask_erasure, run_erasure
from tests.consents.publishing import make_text, make_version, place_text
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

SHOW = Placement.Demand.SHOW


@pytest.fixture
def texts() -> tuple[LegalTextVersion, LegalTextVersion]:
    """Terms to be accepted in the loyalty programme, and a notice to be shown there."""
    agb, dse = make_text("agb", kind="terms", purpose=None), make_text("dse", kind="privacy_notice", purpose=None)
    made = (
        make_version(agb, title_de="Treueregeln", title_en="Rules", body_de="Punkte verfallen.", body_en="They end."),
        make_version(dse, title_de="Datenschutz", title_en="Privacy", body_de="Hinweise.", body_en="Notes."),
    )
    place_text(agb, "loyalty")
    place_text(dse, "loyalty", SHOW)
    return made


@pytest.fixture
def alma() -> Customer:
    return make_person("4711")


def path_of(customer: Customer, place: str = "loyalty") -> str:
    return "/" + url_of(customer, place).split("/", 3)[3]


def answer_to(texts, **said: str) -> dict[str, str]:
    """What the page sends where everything is ticked."""
    agb, dse = texts
    return {"seen": f"{agb.pk}.{dse.pk}", f"accept-{agb.pk}": "on", "answer": "accept"} | said


def noted() -> list[tuple[object, ...]]:
    fields = ("customer__number", "version", "demand", "place", "language", "source")
    return list(Acceptance.objects.order_by("version").values_list(*fields))


def test_looking_notes_nothing_and_sets_no_cookie(alma, texts):
    client = Client()
    for method in (client.get, client.head, client.get):
        page = method(path_of(alma))
        assert page.status_code == 200
        assert not page.cookies
        assert page["Referrer-Policy"] == "no-referrer"
    assert "Ich nehme an: Treueregeln" in page.text and "Punkte verfallen." in page.text and "Hinweise." in page.text
    assert "checked" not in page.text and "<script" not in page.text.split("<body>")[1]
    # Nobody is named: a link in the wrong hands tells nothing about whom it was made for.
    assert "4711" not in page.text and "Alma" not in page.text
    assert noted() == []


def test_who_accepts_is_noted_once_however_often(alma, texts):
    client, path = Client(enforce_csrf_checks=True), path_of(alma)
    for _ in range(2):
        answer = client.post(path, answer_to(texts))
        assert (answer.status_code, not answer.cookies) == (200, True)
        assert "Wir haben vermerkt" in answer.text
    agb, dse = texts
    stands = [
        ("4711", agb.pk, "accept", "loyalty", "de", "self_service"),
        ("4711", dse.pk, "show", "loyalty", "de", "self_service"),
    ]
    assert noted() == stands
    assert due_to(alma.pk, "loyalty") == []
    assert "nichts anzunehmen" in client.get(path).text
    # Another link of the same place notes nothing anew, nor does refusing take anything back.
    client.post(path_of(alma), answer_to(texts))
    client.post(path, answer_to(texts, answer="refuse"))
    assert noted() == stands


def test_who_refuses_is_told_that_nothing_was_noted(alma, texts):
    answer = Client().post(path_of(alma), answer_to(texts, answer="refuse"))
    assert answer.status_code == 200 and "Sie haben nicht angenommen" in answer.text
    assert noted() == []
    assert len(due_to(alma.pk, "loyalty")) == 2


@pytest.mark.parametrize("body", ["nothing", "no tick", "another version", "not what was shown", "no form at all"])
def test_what_was_not_seen_or_not_ticked_is_not_noted(alma, texts, body):
    client, path, (agb, _dse) = Client(), path_of(alma), texts
    if body == "no form at all":
        answer = client.post(path, b"\xff\x00{", content_type="multipart/form-data; boundary=x")
    else:
        answer = client.post(path, {
            "nothing": {},
            "no tick": answer_to(texts, **{f"accept-{agb.pk}": ""}),
            "another version": {"seen": "1.2", f"accept-{agb.pk + 99}": "on"},
            "not what was shown": answer_to(texts, seen=str(agb.pk)),
        }[body])  # fmt: skip
    assert answer.status_code == 422
    assert "Treueregeln" in answer.text
    assert noted() == []


def test_a_version_published_meanwhile_is_read_first(alma, texts):
    sent = answer_to(texts)
    make_version(texts[0].text, number=2, title_de="Treueregeln", title_en="Rules", body_de="Neu.", body_en="New.",
                 valid_from=date(2021, 1, 1))  # fmt: skip
    answer = Client().post(path_of(alma), sent)
    assert answer.status_code == 422
    assert "inzwischen geändert" in answer.text and "Neu." in answer.text
    assert noted() == []


def test_where_nothing_must_be_accepted_nobody_is_asked_to(alma, texts):
    Placement.objects.filter(text=texts[0].text).delete()
    path = path_of(alma)
    page = Client().get(path).text
    assert "Ich habe es gesehen" in page and "Ich nehme nicht an" not in page
    assert Client().post(path).status_code == 422  # a scanner that posts has seen nothing
    assert Client().post(path, {"seen": str(texts[1].pk)}).status_code == 200
    assert noted() == [("4711", texts[1].pk, "show", "loyalty", "de", "self_service")]


def test_the_page_speaks_the_language_of_the_customer(alma, texts):
    Customer.objects.filter(pk=alma.pk).update(language="en")
    path = path_of(alma)
    assert "I accept: Rules" in Client().get(path).text
    Client().post(path, answer_to(texts))
    assert {row[4] for row in noted()} == {"en"}


def test_forged_foreign_and_old_links_note_nothing(alma, texts):
    client, good = Client(), place_token(PlaceTicket(alma.pk, "loyalty", timezone.now() + timedelta(days=1)))
    foreign = unsubscribe_token(Ticket(alma.pk, 1, uuid4(), b"x" * 34))
    for token, status in (
        (good[:-2] + ("AA" if good[-2:] != "AA" else "BB"), 404),
        ("A" * 60, 404),
        (foreign, 404),
        (place_token(PlaceTicket(alma.pk, "loyalty", timezone.now() - timedelta(seconds=1))), 410),
        (place_token(PlaceTicket(alma.pk + 10_000, "loyalty", timezone.now() + timedelta(days=1))), 410),
        (place_token(PlaceTicket(alma.pk, "desk", timezone.now() + timedelta(days=1))), 410),
        (place_token(PlaceTicket(alma.pk, "order:1", timezone.now() + timedelta(days=1))), 410),
    ):
        url = reverse("opt_in:place", args=[token])
        assert client.get(url).status_code == status
        assert client.post(url, answer_to(texts)).status_code == status
    # Nor does a link to a place unsubscribe anybody.
    assert client.post(reverse("opt_in:unsubscribe", args=[good])).status_code == 404
    assert read_place_token(good).place == "loyalty"
    assert noted() == []


@pytest.mark.parametrize("change", ["restricted_at", "deactivated_at"])
def test_with_protected_data_nothing_new_is_begun(alma, texts, agent_client, signed_in, change):
    path = path_of(alma)
    Customer.objects.filter(pk=alma.pk).update(**{change: timezone.now()})
    alma.refresh_from_db()
    assert Client().get(path).status_code == 410
    assert Client().post(path, answer_to(texts)).status_code == 410
    assert passing.invitations_for(alma) == []
    assert noted() == []


def test_after_an_erasure_the_link_is_over(alma, texts):
    path = path_of(alma)
    assert run_erasure(ask_erasure(alma).pk).state == "done"
    assert Client().post(path, answer_to(texts)).status_code == 410
    assert noted() == []


def test_the_desk_finds_a_link_for_each_place_at_which_something_is_due(alma, texts, agent_client, outsider_client):
    place_text(texts[0].text, "questionnaire")
    place_text(texts[0].text, "sign_up")
    url = reverse("consents:customer", args=["4711"])
    links = [one.url for one in agent_client.get(url).context["invitations"]]
    assert len(links) == 2
    page = agent_client.get(url).text
    assert "Fällige Texte" in page and page.count("readonly") == 2 and "Treueregeln, Datenschutz" in page
    assert Client().post("/" + links[0].split("/", 3)[3], answer_to(texts)).status_code == 200
    assert [str(one.place) for one in agent_client.get(url).context["invitations"]] == ["Fragebogen"]
    assert outsider_client.get(url).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_note_it_once(texts):
    alma = make_person("4711")
    path = path_of(alma)

    def click(_n: int) -> int:
        try:
            return Client().post(path, answer_to(texts)).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(click, range(4))) == {200}
    assert len(noted()) == 2
