"""Sealed fields behave like ordinary ones everywhere but in the database, and are found by blind index."""

import datetime
import io
import json
from pathlib import Path
from types import ModuleType

import pytest
from django import forms
from django.core.exceptions import FieldError, ValidationError
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps
from hypothesis import given
from hypothesis import strategies as st

from tests.vault.conftest import key_text
from vault.checks import check_model
from vault.fields import BlindIndexField, SealedTextField, with_indexes
from vault.keyring import KeyRing, SealError, load, replaced

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ring")]

BORN = datetime.date(1990, 2, 28)
WISHES = {"size": [1, 2.5, None], "ümlaut": "😀"}
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def raw(model: type[models.Model], pk: int, column: str) -> bytes | None:
    """What really lies in the database."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {model._meta.db_table} WHERE {model._meta.pk.column} = %s", [pk])
        value = cursor.fetchone()[0]
    return None if value is None else bytes(value)


def make_guest(shop: ModuleType, **kwargs: object) -> models.Model:
    values = {"name": "Ada", "email": "Ada@Example.org", "born": BORN, "wishes": WISHES} | kwargs
    return shop.Guest.objects.create(**values)


def test_values_come_back_and_lie_sealed(shop: ModuleType) -> None:
    guest = make_guest(shop)
    again = shop.Guest.objects.get()
    assert (again.email, again.born, again.wishes, again.phone) == ("Ada@Example.org", BORN, WISHES, None)
    assert b"xample" not in (raw(shop.Guest, guest.pk, "email") or b"")
    assert raw(shop.Guest, guest.pk, "phone") is None
    guest.refresh_from_db(fields=["email"])
    assert guest.email == "Ada@Example.org"


def test_many_values_open_together_as_each_alone(shop: ModuleType) -> None:
    field = shop.Guest._meta.get_field("wishes")
    assert field.open_all([field.seal(WISHES), None, field.seal({})]) == [WISHES, None, {}]


def test_the_empty_text_is_sealed_too(shop: ModuleType) -> None:
    guest = make_guest(shop, email="")
    assert len(raw(shop.Guest, guest.pk, "email") or b"") == 31
    assert shop.Guest.objects.get().email == ""
    assert shop.Guest.objects.get().email_index is None


def test_values_and_only_and_defer_open(shop: ModuleType) -> None:
    make_guest(shop)
    assert shop.Guest.objects.values("email", "born").get() == {"email": "Ada@Example.org", "born": BORN}
    assert list(shop.Guest.objects.values_list("wishes", flat=True)) == [WISHES]
    assert shop.Guest.objects.only("name").get().email == "Ada@Example.org"
    assert shop.Guest.objects.defer("email").get().born == BORN
    assert shop.Guest.objects.filter(email__isnull=True).count() == 0
    assert shop.Guest.objects.filter(phone=None).count() == 1


@pytest.mark.parametrize(
    "query",
    [
        {"email": "x"},
        {"email__exact": ""},
        {"email__icontains": "x"},
        {"email__in": ["x"]},
        {"email__length": 1},
        {"born__lt": BORN},
        {"born__year": 1990},
        {"wishes__size": 1},
        {"wishes": {}},
        {"email_index__contains": "x"},
        {"email_index__gt": "x"},
    ],
    ids=str,
)
def test_searching_ciphertext_is_refused_with_a_way_out(shop: ModuleType, query: dict) -> None:
    with pytest.raises(FieldError, match="blind index"):
        shop.Guest.objects.filter(**query)


def test_a_value_moved_to_another_field_or_model_does_not_open(shop: ModuleType) -> None:
    guest = make_guest(shop, phone="1")
    friend = shop.Friend.objects.create(email="x", phone="1")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop_guest SET phone = email")
        cursor.execute("UPDATE shop_friend SET email = shop_guest.email FROM shop_guest")
    with pytest.raises(SealError):
        guest.refresh_from_db(fields=["phone"])
    with pytest.raises(SealError):
        friend.refresh_from_db(fields=["email"])
    guest.refresh_from_db(fields=["email"])


def test_a_field_of_an_abstract_base_is_bound_to_the_model_that_has_it(shop: ModuleType) -> None:
    labels = [model._meta.get_field("phone").label for model in (shop.Guest, shop.Friend)]
    assert labels == ["shop.guest.phone", "shop.friend.phone"]


def test_history_opens_and_copies_no_index(shop: ModuleType) -> None:
    guest = make_guest(shop)
    guest.email = "new@example.org"
    guest.save()
    assert [h.email for h in guest.history.order_by("history_id")] == ["Ada@Example.org", "new@example.org"]
    change = guest.history.latest().diff_against(guest.history.earliest()).changes[0]
    assert (change.field, change.old, change.new) == ("email", "Ada@Example.org", "new@example.org")
    history = shop.HistoricalGuest
    assert history._meta.get_field("email").label == "shop.guest.email"
    assert "email_index" not in {f.name for f in history._meta.get_fields()}
    with connection.cursor() as cursor:  # a value copied into the history by SQL opens there
        cursor.execute("UPDATE shop_historicalguest SET email = shop_guest.email FROM shop_guest")
    assert guest.history.earliest().email == "new@example.org"


def test_migrations_keep_the_label_of_a_history_table(shop: ModuleType) -> None:
    written, _ = MigrationWriter.serialize(shop.HistoricalGuest._meta.get_field("email"))
    assert "label='shop.guest.email'" in written
    assert shop.HistoricalGuest._meta.get_field("email").clone().label == "shop.guest.email"
    assert "label" not in MigrationWriter.serialize(shop.Guest._meta.get_field("email"))[0]


def test_a_blind_index_survives_the_way_through_a_migration(shop: ModuleType) -> None:
    field = shop.Guest._meta.get_field("email_index")
    written, _ = MigrationWriter.serialize(field)
    assert "normalizer='tests.vault.shop.models.lowered'" in written
    assert field.clone().deconstruct()[1:] == field.deconstruct()[1:]
    with pytest.raises(ValueError, match="module-level"):
        BlindIndexField(source="email", normalizer=lambda value: value)


def test_people_are_found_by_their_whole_normalised_value(shop: ModuleType) -> None:
    guest = make_guest(shop)
    make_guest(shop, email="other@example.org")
    make_guest(shop, email=None)
    guests = shop.Guest.objects
    assert guests.get(email_index=" ADA@example.org ") == guest
    assert guests.filter(email_index__in=["ada@example.org", "other@example.org", "  "]).count() == 2
    assert guests.get(email_index=guest.email_index) == guest
    assert guests.filter(email_index="   ").count() == 0
    assert guests.exclude(email_index="ada@example.org").count() == 2
    assert guests.filter(email_index=None).count() == 1
    same = guests.filter(email_index=models.F("email_index"))
    assert same.count() == 2
    assert guests.filter(email_index__in=guests.values("email_index")).count() == 2


def test_the_index_follows_every_save(shop: ModuleType) -> None:
    guest = make_guest(shop)
    guest.email = "second@example.org"
    guest.save()
    assert shop.Guest.objects.get(email_index="second@example.org") == guest
    shop.Guest.objects.update_or_create(pk=guest.pk, defaults={"email": "third@example.org"})
    assert shop.Guest.objects.get(email_index="third@example.org") == guest
    shop.Guest.objects.bulk_create([shop.Guest(name="Bo", email="bo@example.org")])
    assert shop.Guest.objects.get(email_index="bo@example.org").name == "Bo"


def test_a_save_that_would_leave_the_index_behind_is_refused(shop: ModuleType) -> None:
    guest = make_guest(shop)
    guest.email = "new@example.org"
    with pytest.raises(FieldError, match="email_index"), transaction.atomic():
        shop.Guest.objects.update(email="new@example.org")
    with pytest.raises(FieldError, match="email_index"), transaction.atomic():
        shop.Guest.objects.update(email=None)
    with pytest.raises(FieldError, match="email_index"), transaction.atomic():
        shop.Guest.objects.bulk_update([guest], ["email"])
    with pytest.raises(FieldError, match="email_index"), transaction.atomic():
        guest.save(update_fields=["email"])
    with pytest.raises(FieldError, match="email_index"), transaction.atomic():
        shop.Guest.objects.defer("email_index").get().save()
    assert shop.Guest.objects.get(email_index="ada@example.org").email == "Ada@Example.org"


def test_an_update_with_its_indexes_goes_through(shop: ModuleType) -> None:
    make_guest(shop)
    shop.Guest.objects.update(**with_indexes(shop.Guest, email="new@example.org", name="Bea"))
    guest = shop.Guest.objects.get(email_index="new@example.org")
    assert (guest.email, guest.name) == ("new@example.org", "Bea")
    shop.Guest.objects.update(phone="110", born=None)
    guest.refresh_from_db()
    assert (guest.phone, guest.born) == ("110", None)
    guest.phone = "112"
    shop.Guest.objects.bulk_update([guest], ["phone"])
    assert shop.Guest.objects.get().phone == "112"


def test_a_dump_is_readable_and_loads_under_other_keys(shop: ModuleType, tmp_path: Path) -> None:
    guest = make_guest(shop, phone="")
    dump = io.StringIO()
    call_command("dumpdata", "shop.guest", stdout=dump)
    (row,) = json.loads(dump.getvalue())
    assert row["fields"]["email"] == "Ada@Example.org"
    assert "email_index" not in row["fields"]
    (tmp_path / "guests.json").write_text(dump.getvalue())
    with replaced(load(key_text(seal=(1, 7), index=(3,), seed="other"))):
        for _ in range(2):  # into an empty table, and over the row that is there
            call_command("loaddata", str(tmp_path / "guests.json"), verbosity=0)
        found = shop.Guest.objects.get(email_index="ada@example.org")
        assert (found.email, found.born, found.wishes, found.phone) == (guest.email, BORN, WISHES, "")


def test_a_form_asks_like_an_ordinary_field(shop: ModuleType) -> None:
    form_class = forms.modelform_factory(shop.Guest, fields=["name", "email", "phone", "born", "wishes"])
    fields = form_class().fields
    assert isinstance(fields["email"].widget, forms.Textarea)
    assert isinstance(fields["born"], forms.DateField)
    assert isinstance(fields["wishes"], forms.JSONField)
    assert "email_index" not in forms.modelform_factory(shop.Guest, fields="__all__")().fields
    form = form_class({"name": "Ada", "email": "a@example.org", "born": "1990-02-28", "wishes": '{"a": 1}'})
    guest = form.save()
    guest.refresh_from_db()
    assert (guest.email, guest.born, guest.wishes) == ("a@example.org", BORN, {"a": 1})
    assert form_class(instance=guest)["email"].value() == "a@example.org"
    too_long = form_class({"name": "Ada", "email": "a" * 255})
    assert "email" in too_long.errors
    for nasty in ("a\0b", "a\ud800b"):
        assert "email" in form_class({"name": "Ada", "email": nasty}).errors


@pytest.mark.parametrize("nasty", ["a\0b", "\ud83d", b"bytes"])
def test_what_cannot_be_kept_as_text_is_refused_everywhere(shop: ModuleType, nasty: object) -> None:
    guest = shop.Guest(name="Ada", phone=nasty)
    with pytest.raises(ValidationError):
        guest.full_clean()
    with pytest.raises(ValidationError), transaction.atomic():
        guest.save()
    assert shop.Guest.objects.count() == 0


@given(TEXT)
def test_any_text_comes_back(shop: ModuleType, text: str) -> None:
    field = shop.Guest._meta.get_field("email")
    assert field.open(field.seal(text)) == text


@given(st.dates())
def test_any_date_comes_back(shop: ModuleType, date: datetime.date) -> None:
    field = shop.Guest._meta.get_field("born")
    assert field.open(field.seal(date)) == date


@given(JSON)
def test_any_json_comes_back(shop: ModuleType, value: object) -> None:
    field = shop.Guest._meta.get_field("wishes")
    assert field.open(field.seal(value)) == value


@given(TEXT)
def test_equal_normalised_texts_have_equal_indexes(shop: ModuleType, text: str) -> None:
    field = shop.Guest._meta.get_field("email_index")
    assert field.blind(text) == field.blind(f"  {text.lower()} ")


def test_bulk_values_go_into_the_table_as_they_are(shop: ModuleType) -> None:
    fields = {name: shop.Guest._meta.get_field(name) for name in ("email", "email_index")}
    sealed, index = fields["email"].seal("Ada@Example.org"), fields["email_index"].blind("Ada@Example.org")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop_guest (name, email, email_index) VALUES ('A', %s, %s)", [sealed, index])
    assert shop.Guest.objects.get(email_index="ada@example.org").email == "Ada@Example.org"
    assert fields["email"].seal(None) is None
    assert fields["email"].open(None) is None


def test_another_ring_takes_effect_at_once(shop: ModuleType, ring: KeyRing) -> None:
    guest = make_guest(shop)
    with replaced(load(key_text(seed="other"))), pytest.raises(SealError):
        guest.refresh_from_db()
    guest.refresh_from_db()


@isolate_apps("tests.vault")
def test_checks_find_an_index_without_sealed_source_or_in_history() -> None:
    class Wrong(models.Model):  # noqa: DJ008
        name = models.TextField()
        email = SealedTextField(unique=True)
        a = BlindIndexField(source="name", normalizer="tests.vault.shop.models.lowered")
        b = BlindIndexField(source="nothing", normalizer="tests.vault.shop.models.lowered")
        c = BlindIndexField(source="email", normalizer="tests.vault.shop.models.missing")

        class Meta:
            app_label = "shop"

    class HistoricalWrong(models.Model):  # noqa: DJ008
        email = SealedTextField()
        d = BlindIndexField(source="email", normalizer="tests.vault.shop.models.lowered")
        instance_type = Wrong

        class Meta:
            app_label = "shop"

    found = check_model(Wrong) + check_model(HistoricalWrong)
    assert [(error.obj.name, error.id) for error in found] == [
        ("email", "vault.E003"),
        ("a", "vault.E001"),
        ("b", "vault.E001"),
        ("c", "vault.E004"),
        ("d", "vault.E002"),
    ]
    assert all(error.hint for error in found)


def test_checks_find_nothing_wrong_with_a_right_model(shop: ModuleType) -> None:
    assert check_model(shop.Guest) == check_model(shop.HistoricalGuest) == []
