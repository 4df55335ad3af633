"""Somebody works on the page of a customer who is erased meanwhile: a clear answer, and nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from customers.models import Customer, Note, Origin
from datamap import accesslog
from interactions.models import Interaction
from orders.models import Order
from privacy.erasing import ask_erasure, run_erasure
from tests.customers.making import sheet_of
from tests.interactions.factories import log_form
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def customer(transactional_db: None) -> Customer:
    return make_person()


def changed(client: Client, customer: Customer) -> dict[str, Any]:
    """What a browser sends that has the page of this customer open, and a new name typed in."""
    return sheet_of(client.get(reverse("customers:edit", args=[customer.number]))) | {"last_name": "Neuname"}


def erase(customer: Customer) -> None:
    assert run_erasure(ask_erasure(customer).pk).state == "done"


def test_every_page_of_an_erased_customer_says_so(agent_client, privacy_client, customer) -> None:
    erase(customer)
    for client, name in (
        (agent_client, "portal:customer_detail"),
        (agent_client, "customers:edit"),
        (agent_client, "interactions:log"),
        (privacy_client, "privacy:customer"),
        (privacy_client, "privacy:restrict"),
    ):
        answer = client.get(reverse(name, args=[customer.number]))
        assert answer.status_code == 410, name
        assert "Dieser Kunde ist gelöscht" in answer.text
    assert agent_client.get(reverse("portal:customer_detail", args=["0815"])).status_code == 404


def test_a_form_opened_before_the_erasure_changes_nothing(agent_client, customer) -> None:
    sent = changed(agent_client, customer)
    erase(customer)
    before = Origin.objects.count()
    answers = [
        agent_client.post(reverse("customers:edit", args=[customer.number]), sent),
        agent_client.post(reverse("customers:note_add", args=[customer.number]), {"text": "Ruft gern an."}),
        agent_client.post(reverse("interactions:log", args=[customer.number]), log_form(content="Hallo")),
    ]
    assert [answer.status_code for answer in answers] == [410, 410, 410]
    assert not Customer.objects.exists() and not Note.objects.exists() and not Interaction.objects.exists()
    assert not Customer.history.exists()
    assert Origin.objects.count() == before


@pytest.mark.parametrize("page", ["customers:edit", "customers:note_add", "interactions:log"])
def test_an_erasure_between_the_door_and_the_saving_wins(page: str, agent_client, customer, monkeypatch) -> None:
    forms: dict[str, Callable[[], dict[str, Any]]] = {
        "customers:edit": lambda: changed(agent_client, customer),
        "customers:note_add": lambda: {"text": "Ruft gern an."},
        "interactions:log": lambda: log_form(content="Hallo"),
    }
    sent = forms[page]()
    write = accesslog.record

    def record(*told: Any) -> None:
        """The door has let the person in; the erasure ends before the page goes on."""
        write(*told)
        monkeypatch.setattr(accesslog, "record", write)
        erase(customer)

    monkeypatch.setattr(accesslog, "record", record)
    answer = agent_client.post(reverse(page, args=[customer.number]), sent)
    assert answer.status_code == 410
    assert "nichts wurde gespeichert" in answer.text
    for model in (Customer, Note, Interaction, Order, Customer.history.model):
        assert not model._base_manager.exists()
    connection.check_constraints()


@pytest.mark.parametrize("page", ["customers:edit", "interactions:log"])
def test_a_customer_whose_import_is_taken_back_meanwhile_was_not_erased(
    page: str, agent_client, customer, monkeypatch
) -> None:
    sent = changed(agent_client, customer) if page == "customers:edit" else log_form(content="Hallo")
    write = accesslog.record

    def record(*told: Any) -> None:
        """The row goes between the door and the saving, and nobody was erased."""
        write(*told)
        monkeypatch.setattr(accesslog, "record", write)
        customer.delete()

    monkeypatch.setattr(accesslog, "record", record)
    answer = agent_client.post(reverse(page, args=[customer.number]), sent)
    assert answer.status_code == 404
    assert "gelöscht" not in answer.text
    assert not Customer.objects.exists() and not Interaction.objects.exists()
