"""The demo shop: the same for the same seed, true to the rules of the house, and only where it belongs."""

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.models import Count, Max, Min, Sum
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from consents.audience import count_audience
from consents.checkpoints import sign_checkpoint
from consents.models import Purpose, Record, State, Unsealed
from consents.rebuilding import compare_states
from consents.receipts import send_receipts
from consents.verifying import verify
from customers.indexing import dictionary_words, entry_for
from customers.models import (
    Address,
    ContactPerson,
    ContactPoint,
    Customer,
    CustomerTag,
    ExternalId,
    Flag,
    Note,
    OptInClaim,
    Preference,
    SearchEntry,
    SearchWord,
    Summary,
    Suppression,
)
from customers.searching import search
from customers.suppression import suppressed
from datamap.controlling import legal_zone
from datamap.diagnosis import Options
from datamap.models import AccessLog, Controller
from datamap.workdays import add_months, local_date
from interactions.models import Complaint, FollowUp, Interaction
from mail.models import Deliverability, Message
from ops.demo import shelving
from ops.demo.copying import HISTORY
from ops.demo.loading import DemoRefused, load_demo
from ops.demo.places import phone_number
from ops.demo.seasons import Clock, last_day
from ops.logins import DEMO_PASSWORD, demo_logins
from orders.documents import issue_document, supply_of, tax_by_rate
from orders.models import Document, NumberRange, Order, OrderLine, Return
from orders.totals import differing_totals
from staff.models import User
from tracking.invariants import check_tracking
from tracking.models import Device, DeviceConsent, Visit
from tracking.permitting import may_link

AS_OF = date(2026, 11, 2)
SIZE = 600
FILLED: tuple[type[models.Model], ...] = (
    Customer,
    Address,
    ContactPoint,
    ContactPerson,
    ExternalId,
    CustomerTag,
    Preference,
    Note,
    OptInClaim,
    Suppression,
    Order,
    OrderLine,
    Return,
    Document,
    Interaction,
    Complaint,
    FollowUp,
)
# Ids, and what refers to them, go on counting from one load to the next.
COUNTING = (models.AutoField, models.ForeignKey, models.OneToOneField)


@pytest.fixture(autouse=True)
def development(settings: Any) -> None:
    """The demo is for development alone; pytest switches DEBUG off."""
    settings.DEBUG = True


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Any:
    """One demo for all questions of this module; it is gone afterwards."""
    with django_db_blocker.unblock(), override_settings(DEBUG=True):
        _empty()
        loaded = load_demo(SIZE, 7, AS_OF)
        yield loaded
        _empty()


def _empty() -> None:
    """Flush where there is something to flush; after a test with `transaction=True` pytest-django does."""
    if Customer.objects.exists():
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def demo(shop: Any, db: None) -> Any:
    """The demo, and a transaction that is rolled back."""
    return shop


def _digest() -> str:
    """Everything a reader could see, sealed values opened, ids left out."""
    found = sha256()
    for model in FILLED:
        names = [f.name for f in model._meta.concrete_fields if not isinstance(f, COUNTING)]
        rows = model._default_manager.order_by("pk").values_list(*names)
        found.update(repr([[bytes(v) if isinstance(v, memoryview) else v for v in row] for row in rows]).encode())
    return found.hexdigest()


@pytest.mark.django_db(transaction=True)
def test_the_same_seed_makes_the_same_shop_and_another_seed_another() -> None:
    digests = []
    for seed in (3, 3, 4):
        _empty()
        load_demo(60, seed, AS_OF)
        digests.append(_digest())
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_every_kind_of_thing_a_shop_has_is_there(demo: Any) -> None:
    assert all(model._default_manager.exists() for model in FILLED)
    assert (demo.customers, demo.orders) == (SIZE, 3 * SIZE)
    assert demo.lines == OrderLine.objects.count()
    status = Counter(Customer.objects.values_list("status", flat=True))
    assert 0.1 * SIZE < status["guest"] < 0.2 * SIZE
    assert status["account"] > 0.6 * SIZE
    assert status["prospect"]
    assert 0.05 * SIZE < Customer.objects.filter(kind="company").count() < 0.12 * SIZE
    assert Customer.objects.filter(salutation="").count() > SIZE / 2
    assert Customer.objects.filter(restricted_at__isnull=False).exists()
    assert Customer.objects.filter(deactivated_at__isnull=False).exists()
    assert {"cancelled", "completed", "returned", "shipped"} <= set(Order.objects.values_list("status", flat=True))
    assert Order.objects.filter(gift_recipient__isnull=False, deviating=True).exists()
    assert set(Flag.objects.values_list("kind", flat=True)) == {"fraud", "minor"}
    assert not AccessLog.objects.exists()


def test_totals_are_what_a_full_recompute_gives(demo: Any) -> None:
    assert differing_totals() == 0
    revenue = Summary.objects.aggregate(Sum("revenue"))["revenue__sum"]
    counted = Order.objects.filter(cancelled_at=None, currency="EUR")
    assert revenue == counted.aggregate(s=Sum("total") - Sum("refunded"))["s"]


def test_an_order_costs_what_its_lines_and_its_shipping_cost(demo: Any) -> None:
    for order in Order.objects.prefetch_related("lines")[:200]:
        lines = list(order.lines.all())
        assert order.total == sum(line.amount for line in lines) + order.shipping_cost
        assert order.tax == sum_of_tax(order, lines)


def sum_of_tax(order: Order, lines: list[OrderLine]) -> Any:
    """The tax as an invoice of the house would show it."""
    return sum(_decimal(rate["tax"]) for rate in tax_by_rate(order, lines))


def _decimal(text: str) -> Any:
    return models.DecimalField().to_python(text)


def test_papers_are_numbered_without_gaps_in_the_order_of_time(demo: Any) -> None:
    ranges = {(r.key, r.year): r.last for r in NumberRange.objects.all()}
    seen: dict[tuple[str, int], list[tuple[Any, int]]] = {}
    for kind, number, at in Document.objects.values_list("kind", "number", "issued_at"):
        _prefix, year, count = number.split("-")
        seen.setdefault((kind, int(year)), []).append((at, int(count)))
    for order in Order.objects.values_list("number", "placed_at"):
        seen.setdefault(("order", int(order[0].split("-")[1])), []).append((order[1], int(order[0].split("-")[2])))
    assert {key for key, _year in seen} == {"order", *Document.Kind.values}
    for key, papers in seen.items():
        assert sorted(count for _at, count in papers) == list(range(1, len(papers) + 1))
        assert [count for _at, count in sorted(papers)] == sorted(count for _at, count in papers), key
        assert ranges[key] == len(papers)


def test_what_was_refunded_stands_in_credit_notes(demo: Any) -> None:
    refunded = Order.objects.filter(invoiced_at__isnull=False).aggregate(s=Sum("refunded"))["s"]
    assert Document.objects.filter(kind="credit_note").aggregate(s=Sum("gross"))["s"] == refunded
    for note in Document.objects.filter(kind="credit_note").select_related("corrects")[:50]:
        assert note.corrects is not None
        assert note.corrects.order_id == note.order_id
        assert note.net + note.tax == note.gross == sum(_decimal(rate["gross"]) for rate in note.rates)


@pytest.mark.parametrize("kind", ["received", "delivery_note"])
@pytest.mark.parametrize("deviating", [True, False])
def test_a_paper_of_the_demo_looks_like_one_the_house_issues(demo: Any, kind: str, deviating: bool) -> None:
    ours = Document.objects.filter(kind=kind, order__deviating=deviating).first()
    assert ours is not None
    sample = Order.objects.get(pk=ours.order_id)
    copy = Order.objects.create(
        number="copy", customer=sample.customer, total=sample.total, tax=sample.tax, shipping_cost=sample.shipping_cost,
        billing=sample.billing, shipping=sample.shipping, deviating=sample.deviating, currency=sample.currency,
    )  # fmt: skip
    for line in sample.lines.all():
        line.pk, line.order = None, copy
        line.save()
    issued = issue_document(copy.pk, kind, at=ours.issued_at)
    for name in ("gross", "net", "tax", "rates", "billing_snapshot", "delivery_snapshot", "currency", "seller"):
        assert getattr(issued, name) == getattr(ours, name), name
    assert [line for line in issued.lines if "sku" in line] == [line for line in ours.lines if "sku" in line]
    assert [line.get("amount") for line in issued.lines] == [line.get("amount") for line in ours.lines]


def test_guests_bought_once_and_nobody_before_being_known(demo: Any) -> None:
    guests = Customer.objects.filter(status="guest").annotate(n=Count("orders"))
    assert set(guests.values_list("n", flat=True)) == {1}
    assert set(Order.objects.filter(customer__status="guest").values_list("kind", flat=True)) == {"guest"}
    assert not Order.objects.filter(placed_at__lt=models.F("customer__created_at")).exists()
    assert not Order.objects.filter(delivered_at__lt=models.F("placed_at")).exists()


def test_nothing_lies_after_the_day_of_the_demo_and_it_goes_back_years(demo: Any) -> None:
    span = Order.objects.aggregate(Min("placed_at"), Max("placed_at"), Max("paid_at"), Max("delivered_at"))
    assert max(v for k, v in span.items() if "max" in k).date() <= AS_OF
    assert span["placed_at__min"].date() < AS_OF - timedelta(days=4 * 365)
    assert Interaction.objects.aggregate(m=Max("occurred_at"))["m"].date() <= AS_OF
    assert Document.objects.aggregate(m=Max("issued_at"))["m"].date() <= AS_OF


def test_contacts_lie_in_shop_hours_at_many_minutes(demo: Any) -> None:
    zone = legal_zone()
    at = [at.astimezone(zone) for at in Interaction.objects.values_list("occurred_at", flat=True)]
    in_hours = [one for one in at if 9 <= one.hour < 18]
    assert len(in_hours) > 0.95 * len(at)  # whoever wrote minutes after being known may do so at night
    minutes = Counter(f"{one:%H:%M}" for one in at)
    assert max(minutes.values()) < len(at) / 20
    assert minutes["05:59"] + minutes["06:00"] <= 2


def test_follow_ups_are_overdue_due_today_and_to_come(demo: Any) -> None:
    due = set(FollowUp.objects.filter(done_at=None).values_list("due_on", flat=True))
    assert min(due) < AS_OF
    assert AS_OF in due or min(due) < AS_OF < max(due)
    staff = {login.email for login in demo_logins()}
    assert set(FollowUp.objects.values_list("owner__email", flat=True)) <= staff


def test_whoever_has_work_may_do_it(demo: Any) -> None:
    owners = {*FollowUp.objects.values_list("owner", flat=True), *Complaint.objects.values_list("owner", flat=True)}
    assert len(owners) > 1
    assert all(user.may("interactions.log") for user in User.objects.filter(pk__in=owners))


def test_rows_are_valid_and_their_sealed_values_open(demo: Any) -> None:
    for model in FILLED:
        for row in model._default_manager.order_by("pk")[:40]:
            row.full_clean(validate_unique=False)
    for point in ContactPoint.objects.all():
        assert "@" in point.value if point.kind == "email" else point.value.startswith("+49")
        assert point.value.endswith(".example") or point.kind == "phone"
    assert all(interaction.content for interaction in Interaction.objects.all())
    # A product is named without its size, and not cut inside a number.
    assert not any(re.search(r"\b0[ .)]", complaint.subject) for complaint in Complaint.objects.all())


def test_people_are_found_by_e_mail_by_digits_and_by_umlaut(demo: Any) -> None:
    email = ContactPoint.objects.filter(kind="email", customer__status="account").first()
    assert email is not None
    assert ContactPoint.objects.filter(whole_index=email.value.upper(), customer=email.customer).exists()
    phone = ContactPoint.objects.filter(kind="phone").first()
    assert phone is not None
    assert ContactPoint.objects.filter(part_index=phone.value, pk=phone.pk).exists()
    someone = Customer.objects.filter(last_name__contains="ü", kind="person").first()
    assert someone is not None
    for spelling in (someone.last_name, someone.last_name.replace("ü", "ue"), someone.last_name.replace("ü", "u")):
        entries = SearchEntry.objects.filter(text__contains=spelling.lower().replace("ß", "ss").replace("ü", "u"))
        assert search(spelling), spelling
        assert entries.filter(pk=someone.pk).exists() or "ue" in spelling


def test_search_entries_and_the_dictionary_are_what_the_house_would_write(demo: Any) -> None:
    texts = []
    for customer in Customer.objects.prefetch_related("addresses", "contact_persons").select_related("search_entry"):
        places = sorted(customer.addresses.all(), key=lambda a: (not a.is_default, a.pk))
        entry = entry_for(
            customer.number, customer.kind, customer.first_name, customer.last_name, customer.company,
            [(a.postcode, a.city) for a in places],
            [name for one in sorted(customer.contact_persons.all(), key=lambda one: one.pk)
             for name in (one.last_name, one.first_name)],
        )  # fmt: skip
        kept = customer.search_entry
        assert (kept.text, kept.phonetic, kept.postcode, customer.sort_name) == entry
        texts.append(kept.text)
    assert sorted(SearchWord.objects.values_list("word", flat=True)) == sorted(dictionary_words(texts))


def test_every_row_has_its_first_history_and_belongs_to_no_batch(demo: Any) -> None:
    for model in HISTORY:
        history = model.history  # type: ignore[attr-defined]
        assert history.count() == model._default_manager.count(), model
        assert set(history.values_list("history_type", "batch").distinct()) == {("+", None)}
    point = ContactPoint.history.first()
    assert point.value == ContactPoint.objects.get(pk=point.id).value


def test_the_next_customer_and_the_next_row_find_a_free_number(demo: Any) -> None:
    highest = max(int(number) for number in Customer.objects.values_list("number", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SELECT next_value FROM customers_numberrange WHERE key = 'customer'")
        assert cursor.fetchone()[0] == highest + 1
    last = Order.objects.aggregate(m=Max("pk"))["m"]
    assert Order.objects.create(number="neu").pk > last


def test_the_sign_ins_exist_with_their_roles(demo: Any) -> None:
    for login in demo_logins():
        user = User.objects.get(email=login.email)
        assert user.check_password(DEMO_PASSWORD)
        assert [role.key for role in user.roles.all()] == [login.role]


def test_who_unsubscribed_is_suppressed_and_marked(demo: Any) -> None:
    stopped = Summary.objects.filter(advertising_stopped_at__isnull=False).first()
    assert stopped is not None
    email = ContactPoint.objects.get(customer_id=stopped.pk, kind="email")
    assert suppressed("email", email.value)


def test_every_invoice_names_the_date_of_supply(demo: Any) -> None:
    # § 14(4) no. 6 UStG; the goods leave on the day of the invoice.
    invoices = Document.objects.filter(kind=Document.Kind.INVOICE)
    assert invoices.count() > 100
    assert [one.pk for one in invoices if supply_of(one) != (local_date(one.issued_at), True)] == []
    assert not Document.objects.exclude(kind=Document.Kind.INVOICE).filter(seller__has_key="supplied_on").exists()


def test_phone_numbers_lie_in_the_blocks_kept_free_for_films() -> None:
    blocks = ("+493023125", "+494066969", "+496990009", "+499999999", "+498999998", "+492214710", "+4917139200")
    numbers = [phone_number(n) for n in range(60_000)]
    assert all(n.startswith(blocks) or n in ("+4915228817386", "+4915228895456") for n in numbers)
    fixed = [n for n in numbers if not n.startswith(("+4915", "+4917"))]
    assert len(set(fixed)) == len(fixed)


def test_a_second_demo_is_refused(demo: Any) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("demo", "--customers", "10")
    assert refused.value.returncode == 3
    assert Customer.objects.count() == SIZE


@pytest.mark.django_db
def test_outside_development_the_demo_is_refused(settings: Any) -> None:
    settings.DEBUG = False
    before = User.objects.count(), Customer.objects.count()
    with pytest.raises(DemoRefused, match="DEBUG"):
        load_demo(10, 1, AS_OF)
    assert (User.objects.count(), Customer.objects.count()) == before


@pytest.mark.django_db(transaction=True)
def test_a_big_load_in_chunks_puts_indexes_and_foreign_keys_back(monkeypatch: pytest.MonkeyPatch) -> None:
    _empty()
    for name, value in (("ONE_TRANSACTION", 50), ("SHELVED_FROM", 50), ("CHUNK", 50)):
        monkeypatch.setattr(f"ops.demo.loading.{name}", value)
    before = _structure()
    load_demo(120, 5, AS_OF)
    assert _structure() == before
    assert not shelving.unfinished()
    assert differing_totals() == 0
    in_chunks = _digest()
    _empty()
    monkeypatch.undo()
    load_demo(120, 5, AS_OF)
    assert _digest() == in_chunks


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_load_is_recognized_and_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    _empty()
    before = _structure()
    # What a kill in the middle leaves: the mark, some rows, no indexes.
    shelving.mark(shelve=True)
    Customer.objects.create(number="10001")
    with pytest.raises(DemoRefused, match="interrupted"):
        load_demo(10, 1, AS_OF)
    assert _structure() == before
    _empty()
    assert load_demo(10, 1, AS_OF).customers == 10
    assert not shelving.unfinished()


def _structure() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> %s UNION ALL "
            "SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid::regclass::text <> %s ORDER BY 1",
            [shelving.MARK, shelving.MARK],
        )
        return sorted((_plain(text),) for (text,) in cursor.fetchall())


@pytest.mark.parametrize(
    ("loaded_at", "day"),
    [
        ("2026-11-02T05:59+01:00", date(2026, 11, 1)),
        ("2026-11-02T06:00+01:00", date(2026, 11, 2)),
        ("2026-07-01T23:30+02:00", date(2026, 7, 1)),
        ("2026-07-01T05:30+02:00", date(2026, 6, 30)),
    ],
)
def test_a_demo_tells_of_nothing_that_is_still_to_come(loaded_at: str, day: date, db: None) -> None:
    at = datetime.fromisoformat(loaded_at)
    assert last_day(at) == day
    assert Clock(last_day(at)).now <= at.timestamp()


@pytest.mark.django_db(transaction=True)
def test_the_command_prints_one_json_object_and_knows_the_shop() -> None:
    _empty()
    out = StringIO()
    call_command("demo", "--customers", "30", "--seed", "2", "--as-of", "2026-10-01", "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["customers"], said["orders"]) == (30, 90)
    who = Controller.objects.get()
    assert who.name
    assert who.vat_id
    assert who.tax_number


@pytest.mark.parametrize("wrong", [["--customers", "0"], ["--customers", "viele"], ["--as-of", "gestern"]])
def test_wrong_arguments_are_told(wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("demo", *wrong)


def _plain(definition: str) -> str:
    """PostgreSQL prints a list of words with the casts of its first reading; read again it prints others."""
    return re.sub(r"::character varying|::text(\[\])?|[()]", "", definition)


def test_the_ledger_of_consents_is_filled_sealed_and_true(demo: Any) -> None:
    kinds = Counter(Record.objects.values_list("kind", flat=True))
    assert {"given", "withdrawn", "refused", "noticed"} <= set(kinds)
    assert kinds["given"] > SIZE / 5
    assert not Unsealed.objects.exists()
    assert compare_states().ok, compare_states()
    assert verify().ok, verify()
    newsletter = Purpose.objects.get(key="newsletter")
    assert SIZE / 6 < count_audience(newsletter, "email") < SIZE / 2
    assert Record.objects.aggregate(Max("occurred_at"))["occurred_at__max"] <= datetime.fromtimestamp(
        Clock(AS_OF).now, UTC
    )
    # Among them are those who stand on the suppression list, are restricted or deactivated.
    assert State.objects.filter(granted=True, open=False).exists()


def test_nobody_is_sent_a_receipt_for_an_invented_past(demo: Any) -> None:
    sign_checkpoint()
    assert send_receipts() == 0
    assert not Message.objects.filter(template="consent_receipt").exists()


def test_consents_lie_all_over_the_years_and_some_ended_went_stale_or_bounced(demo: Any) -> None:
    said = Record.objects.filter(kind="given", purpose__key="newsletter")
    assert len({at.year for at in said.values_list("occurred_at", flat=True)}) >= 6
    # What was said in the past was told to the ledger now.
    assert not Record.objects.filter(entry__ts__lt=datetime.now(UTC) - timedelta(days=1)).exists()
    kinds = Counter(Record.objects.values_list("kind", flat=True))
    assert kinds["renewed"] > kinds["given"] / 20
    held = State.objects.filter(purpose__key="newsletter", granted=True)
    stale = held.filter(fresh_until__lte=datetime.now(UTC)).count()
    assert 0.03 < stale / held.count() < 0.3
    bounced = Deliverability.objects.filter(hard_bounced_at__isnull=False).select_related("contact_point")
    assert bounced.exists()
    assert all(suppressed("email", one.contact_point.value) for one in bounced)
    closed = State.objects.filter(customer=bounced[0].contact_point.customer, purpose__key="newsletter")
    assert not closed.get().open


def test_those_who_agreed_to_it_have_visited_the_shop_in_the_last_thirteen_months(demo: Any) -> None:
    now = datetime.fromtimestamp(Clock(AS_OF).now, UTC)
    seen = Visit.objects.aggregate(Min("occurred_at"), Max("occurred_at"), Count("pk"))
    assert seen["pk__count"] > SIZE / 20
    assert add_months(local_date(now), -13) < local_date(seen["occurred_at__min"])
    assert seen["occurred_at__max"] <= now
    assert len({local_date(at).month for at in Visit.objects.values_list("occurred_at", flat=True)}) == 12
    for device in Device.objects.select_related("customer"):
        assert device.customer is not None and may_link(device.customer)
        first, last = device.visits.aggregate(Min("occurred_at"), Max("occurred_at")).values()
        assert (device.first_seen, device.last_seen) == (first, last)
        assert first >= State.objects.get(customer=device.customer, purpose__key="tracking").since
    # Each device has its consent, to a wording that is published; a withdrawal has left none.
    assert DeviceConsent.objects.filter(wording__published_at__isnull=False).count() == Device.objects.count()
    assert "0 people linked without consent, 0 visits without" in check_tracking(Options(deep=True)).detail
    assert State.objects.filter(purpose__key="tracking", granted=False).exists()
