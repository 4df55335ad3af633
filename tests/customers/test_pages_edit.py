"""Changing a customer: rows beside the master data, and two editors at once."""

import json
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from customers import suppression, tombstones
from customers.models import Address, ContactPerson, ContactPoint, Customer, Preference, Tag, Tombstone
from datamap.models import AccessLog
from portal.tagging import tag_customers, untag_customers
from staff.models import RolePermission
from tests.customers.making import sheet_of
from tests.portal.factories import make_customer

pytestmark = pytest.mark.django_db

ROWS = {
    "addresses": ("kind", "recipient", "street", "postcode", "city", "country", "is_default"),
    "points": ("kind", "value", "label", "is_primary"),
    "persons": ("salutation", "first_name", "last_name", "position", "email", "phone"),
}


@pytest.fixture
def customer(db):
    return make_customer("10482", first_name="Jürgen", last_name="Müller", email="j@example.org", phone="+49405550142")


def url(customer):
    return reverse("customers:edit", args=[customer.number])


def opened(browser, customer):
    response = browser.get(url(customer))
    assert response.status_code == 200
    return sheet_of(response)


def resubmitted(response, **answers):
    """What the conflict page sends, with answers for some fields and its own proposals for the others."""
    conflict = response.context["conflict"]
    data = {}
    for key, value in conflict.typed:
        data.setdefault(key, []).append(value)
    data["version"] = str(response.context["customer"].version)
    data["base"] = response.context["base"]
    for one in conflict.differences:
        data[f"take-{one.key}"] = answers.get(one.key, one.chosen)
    return data


def differences(response):
    return {one.key: (one.theirs, one.mine, one.chosen) for one in response.context["conflict"].differences}


def test_who_may_edit(client, agent_client, manager_client, outsider_client, customer):
    assert client.get(url(customer)).status_code == 302
    assert outsider_client.get(url(customer)).status_code == 403
    assert manager_client.get(url(customer)).status_code == 200
    assert agent_client.get(url(customer)).status_code == 200
    assert AccessLog.objects.filter(customer_number="10482", page="customers:edit").count() == 2


@pytest.mark.parametrize("number", ["99999", "%00", "x" * 400, "..%2F"])
def test_an_unknown_number_is_404(agent_client, customer, number):
    assert agent_client.get(f"/customers/{number}/edit/").status_code == 404


def test_a_restricted_customer_does_not_exist_for_the_service(agent_client, agent, customer):
    data = opened(agent_client, customer)
    Customer.objects.update(restricted_at=timezone.now())
    for name in ("edit", "deactivate", "reactivate", "note_add", "flag_set"):
        address = reverse(f"customers:{name}", args=[customer.number])
        assert agent_client.get(address).status_code == 404
        assert agent_client.post(address, data).status_code == 404


def test_whoever_sees_a_restricted_customer_still_may_not_change_it(agent_client, agent, customer):
    RolePermission.objects.update_or_create(
        role=agent.roles.get(), permission="customers.restricted", defaults={"granted": True}
    )
    data = opened(agent_client, customer) | {"last_name": "Anders"}
    Customer.objects.update(restricted_at=timezone.now())
    assert agent_client.post(url(customer), data).status_code == 302
    customer.refresh_from_db()
    assert customer.last_name == "Müller"


def test_saving_without_a_change_changes_no_row_beside(agent_client, customer):
    address, point = Address.history.count(), ContactPoint.history.count()
    response = agent_client.post(url(customer), opened(agent_client, customer))
    assert response.status_code == 302
    assert (Address.history.count(), ContactPoint.history.count()) == (address, point)
    assert Customer.objects.get().version == customer.version + 1


def test_master_data_tags_and_preferences_are_saved_with_who_did_it(agent_client, agent, customer):
    data = opened(agent_client, customer)
    data |= {
        "last_name": "Möller",
        "tags": "Neu, neu",
        "channels": ["phone"],
        "interests": "Tee",
        "said_by": "staff",
    }
    assert agent_client.post(url(customer), data).status_code == 302
    customer.refresh_from_db()
    assert customer.last_name == "Möller"
    assert customer.history.first().history_user == agent
    assert list(customer.customer_tags.values_list("tag__name", flat=True)) == ["Neu"]
    assert set(customer.preferences.values_list("kind", "value", "said_by")) == {
        ("channel", "phone", "staff"),
        ("interest", "Tee", "staff"),
    }


def test_a_preference_that_stays_keeps_its_source(agent_client, customer):
    Preference.objects.create(customer=customer, kind="channel", value="email", said_by="file")
    data = opened(agent_client, customer)
    assert data["channels"] == ["email"]
    agent_client.post(url(customer), data | {"channels": ["email", "sms"], "said_by": "customer"})
    assert set(customer.preferences.values_list("value", "said_by")) == {
        ("email", "file"),
        ("sms", "customer"),
    }


def test_rows_are_added_changed_and_removed(agent_client, agent, customer):
    old = customer.addresses.get()
    phone = customer.contact_points.get(kind="phone")
    ContactPoint.objects.filter(kind="email").update(verified_at=timezone.now())
    data = opened(agent_client, customer)
    data |= {"addresses-0-street": "Elbchaussee 14"}
    data |= {f"addresses-1-{name}": "" for name in ROWS["addresses"] if name != "is_default"}
    data |= {
        "addresses-1-kind": "shipping",
        "addresses-1-recipient": "Bäckerei Lütt",
        "addresses-1-street": "Markt 3",
        "addresses-1-postcode": "25335",
        "addresses-1-city": "Elmshorn",
        "addresses-1-country": "DE",
        "addresses-1-is_default": "on",
        "points-0-value": "neu@example.org",
        "points-1-DELETE": "on",
        "points-2-kind": "email",
        "points-2-value": "zweite@example.org",
        "points-2-is_primary": "on",
        "persons-0-last_name": "Ansprech",
        "persons-0-first_name": "Ina",
        "persons-0-phone": "040 5550199",
    }
    response = agent_client.post(url(customer), data)
    assert response.status_code == 302
    old.refresh_from_db()
    assert (old.street, old.is_default) == ("Elbchaussee 14", False)
    new = customer.addresses.get(kind="shipping")
    assert (new.recipient, new.city, new.is_default, new.origin.kind) == (
        "Bäckerei Lütt",
        "Elmshorn",
        True,
        "staff",
    )
    assert not ContactPoint.objects.filter(pk=phone.pk).exists()
    assert ContactPoint.history.filter(id=phone.pk, history_type="-").get().history_user == agent
    # The changed address was never confirmed.
    assert set(customer.contact_points.values_list("value", "is_primary", "verified_at")) == {
        ("neu@example.org", False, None),
        ("zweite@example.org", True, None),
    }
    assert customer.contact_persons.get().phone == "+49405550199"


def test_a_mark_set_on_the_older_row_wins(agent_client, customer):
    later = ContactPoint.objects.create(customer=customer, kind="email", value="b@example.org", is_primary=True)
    first = customer.contact_points.get(whole_index="j@example.org")
    ContactPoint.objects.filter(pk=first.pk).update(is_primary=False)
    data = opened(agent_client, customer)
    place = next(key for key, value in data.items() if value == "j@example.org").removesuffix("-value")
    assert agent_client.post(url(customer), data | {f"{place}-is_primary": "on"}).status_code == 302
    first.refresh_from_db()
    later.refresh_from_db()
    assert (first.is_primary, later.is_primary) == (True, False)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"last_name": "Mül\0ler"}, "master"),
        ({"last_name": "x" * 151}, "master"),
        ({"vat_id": "DE1"}, "master"),
        ({"points-0-value": "no address"}, "points"),
        ({"points-0-value": "a\0@example.org"}, "points"),
        ({"points-0-value": "x" * 321}, "points"),
        ({"addresses-0-street": "", "addresses-0-postcode": "", "addresses-0-city": ""}, "addresses"),
        ({"addresses-0-country": "Atlantis"}, "addresses"),
        ({"persons-0-first_name": "Ohne"}, "persons"),
        ({"persons-0-last_name": "A", "persons-0-email": "no address"}, "persons"),
        ({"addresses-TOTAL_FORMS": "999999999"}, "addresses"),
        ({"addresses-TOTAL_FORMS": "x"}, "addresses"),
    ],
)
def test_bad_input_is_422_and_nothing_is_lost(agent_client, customer, changes, part):
    data = opened(agent_client, customer) | {"interests": "Kaffeemühlen"} | changes
    response = agent_client.post(url(customer), data)
    assert response.status_code == 422
    sheet = response.context["sheet"]
    if part == "master":
        assert sheet.master.errors
    else:
        assert any(sheet.sets[part].errors) or sheet.sets[part].non_form_errors()
    assert "Kaffeemühlen" in response.content.decode()
    assert Customer.objects.get().version == customer.version


def test_what_an_import_brought_wrong_need_not_be_settled_now(agent_client, customer):
    Customer.objects.update(vat_id="DE999")
    ContactPoint.objects.filter(kind="email").delete()
    ContactPoint.objects.create(customer=customer, kind="email", value="not an address")
    data = opened(agent_client, customer) | {"first_name": "Jörg"}
    assert agent_client.post(url(customer), data).status_code == 302
    customer.refresh_from_db()
    assert (customer.first_name, customer.vat_id) == ("Jörg", "DE999")


def test_the_row_of_another_customer_cannot_be_touched(agent_client, customer):
    foreign = make_customer("10999", email="other@example.org").addresses.get()
    data = opened(agent_client, customer) | {"addresses-0-id": str(foreign.pk), "addresses-0-street": "Mine 1"}
    assert agent_client.post(url(customer), data).status_code == 422
    removed = agent_client.post(url(customer), data | {"addresses-0-DELETE": "on"})
    assert removed.status_code == 302
    foreign.refresh_from_db()
    assert foreign.street == "Elbchaussee 12"


def test_the_second_editor_sees_both_versions_and_nothing_is_lost(agent_client, manager_client, manager, customer):
    mine, theirs = opened(agent_client, customer), opened(manager_client, customer)
    theirs |= {"last_name": "Meier", "title": "Dr.", "addresses-0-city": "Kiel"}
    assert manager_client.post(url(customer), theirs).status_code == 302
    mine |= {"last_name": "Möller", "interests": "Tee", "addresses-0-street": "Neuer Weg 1"}
    mine |= {"points-2-kind": "email", "points-2-value": "mine@example.org"}
    response = agent_client.post(url(customer), mine)
    assert response.status_code == 409
    assert response.context["by"] == manager
    assert differences(response) == {
        "last_name": ("Meier", "Möller", "mine"),
        "title": ("Dr.", "", "theirs"),
        "interests": ("", "Tee", "mine"),
        "addresses-0-street": ("Elbchaussee 12", "Neuer Weg 1", "mine"),
        "addresses-0-city": ("Kiel", "Hamburg", "theirs"),
    }
    assert Customer.objects.get().last_name == "Meier"
    assert "mine@example.org" in response.content.decode()
    saved = agent_client.post(url(customer), resubmitted(response, last_name="theirs"))
    assert saved.status_code == 302
    customer.refresh_from_db()
    assert (customer.last_name, customer.title) == ("Meier", "Dr.")
    assert customer.preferences.get().value == "Tee"
    address = customer.addresses.get()
    assert (address.street, address.city) == ("Neuer Weg 1", "Kiel")
    assert customer.contact_points.filter(whole_index="mine@example.org").exists()


def test_whoever_edits_in_two_tabs_is_not_told_of_somebody_else(agent_client, customer):
    one, other = opened(agent_client, customer), opened(agent_client, customer)
    agent_client.post(url(customer), one | {"last_name": "Meier"})
    response = agent_client.post(url(customer), other | {"last_name": "Möller"})
    assert response.status_code == 409
    assert "Sie haben diesen Kunden selbst gespeichert" in response.content.decode()


def test_a_third_editor_makes_a_new_conflict_and_still_nothing_is_lost(agent_client, manager_client, customer):
    mine, theirs = opened(agent_client, customer), opened(manager_client, customer)
    manager_client.post(url(customer), theirs | {"last_name": "Meier"})
    first = agent_client.post(url(customer), mine | {"last_name": "Möller", "interests": "Tee"})
    third = opened(manager_client, customer)
    manager_client.post(url(customer), third | {"first_name": "Jan"})
    second = agent_client.post(url(customer), resubmitted(first))
    assert second.status_code == 409
    assert differences(second)["first_name"] == ("Jan", "Jürgen", "theirs")
    assert differences(second)["last_name"] == ("Meier", "Möller", "mine")
    assert agent_client.post(url(customer), resubmitted(second)).status_code == 302
    customer.refresh_from_db()
    assert (customer.first_name, customer.last_name) == ("Jan", "Möller")
    assert customer.preferences.get().value == "Tee"


@pytest.mark.parametrize(("answer", "left"), [("mine", 1), ("theirs", 0)])
def test_a_row_the_other_removed_comes_back_only_on_demand(agent_client, manager_client, customer, answer, left):
    mine, theirs = opened(agent_client, customer), opened(manager_client, customer)
    manager_client.post(url(customer), theirs | {"addresses-0-DELETE": "on"})
    response = agent_client.post(url(customer), mine | {"addresses-0-street": "Neuer Weg 1"})
    assert response.status_code == 409
    assert differences(response)["addresses-0"][2] == "mine"
    saved = agent_client.post(url(customer), resubmitted(response, **{"addresses-0": answer}))
    assert saved.status_code == 302
    assert customer.addresses.filter(city="Hamburg").count() == left


@pytest.mark.parametrize(("answer", "left"), [("mine", 0), ("theirs", 1)])
def test_a_row_i_removed_and_the_other_changed_is_asked_about(agent_client, manager_client, customer, answer, left):
    mine, theirs = opened(agent_client, customer), opened(manager_client, customer)
    manager_client.post(url(customer), theirs | {"addresses-0-city": "Kiel"})
    response = agent_client.post(url(customer), mine | {"addresses-0-DELETE": "on"})
    assert differences(response)["addresses-0-DELETE"][2] == "theirs"
    saved = agent_client.post(url(customer), resubmitted(response, **{"addresses-0-DELETE": answer}))
    assert saved.status_code == 302
    assert customer.addresses.filter(city="Kiel").count() == left


def test_rows_the_other_added_stay(agent_client, manager_client, customer):
    mine, theirs = opened(agent_client, customer), opened(manager_client, customer)
    theirs |= {"points-2-kind": "email", "points-2-value": "theirs@example.org"}
    assert manager_client.post(url(customer), theirs).status_code == 302
    response = agent_client.post(url(customer), mine | {"first_name": "Jörg"})
    assert any("theirs@example.org" in text for text in response.context["conflict"].added)
    assert agent_client.post(url(customer), resubmitted(response)).status_code == 302
    assert customer.contact_points.filter(whole_index="theirs@example.org").exists()
    customer.refresh_from_db()
    assert customer.first_name == "Jörg"


@pytest.mark.parametrize("base", ["", "x", "[]", '{"master": 1}', json.dumps({"master": {}})])
def test_a_conflict_is_shown_even_without_knowing_what_the_editor_saw(agent_client, manager_client, customer, base):
    mine = opened(agent_client, customer) | {"first_name": "Jörg", "base": base}
    manager_client.post(url(customer), opened(manager_client, customer) | {"last_name": "Meier"})
    response = agent_client.post(url(customer), mine)
    assert response.status_code == 409
    assert differences(response)["first_name"] == ("Jürgen", "Jörg", "mine")


def test_a_form_without_its_version_is_refused(agent_client, customer):
    assert agent_client.post(url(customer), {"last_name": "X"}).status_code == 400
    assert agent_client.post(url(customer), {"version": "x"}).status_code == 400


def test_markup_is_only_text_on_both_pages(agent_client, manager_client, customer):
    evil = "<script>alert(1)</script>"
    mine = opened(agent_client, customer)
    manager_client.post(url(customer), opened(manager_client, customer) | {"last_name": evil})
    for response in (
        agent_client.get(url(customer)),
        agent_client.post(url(customer), mine | {"first_name": evil}),
    ):
        assert evil.encode() not in response.content
        assert b"&lt;script&gt;" in response.content


def test_the_sheet_of_many_rows_asks_the_database_no_more_often(agent_client, customer, django_assert_max_num_queries):
    Address.objects.bulk_create([Address(customer=customer, street=f"Weg {n}", city="Kiel") for n in range(60)])
    with django_assert_max_num_queries(30):
        response = agent_client.get(url(customer))
    assert len(response.context["sheet"].sets["addresses"].forms) <= 26


@pytest.mark.parametrize("version", ["", "-1", "9" * 5000])
def test_a_version_nobody_was_shown_changes_nothing(agent_client, customer, version):
    data = sheet_of(agent_client.get(url(customer))) | {"version": version, "last_name": "Meier"}
    assert agent_client.post(url(customer), data).status_code == 400
    customer.refresh_from_db()
    assert customer.last_name == "Müller"


def test_tags_that_changed_for_many_while_the_sheet_was_open_are_not_lost(agent_client, customer):
    for name in ("Alt", "Bleibt", "Geht"):
        tag_customers([customer.pk], name)
    sheet = opened(agent_client, customer)
    tag_customers([customer.pk], "Messe")
    untag_customers([customer.pk], "Bleibt")
    Tag.objects.filter(name="Alt").update(name="Umbenannt")

    assert agent_client.post(url(customer), sheet | {"tags": "alt, Bleibt, Neu"}).status_code == 302
    names = set(customer.customer_tags.values_list("tag__name", flat=True))
    assert names == {"Umbenannt", "Messe", "Neu"}
    assert not Tag.objects.filter(name__in=["Alt", "alt"]).exists()


# --- Who was erased or is protected does not come in again unasked (design.md 5) --------------------------------------

AGAIN = "berta@firma.example"
ERASED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW_OF = {
    "a contact person": {"persons-0-last_name": "Buchhalter", "persons-0-email": AGAIN},
    "an address": {"points-2-kind": "email", "points-2-value": AGAIN},
}


def bury(**given):
    for kind, mark in tombstones.marks_of(**given):
        Tombstone.objects.create(kind=kind, mark=mark, erased_at=ERASED_AT)


@pytest.mark.parametrize("row", ROW_OF.values(), ids=list(ROW_OF))
def test_who_was_erased_is_asked_about_before_they_stand_on_a_sheet_again(agent_client, customer, row):
    bury(emails=[AGAIN])
    data = opened(agent_client, customer) | row
    response = agent_client.post(url(customer), data)
    assert response.status_code == 409
    assert response.context["doubts"].erased_at == ERASED_AT
    assert AGAIN in response.text  # nothing that was typed is lost
    assert not ContactPerson.objects.exists() and customer.contact_points.count() == 2
    assert agent_client.post(url(customer), data | {"anyway": response.context["anyway"]}).status_code == 302
    assert ContactPerson.objects.count() + customer.contact_points.count() == 3


def test_a_phone_number_of_somebody_erased_is_asked_about_too(agent_client, customer):
    bury(phones=["+49405550777"])
    ContactPerson.objects.create(customer=customer, last_name="Buchhalter", email=AGAIN)
    data = opened(agent_client, customer) | {"persons-0-phone": "040 5550777"}
    assert agent_client.post(url(customer), data).status_code == 409


def test_what_stands_on_the_sheet_already_is_not_asked_about(agent_client, customer):
    """Somebody was asked when it was entered; and an erasure may have left a relative's address."""
    ContactPerson.objects.create(customer=customer, last_name="Buchhalter", email=AGAIN)
    bury(emails=[AGAIN, "j@example.org"])
    data = opened(agent_client, customer) | {"persons-0-position": "Leitung"}
    assert agent_client.post(url(customer), data).status_code == 302


def test_of_a_protected_contact_person_only_their_being_there_is_told(agent_client, customer):
    other = make_customer("10999", kind="company", company="Geheim AG")
    for whose in (customer, other):
        ContactPerson.objects.all().delete()
        ContactPerson.objects.create(
            customer=whose, last_name="Geheim", email=AGAIN, restricted_at=timezone.now(), created_at=timezone.now()
        )
        data = opened(agent_client, customer) | ROW_OF["a contact person"]
        response = agent_client.post(url(customer), data)
        assert response.status_code == 409 and response.context["doubts"].likely.protected
        assert "Geheim" not in response.text


def test_a_suppressed_address_of_a_contact_person_is_told(agent_client, customer):
    suppression.suppress("email", AGAIN, reason="objection")
    response = agent_client.post(
        url(customer), opened(agent_client, customer) | ROW_OF["a contact person"], follow=True
    )
    told = [str(message) for message in response.context["messages"]]
    assert len(told) == 2 and all(AGAIN not in text for text in told)
    assert suppression.suppressed("email", AGAIN)
