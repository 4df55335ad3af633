"""What files tell the ledger: proven opt-ins, refusals, unsubscribed lists; and what an undo takes back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import consents
from consents import proving
from consents.events import Event, Kind, Source
from consents.models import Entry, ErasedRecord, Record, State
from consents.rebuilding import compare_states
from consents.recording import record
from consents.sealing import seal_pending
from consents.verifying import verify
from consents.withdrawing import withdraw
from customers.models import Customer, OptInClaim, Suppression
from customers.summary import set_advertising_stops
from customers.suppression import suppressed
from tests.intake.importing import import_file, row_counts, undo_import, write_csv
from tests.privacy.making import at, make_person

pytestmark = pytest.mark.django_db

HEADER = (
    "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LAST_CHANGED,LEID"
)
PROVEN = "2024-03-04 09:00:00,192.0.2.7,2024-03-04 09:05:00,192.0.2.7"
FORM_ONLY = "2024-03-04 09:00:00,192.0.2.7,,"
CONFIRMED = datetime(2024, 3, 4, 8, 5, tzinfo=UTC)  # in winter Berlin is an hour ahead
UNSUBSCRIBED = "Email Address,MEMBER_RATING,UNSUB_TIME,LEID"


def audience(folder: Path, *rows: str, name: str = "audience.csv") -> Path:
    return write_csv(folder, "\n".join([HEADER, *rows]) + "\n", name)


def line(address: str, evidence: str = PROVEN, leid: int = 1, first: str = "Anna") -> str:
    return f"{address},{first},Muster,2,{evidence},2024-05-06 07:08:09,{leid}"


def tried_then_imported(path: Path) -> dict:
    """The import, which counted as its dry run did, wrote nothing the second time, and left true states."""
    before = row_counts()
    tried = import_file("customers", path, dry_run=True)
    assert row_counts() == before
    done = import_file("customers", path)
    same = ("rows", "created", "updated", "unchanged", "held", "error_count", "warning_count")
    assert {name: tried[name] for name in same} == {name: done[name] for name in same}
    after = row_counts()
    again = import_file("customers", path)
    assert row_counts() == after
    assert (again["created"], again["updated"]) == (0, 0)
    assert compare_states().ok, compare_states()
    return done


def test_what_a_file_proves_is_a_consent_and_what_it_only_asserts_stays_a_claim(tmp_path: Path) -> None:
    path = audience(tmp_path, line("anna@laden.example"), line("bert@laden.example", FORM_ONLY, 2, "Bert"))
    done = tried_then_imported(path)
    assert done["created"] == 2
    anna, bert = (Customer.objects.get(first_name=name) for name in ("Anna", "Bert"))
    answer = consents.may(anna, "newsletter", "email")
    assert (answer.allowed, answer.reason, answer.since) == (True, "consent", CONFIRMED)
    assert consents.may(bert, "newsletter", "email").reason == "never_asked"
    assert list(OptInClaim.objects.values_list("customer", "state")) == [(bert.pk, "yes")]
    entry = Entry.objects.get()
    assert str(entry.ref_id) == done["batch"]
    told = Record.objects.get()
    assert (told.kind, told.source, told.late, told.confirmed) == ("given", "import", True, True)
    for part in PROVEN.split(","):
        assert part in told.proof
    seal_pending()
    assert verify().ok


def test_what_the_sample_of_mailchimp_proves_is_taken(shared_data: Path) -> None:
    tried_then_imported(shared_data / "csv" / "mailchimp_audience_export.csv")
    assert State.objects.filter(granted=True, open=True, confirmed=True).count() == Customer.objects.count() > 0
    assert not OptInClaim.objects.exists()


@pytest.mark.parametrize(
    "evidence",
    [
        ",,2024-03-04 09:05:00,192.0.2.7",  # a contact that somebody imported there
        "2024-03-04 09:00:00,192.0.2.7,2024-03-04 09:05:00,",
        "2024-03-04 09:10:00,192.0.2.7,2024-03-04 09:05:00,192.0.2.7",  # confirmed before it was asked for
        "2024-03-04 09:00:00,192.0.2.7,2124-03-04 09:05:00,192.0.2.7",  # in a hundred years
        "gestern,192.0.2.7,heute,192.0.2.7",
        "2024-03-04T09:00:00+23:59,192.0.2.7,2024-03-04T09:05:00+23:59,192.0.2.7",  # no zone on earth
        "0001-01-01 00:00:00,192.0.2.7,0001-01-01 00:00:00,192.0.2.7",  # a program that knows no date
    ],
)
def test_half_a_proof_is_none(tmp_path: Path, evidence: str) -> None:
    tried_then_imported(audience(tmp_path, line("anna@laden.example", evidence)))
    assert not Record.objects.exists()
    assert OptInClaim.objects.count() == 1


def test_an_account_that_is_known_gets_the_consent_and_a_later_proof_renews_it(tmp_path: Path) -> None:
    anna = make_person("4711")
    address = " ALMA4711@Laden.example "
    assert tried_then_imported(audience(tmp_path, line(address)))["updated"] == 1
    assert consents.may(anna, "newsletter", "email").since == CONFIRMED
    later = PROVEN.replace("2024", "2025")
    tried_then_imported(audience(tmp_path, line(address, later), name="later.csv"))
    assert consents.may(anna, "newsletter", "email").since == CONFIRMED.replace(year=2025)
    # An older file is no news any more.
    tried_then_imported(audience(tmp_path, line(address, PROVEN.replace("2024", "2023")), name="older.csv"))
    assert Record.objects.count() == 2


def test_p12_an_upload_revives_nothing(tmp_path: Path) -> None:
    customer = make_person("4711")
    given(customer)
    withdraw(customer, "newsletter", "email", source=Source.ONE_CLICK, at=at("2026-03-01"))
    later = PROVEN.replace("2024-03-04", "2026-05-01")
    path = audience(tmp_path, line("  ALMA4711@LADEN.EXAMPLE  ", later, first="Alma Maria"))
    done = tried_then_imported(path)
    assert (done["updated"], done["warning_count"]) == (1, 1)  # the name, and not the opt-in
    customer.refresh_from_db()
    assert customer.first_name == "Alma Maria"
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"
    assert suppressed("email", "alma4711@laden.example")
    assert not OptInClaim.objects.exists()


def test_an_upload_revives_no_refusal_not_even_for_another_record_with_the_address(tmp_path: Path) -> None:
    customer = make_person("4711", status="guest")
    record(Event(Kind.REFUSED, customer.pk, customer.number, "newsletter", "email", "alma4711@laden.example"))
    done = tried_then_imported(audience(tmp_path, line("alma4711@laden.example")))
    assert (done["created"], done["warning_count"]) == (1, 1)
    assert not State.objects.filter(granted=True).exists()


def test_an_upload_does_not_outdo_an_objection(tmp_path: Path) -> None:
    customer = make_person("4711")
    set_advertising_stops({customer.pk: at("2024-01-10")})  # before Mailchimp heard a yes
    done = tried_then_imported(audience(tmp_path, line("alma4711@laden.example")))
    assert done["warning_count"] == 1
    assert not Record.objects.exists()
    assert consents.may(customer, "newsletter", "email").reason == "objected"


def test_a_no_of_the_platform_ends_a_yes_and_an_absent_column_is_no_news(tmp_path: Path) -> None:
    customer = make_person("4711")
    given(customer)
    names = "First Name,Last Name,Email"
    unsaid = write_csv(tmp_path, f"{names}\nAlma,Kanarienvogel,alma4711@laden.example\n", "unsaid.csv")
    mapping = {"first_name": "First Name", "last_name": "Last Name", "email": "Email"}
    import_file("customers", unsaid, mapping=as_file(tmp_path, mapping))
    assert consents.may(customer, "newsletter", "email").allowed
    said = write_csv(tmp_path, f"{names},News\nAlma,Kanarienvogel,alma4711@laden.example,no\n", "said.csv")
    mapping["newsletter"] = "News"
    done = import_file("customers", said, mapping=as_file(tmp_path, mapping))
    assert done["updated"] == 1
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"
    assert Record.objects.latest("pk").source == "import"
    before = row_counts()
    assert import_file("customers", said, mapping=as_file(tmp_path, mapping))["updated"] == 0
    assert row_counts() == before
    # Undone, the withdrawal stays.
    undo_import(done["batch"])
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"


def as_file(folder: Path, mapping: dict[str, str]) -> str:
    path = folder / "mapping.json"
    path.write_text(str(mapping).replace("'", '"'))
    return str(path)


def given(customer: Customer, when: str = "2025-01-10", **kw: object) -> int:
    address = f"alma{customer.number}@laden.example"
    more = {"confirmed": True, "source": Source.DOUBLE_OPT_IN, "at": at(when)} | kw
    return record(Event(Kind.GIVEN, customer.pk, customer.number, "newsletter", "email", address, **more))  # type: ignore[arg-type]


def test_an_unsubscribed_list_ends_a_consent_in_the_ledger_too(tmp_path: Path) -> None:
    customer = make_person("4711")
    given(customer)
    path = write_csv(tmp_path, f"{UNSUBSCRIBED}\nAlma4711@laden.example,2,2025-06-01 10:00:00,1\n")
    done = tried_then_imported(path)
    assert done["created"] == 1
    answer = consents.may(customer, "newsletter", "email")
    assert (answer.reason, answer.since) == ("withdrawn", at("2025-06-01"))
    assert Record.objects.latest("pk").late
    # As of a moment between, the consent stood.
    assert consents.may(customer, "newsletter", "email", at=at("2025-05-31")).allowed
    undo_import(done["batch"])
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"
    assert compare_states().ok


def test_an_old_list_does_not_outdo_a_later_confirmed_opt_in(tmp_path: Path) -> None:
    customer = make_person("4711")
    given(customer, "2026-09-12")
    row = "alma4711@laden.example,2,2026-03-01 10:00:00,1"
    done = tried_then_imported(write_csv(tmp_path, f"{UNSUBSCRIBED}\n{row}\n"))
    assert (done["created"], done["unchanged"], done["warning_count"]) == (0, 1, 1)
    assert consents.may(customer, "newsletter", "email").allowed
    assert not Suppression.objects.exists()


def test_an_old_list_ends_what_nobody_confirmed(tmp_path: Path) -> None:
    customer = make_person("4711")
    given(customer, "2026-09-12", confirmed=False, source=Source.PHONE_CALL)
    row = "alma4711@laden.example,2,2026-03-01 10:00:00,1"
    tried_then_imported(write_csv(tmp_path, f"{UNSUBSCRIBED}\n{row}\n"))
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"


def test_an_undo_takes_back_what_the_file_proved(tmp_path: Path) -> None:
    known = make_person("4711")
    given(known, "2024-01-10")
    rows = line("alma4711@laden.example", leid=1), line("neu@laden.example", leid=2, first="Neu")
    done = import_file("customers", audience(tmp_path, *rows))
    assert Record.objects.count() == 3
    seal_pending()
    undone = undo_import(done["batch"])
    assert (undone["removed"], undone["restored"], undone["left"]) == (1, 1, [])
    assert list(Customer.objects.all()) == [known]
    assert consents.may(known, "newsletter", "email").since == at("2024-01-10")
    assert (Record.objects.count(), ErasedRecord.objects.count()) == (1, 2)
    assert compare_states().ok, compare_states()
    seal_pending()
    found = verify()
    assert (found.ok, found.erased) == (True, 2), found


def test_an_undo_leaves_what_the_person_has_said_since(tmp_path: Path) -> None:
    done = import_file("customers", audience(tmp_path, line("neu@laden.example")))
    customer = Customer.objects.get()
    withdraw(customer, "newsletter", "email", source=Source.ONE_CLICK)
    undone = undo_import(done["batch"])
    assert undone["removed"] == 0
    assert [left["id"] for left in undone["left"]] == [customer.number]
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"
    # Nor does the corrected file revive it.
    import_file("customers", audience(tmp_path, line("neu@laden.example"), name="again.csv"))
    assert consents.may(customer, "newsletter", "email").reason == "withdrawn"


def test_a_corrected_file_after_an_undo_counts(tmp_path: Path) -> None:
    path = audience(tmp_path, line("neu@laden.example"))
    done = import_file("customers", path)
    undo_import(done["batch"])
    assert not Customer.objects.exists() and not State.objects.exists()
    import_file("customers", path)
    assert consents.may(Customer.objects.get(), "newsletter", "email").allowed


def test_many_consents_come_in_as_sets(tmp_path: Path, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    rows = [line(f"kunde{n}@laden.example", leid=n, first=f"N{n}") for n in range(300)]
    with django_assert_max_num_queries(70):
        import_file("customers", audience(tmp_path, *rows))
    assert State.objects.filter(open=True).count() == 300


def test_an_undo_keeps_what_staff_proved_themselves(tmp_path: Path) -> None:
    """The file was the wrong one; the paper that staff hold in their hands was not."""
    known = make_person("4711")
    rows = line("alma4711@laden.example", FORM_ONLY, 1), line("neu@laden.example", FORM_ONLY, 2, "Neu")
    done = import_file("customers", audience(tmp_path, *rows, line("dritte@laden.example", leid=3, first="Dritte")))
    new = Customer.objects.get(first_name="Neu")
    for customer, address in ((known, "alma4711@laden.example"), (new, "neu@laden.example")):
        claim = OptInClaim.objects.get(customer=customer)
        proving.prove(
            claim.pk,
            address,
            at=at("2024-03-04"),
            actor="staff:1",
            confirmed=True,
            wording=None,
            note="Karte im Ordner",
        )
    undone = undo_import(done["batch"])
    # Who came with the file alone goes; of whom staff have proved something, that holds.
    assert undone["removed"] == 1
    assert [left["id"] for left in undone["left"]] == [new.number]
    for customer in (known, new):
        assert consents.may(customer, "newsletter", "email").reason == "consent"
        assert "Karte im Ordner" in Record.objects.get(customer=customer).proof
    assert compare_states().ok, compare_states()
