"""The pages of the ground floor: who may see them, what they show, what bad input gets."""

import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from datamap.accesslog import name_pages, record, record_many
from datamap.controlling import controller
from datamap.declarations import registry
from datamap.keyset import PAGE
from datamap.models import PAGE_NAMES, AccessLog, Controller, RetentionRule
from datamap.overview import field_label
from datamap.words import COLUMNS
from mail.models import Message

pytestmark = pytest.mark.django_db
PAGES = ["datamap:data_map", "datamap:rules", "datamap:controller", "datamap:access_log"]


def signed_in(*roles: str) -> Client:
    user = get_user_model().objects.create_user(
        f"{'-'.join(roles) or 'nobody'}@shop.example", "pw", roles=roles, name="Anna"
    )
    client = Client()
    client.force_login(user)
    client.user = user
    return client


@pytest.mark.parametrize("name", PAGES)
def test_an_anonymous_visitor_is_sent_to_the_sign_in(client: Client, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert "login" in answer.url


@pytest.mark.parametrize("name", PAGES)
def test_htmx_is_sent_to_the_sign_in_by_header(client: Client, name: str) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://shop.example/datamap/?area=orders"}
    answer = client.get(reverse(name), headers=headers)
    assert answer.status_code == 204
    assert "next=/datamap/" in answer.headers["HX-Redirect"]


@pytest.mark.parametrize("name", PAGES)
def test_the_privacy_role_sees_every_page_and_service_none(name: str) -> None:
    assert signed_in("privacy").get(reverse(name)).status_code == 200
    assert signed_in("service").get(reverse(name)).status_code == 403


def test_the_data_map_shows_every_declared_model_and_every_field() -> None:
    html = signed_in("privacy").get(reverse("datamap:data_map")).content.decode()
    for declaration, group in registry:
        assert declaration.label in html
        assert all(f'title="{name}"' in html for name in group.fields)
    for item in registry.exemptions():
        assert item.label in html


def test_the_data_map_is_filtered() -> None:
    client = signed_in("privacy")
    shown = client.get(reverse("datamap:data_map"), {"area": "datamap", "person": "customer"})
    html = shown.content.decode()
    assert "datamap.AccessLog" in html
    assert "datamap.Controller" not in html
    assert "vault.KeyRecord" not in html
    assert client.get(reverse("datamap:data_map"), {"category": "NOPE"}).status_code == 400


def test_the_data_map_leads_to_each_area_without_a_script() -> None:
    client = signed_in("privacy")
    html = client.get(reverse("datamap:data_map")).content.decode()
    leads = re.findall(r'href="#(area-\w+)"', html)
    assert leads == re.findall(r'<section[^>]* id="(area-\w+)"', html)
    assert {"area-customers", "area-orders", "area-privacy", "area-store"} <= set(leads)
    one = client.get(reverse("datamap:data_map"), {"area": "orders"}).content.decode()
    assert 'id="area-orders"' in one and 'id="area-customers"' not in one and 'href="#area-' not in one


def test_the_rules_page_lists_every_version_in_a_handful_of_queries(django_assert_max_num_queries) -> None:
    client = signed_in("privacy")
    client.get(reverse("datamap:rules"))  # the first page of a session also notes the sign-in
    with django_assert_max_num_queries(9):
        html = client.get(reverse("datamap:rules")).content.decode()
    for rule in RetentionRule.objects.all():
        assert f"<code>{rule.full_key}</code>" in html


def test_a_statute_that_read_otherwise_before_is_cited_in_the_language_of_the_page() -> None:
    client = signed_in("privacy")
    for name, arguments in (("datamap:rules", []), ("datamap:rule", ["INV"])):
        html = client.get(reverse(name, args=arguments)).content.decode()
        assert "UStG § 14b (Fassung bis 31.12.2024)" in html
        assert "text until" not in html


def test_the_rules_page_works_out_a_last_day() -> None:
    client = signed_in("privacy")
    asked = {"key": "INV", "start": "2016-03-10", "as_of": "2025-01-01"}
    answer = client.get(reverse("datamap:rules"), asked).context["answer"]
    assert answer.deletable_from.isoformat() == "2025-01-01"
    for wrong in (
        {"key": "PREF", "start": "2026-01-01"},
        {"key": "INV", "start": "2026-02-30"},
        {"key": "X"},
    ):
        assert client.get(reverse("datamap:rules"), wrong).status_code == 400
    page = client.get(reverse("datamap:rules"), {"key": "WARR", "start": "2026-08-01", "contract": "2026-08-01"})
    assert page.context["answer"].deletable_from.isoformat() == "2028-08-02"  # BGB § 438: two years, day-exact
    far = client.get(reverse("datamap:rules"), {"key": "INV", "start": "9998-01-01"})
    assert far.status_code == 400


@pytest.mark.parametrize(
    ("key", "facts"),
    [
        ("INV", ["start", "as_of"]),
        ("INV:supervised", ["start", "as_of"]),
        ("CONSENT-TEL", ["start", "as_of", "last_use"]),
        ("WARR", ["start", "as_of", "contract", "repaired"]),
    ],
)
def test_the_calculator_asks_first_for_the_rule_and_then_for_what_the_rule_uses(key: str, facts: list[str]) -> None:
    client = signed_in("privacy")
    first = client.get(reverse("datamap:rules"))
    assert (first.context["form"], list(first.context["choice"].fields)) == (None, ["key"])
    then = client.get(reverse("datamap:rules"), {"key": key})
    assert (then.status_code, list(then.context["form"].fields), then.context["answer"]) == (200, facts, None)
    assert f'name="key" value="{key}"' in then.content.decode()


def test_the_calculator_names_the_other_rule_where_a_key_has_no_period_of_its_own() -> None:
    page = signed_in("privacy").get(reverse("datamap:rules"), {"key": "PREF"})
    assert (page.status_code, page.context["form"], page.context["elsewhere"].ask) == (200, None, "ACCOUNT")


def settings_of(client: Client, **changes: str) -> dict[str, str]:
    form = client.get(reverse("datamap:controller")).context["form"]
    values = {name: form[name].value() for name in form.fields}
    given = {name: value for name, value in values.items() if value not in (None, False)}
    return {**given, **changes}


def test_the_controller_is_saved_with_its_history() -> None:
    client = signed_in("privacy")
    page = reverse("datamap:controller")
    assert client.post(page, settings_of(client, name="Laden GmbH", execution_margin_days="15")).status_code == 302
    assert client.post(page, settings_of(client, land="BY", regional_holidays="on")).status_code == 302
    now = controller()
    assert (now.name, now.execution_margin_days, now.land, now.regional_holidays) == (
        "Laden GmbH",
        15,
        "BY",
        True,
    )
    assert Controller.objects.count() == 1
    assert [row.history_user_id for row in Controller.history.all()] == [client.user.pk] * 2
    changes = client.get(page).context["changes"]
    assert {new for _name, _old, new in changes[0].fields} == {"BY", True}


def test_a_role_without_the_permission_changes_nothing() -> None:
    assert signed_in("service").post(reverse("datamap:controller"), {"name": "X"}).status_code == 403
    assert Client().post(reverse("datamap:controller"), {"name": "X"}).status_code == 302
    assert not Controller.objects.exists()


def test_a_zone_that_does_not_exist_changes_nothing() -> None:
    client = signed_in("privacy")
    answer = client.post(reverse("datamap:controller"), settings_of(client, zone="Mars/Olympus"))
    assert answer.status_code == 422
    assert not Controller.objects.exists()
    assert controller().zone == "Europe/Berlin"


def test_an_access_is_one_insert(django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        record(7, "10482", "portal:customer_detail", "question on the phone")
    row = AccessLog.objects.get()
    assert (row.user_id, row.customer_number, row.page) == (7, "10482", "portal:customer_detail")
    assert row.purpose == "question on the phone"


def numbers(answer) -> list[str]:
    return [row.customer_number for row, _person in answer.context["page"].rows]


def test_the_access_log_is_filtered_by_post() -> None:
    client = signed_in("privacy")
    record(client.user.pk, "10482", "a")
    record(None, "10483", "b")
    old = AccessLog.objects.create(user_id=None, customer_number="1", page="c", at=timezone.now() - timedelta(days=9))
    page = reverse("datamap:access_log")
    assert numbers(client.get(page)) == ["10483", "10482", "1"]
    assert numbers(client.post(page, {"customer_number": "10482"})) == ["10482"]
    assert numbers(client.post(page, {"staff": client.user.pk})) == ["10482"]
    day = timezone.localdate(old.at).isoformat()
    assert numbers(client.post(page, {"first": day, "last": day})) == ["1"]
    assert client.post(page, {"first": "2026-05-02", "last": "2026-05-01"}).status_code == 422
    assert client.post(page, {"staff": "x"}).status_code == 422


def test_the_access_log_turns_pages_by_signed_cursor_with_the_same_queries(
    django_assert_max_num_queries,
) -> None:
    client = signed_in("privacy")
    record_many(None, range(PAGE * 2 + 5), "list")
    page = reverse("datamap:access_log")
    client.get(page)  # the first page of a session also notes the sign-in
    seen, cursor = [], ""
    while True:
        with django_assert_max_num_queries(12):
            answer = client.post(page, {"cursor": cursor})
        seen += numbers(answer)
        cursor = answer.context["page"].older
        if not cursor:
            break
    assert seen == [str(number) for number in reversed(range(PAGE * 2 + 5))]
    forged = client.post(page, {"cursor": "5:forged"})
    assert numbers(forged)[0] == seen[0]


def test_the_access_log_calls_a_page_by_the_name_its_app_gave_it() -> None:
    name_pages({"shop.basket": "Basket"})
    try:
        record(7, "10482", "shop.basket")
        record(7, "10482", "shop.unnamed")
        html = signed_in("privacy").get(reverse("datamap:access_log")).content.decode()
    finally:
        PAGE_NAMES.pop("shop.basket")
    assert "shop.basket" not in html
    assert "Basket" in html
    assert "shop.unnamed" in html


def test_no_column_on_the_data_map_goes_by_its_name_in_the_code() -> None:
    named_in_code = [
        f"{declaration.label}.{name}"
        for declaration in registry.declarations()
        for name in (*(name for group in declaration.groups for name in group.fields), *declaration.plain)
        if (label := verbose_name(declaration.label, name)) not in COLUMNS and type(label) is str
    ]
    assert named_in_code == []


def test_the_data_map_says_of_what_a_fingerprint_is() -> None:
    with translation.override("de"):
        page = " ".join(field_label(Message, name) for name in ("recipient", "recipient_index"))
    assert page == "Empfänger Fingerabdruck von „Empfänger“"


def verbose_name(model: str, name: str) -> object:
    try:
        return apps.get_model(model)._meta.get_field(name).verbose_name
    except FieldDoesNotExist:
        return name


def test_the_tax_ids_of_the_shop_are_saved_with_their_history() -> None:
    client = signed_in("privacy")
    page = reverse("datamap:controller")
    assert client.post(page, settings_of(client, execution_margin_days="0")).status_code == 302
    changed = settings_of(client, execution_margin_days="0", vat_id="DE123456789", tax_number="46/123/45678")
    assert client.post(page, changed).status_code == 302
    now = controller()
    assert (now.vat_id, now.tax_number) == ("DE123456789", "46/123/45678")
    latest = client.get(page).context["changes"][0]
    assert {new for _name, _old, new in latest.fields} == {"DE123456789", "46/123/45678"}
    assert latest.by == client.user
