"""The check that refuses a model or a field nobody has declared, and the words declarations are made of."""

# ruff: noqa: DJ008 (the models here live for one test)
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.test.utils import isolate_apps
from simple_history.models import HistoricalRecords

from datamap.checks import check_declarations, file_of, find_problems
from datamap.declarations import (
    Basis,
    By,
    Group,
    Number,
    PersonalData,
    Registry,
    exempt,
    history_base,
    register,
    register_store,
    registry,
)
from vault.fields import BlindIndexField, SealedDateField, SealedTextField


@pytest.fixture(autouse=True)
def fresh_registry() -> Iterator[Registry]:
    with registry.registered_temporarily() as temporary:
        yield temporary


@pytest.fixture(autouse=True)
def fake_models() -> Iterator[None]:
    with isolate_apps("datamap"):
        yield


def lower(value: str) -> str:
    return value.lower()


def make_person() -> type[models.Model]:
    class Person(models.Model):
        number = models.TextField()
        mail = SealedTextField()
        mail_index = BlindIndexField(source="mail", normalizer=lower)

        class Meta:
            app_label = "datamap"

    @register(Person)
    class PersonData(PersonalData):
        groups = [group("number", "mail", subject="self", category="SUPPRESS", start=None)]

    return Person


def make_order() -> type[models.Model]:
    class Order(models.Model):
        person = models.ForeignKey("Person", models.CASCADE)
        kind = models.CharField(choices=[("invoice", "i"), ("letter", "l")])
        text = models.TextField()
        issued_at = models.DateTimeField()
        secret_on = SealedDateField(null=True)

        class Meta:
            app_label = "datamap"

    return Order


def group(*fields: str, **kw) -> Group:
    facts = {
        "subject": "person",
        "category": "INV",
        "start": "issued_at",
        "purpose": "x",
        "basis": Basis.CONTRACT,
    }
    return Group(fields=fields, **{**facts, **kw})


def ids(*found: type[models.Model]) -> list[str]:
    return [message.id.removeprefix("datamap.") for message in find_problems(found)]


def declare(model: type[models.Model], *groups: Group, plain: tuple[str, ...] = (), **attributes) -> None:
    register(model)(type("Data", (PersonalData,), {"groups": list(groups), "plain": plain, **attributes}))


def test_a_fitting_declaration_has_nothing_to_complain_about() -> None:
    person, order = make_person(), make_order()
    declare(order, group("text", "issued_at", "secret_on"), plain=("kind",))
    assert ids(person, order) == []


def test_an_undeclared_model_is_refused_with_the_file_to_edit() -> None:
    message = next(find_problems([make_order()]))
    assert message.id == "datamap.E001"
    assert "datamap/datamap.py" in message.hint
    assert file_of(apps.get_model("contenttypes.ContentType")) == "staff/datamap.py"


def test_an_exempt_model_is_left_alone_and_needs_a_reason() -> None:
    order = make_order()
    with pytest.raises(ImproperlyConfigured):
        exempt(order, "")
    exempt(order, "figures only")
    assert ids(order) == []


def test_an_unclassified_field_is_refused_also_a_many_to_many_one() -> None:
    class Tagged(models.Model):
        person = models.ForeignKey("Person", models.CASCADE)
        note = models.TextField()
        friends = models.ManyToManyField("Person", related_name="+")

        class Meta:
            app_label = "datamap"

    make_person()
    declare(Tagged, group("note", category="SUPPRESS", start=None))
    assert ids(Tagged, Tagged.friends.through) == ["E002"]


def test_a_hidden_table_between_an_exempt_model_and_persons_is_refused() -> None:
    class Circle(models.Model):
        people = models.ManyToManyField("Person")

        class Meta:
            app_label = "datamap"

    make_person()
    exempt(Circle, "only a name")
    assert ids(Circle, Circle.people.through) == ["E009"]
    exempt(Circle.people.through, "for the test")
    assert ids(Circle, Circle.people.through) == []


def test_proxies_are_covered_and_unmanaged_models_are_not() -> None:
    order = make_order()

    class OrderProxy(order):
        class Meta:
            proxy = True
            app_label = "datamap"

    class View(models.Model):
        text = models.TextField()

        class Meta:
            managed = False
            app_label = "datamap"

    assert ids(OrderProxy, View) == ["E001"]


def test_a_history_table_inherits_and_is_never_asked_itself() -> None:
    class Kept(models.Model):
        text = models.TextField()
        history = HistoricalRecords(app="datamap", history_user_id_field=models.BigIntegerField(null=True))

        class Meta:
            app_label = "datamap"

    past = Kept.history.model
    assert history_base(past) is Kept
    assert ids(Kept, past) == ["E001"]
    declare(Kept, group("text", subject=None, start=None))
    assert ids(Kept, past) == []
    assert registry.declaration_for(past) is registry.declaration_for(Kept)


def test_wrong_names_double_names_and_missing_commas_are_refused() -> None:
    make_person()
    order = make_order()
    declare(order, group("text", "secret_on", "tekst"), plain=("kind", "text", "issued_at"), files=("scan",))
    assert sorted(ids(order)) == ["E003", "E003", "E004"]
    with pytest.raises(ImproperlyConfigured):
        Group(fields="text", subject=None, category="INV", start=None, purpose="x", basis=Basis.CONTRACT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "persn"},
        {"subject": ("person", "nobody")},
        {"subject": Number("nr")},
        {"start": "person.birthday"},
        {"start": "text"},
        {"start": "secret_on"},
        {"start": By("sort", default="issued_at")},
        {"start": By("kind", default="wrong_at")},
    ],
)
def test_paths_that_lead_nowhere_or_to_no_date_are_refused(wrong: dict) -> None:
    make_person()
    order = make_order()
    declare(order, group("text", "issued_at", "secret_on", "kind", **wrong), plain=())
    assert "E005" in ids(order)


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("NOPE", ["E006"]),
        ("STAFF:session", []),
        (By("kind", invoice="INV", letter="LETTER"), []),
        (By("kind", invoice="INV", default="LETTER"), []),
        (By("kind", invoice="INV"), ["E007"]),
        (By("kind", bill="INV", default="LETTER"), ["E007"]),
        (By("kind", invoice="INV", default="NOPE"), ["E006"]),
        (By("text", x="INV"), ["E007"]),
    ],
)
def test_categories_are_those_of_the_catalogue_for_every_value(category, expected: list[str]) -> None:
    make_person()
    order = make_order()
    declare(order, group("text", "issued_at", "secret_on", "kind", category=category))
    assert ids(order) == expected


def test_a_period_needs_a_start_and_a_person_a_known_name() -> None:
    make_person()
    order = make_order()
    declare(order, group("text", "issued_at", "secret_on", "kind", start=None, person="alien"))
    assert ids(order) == ["E010", "E010"]


def test_what_the_person_takes_along_rests_on_consent_or_contract() -> None:
    """Art. 20(1): what is kept for a law or by a legitimate interest is not portable."""
    make_person()
    order = make_order()
    fields = ("text", "issued_at", "secret_on", "kind")
    declare(order, group(*fields, provided=True, basis=Basis.LEGAL_OBLIGATION))
    assert ids(order) == ["E010"]


def test_a_value_to_anonymize_with_must_fit_the_column() -> None:
    make_person()
    order = make_order()
    values = {"text": None, "nothing": ""}
    declare(order, group("text", "issued_at", "secret_on", "kind", anonymize=values))
    assert sorted(ids(order)) == ["E003", "E008"]


def test_a_copy_stands_where_the_declaration_says() -> None:
    make_person()
    order = make_order()
    rows = group("text", "issued_at", "secret_on", "kind")
    declare(order, rows, copies={"person.number": "text", "person.nothing": "issued_at", "kind": "nowhere"})
    assert ids(order) == ["E005", "E005"]


def test_several_people_and_categories_in_one_model() -> None:
    class Letter(models.Model):
        person = models.ForeignKey("Person", models.CASCADE, null=True)
        friend = models.ForeignKey("Person", models.CASCADE, null=True, related_name="+")
        subject_ref = models.UUIDField(null=True)
        text = models.TextField()
        card = models.TextField()
        scan = models.FileField()
        sent_at = models.DateTimeField()

        class Meta:
            app_label = "datamap"

    make_person()
    declare(
        Letter,
        group("text", "scan", "sent_at", category="LETTER", start="sent_at"),
        group("card", subject=("friend", "person"), person="recipient", category="ORDER", start="sent_at"),
        subject_ref="subject_ref",
        files=("scan",),
    )
    assert ids(Letter) == []
    assert registry.declaration_for(Letter).group_of("card").subject_paths == ("friend", "person")


def test_a_declaration_of_a_model_that_is_gone_is_refused() -> None:
    register("staff.Vanished")(type("Data", (PersonalData,), {"groups": []}))
    register_store("spool", "Spool", "sending", Basis.CONTRACT, "NOPE")
    found = {message.id for message in check_declarations(None)}
    assert {"datamap.E011", "datamap.E006"} <= found


def test_nothing_is_declared_twice_and_a_test_leaves_no_trace() -> None:
    order = make_order()
    exempt(order, "x")
    with pytest.raises(ImproperlyConfigured):
        declare(order)
    with registry.registered_temporarily():
        exempt("some.Other", "x")
    assert registry.exemption_for("some.Other") is None


def test_a_choice_follows_the_value_and_paths_may_be_dotted() -> None:
    by = By("order.kind", {"e-mail": "LETTER", True: "INV"}, default="TICKET")
    assert by.field == "order__kind"
    assert [by.resolve(value) for value in ("e-mail", True, None)] == ["LETTER", "INV", "TICKET"]
    assert by.outcomes == ["LETTER", "INV", "TICKET"]
    assert group("a", start=By("kind", x="a.b", default=("c", "d"))).starts == [("a__b",), ("c", "d")]


def test_the_ground_floor_declares_itself() -> None:
    own = [*apps.get_app_config("datamap").get_models(), *apps.get_app_config("vault").get_models()]
    assert list(find_problems(own)) == []
