"""The ledger as the privacy role browses it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from consents import checkpoints, notes
from consents.models import Entry, Record
from consents.sealing import seal_pending
from customers.models import Customer
from datamap.keyset import PAGE
from datamap.models import AccessLog
from privacy.erasing import ask_erasure, run_erasure
from staff.models import Role, User
from tests.consents.publishing import give, make_version
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(signed_in):
    return signed_in(User.objects.create_user("officer@obhut.example", name="Olga", roles=[Role.PRIVACY]))


@pytest.fixture
def person() -> Customer:
    return make_person("4711")


def ids(answer) -> list[int]:
    return [row.entry.pk for row in answer.context["rows"]]


def test_the_ledger_is_for_the_privacy_role_alone(officer, manager_client, agent_client, person):
    entry = give(person)
    for name, args in (("ledger", []), ("entry", [entry])):
        url = reverse(f"consents:{name}", args=args)
        assert officer.get(url).status_code == 200
        assert manager_client.get(url).status_code == 403
        assert agent_client.get(url).status_code == 403


def test_entries_name_nobody_and_are_filtered_by_event_purpose_and_day(officer, person):
    given = give(person)
    give(person, purpose="birthday")
    ended = give(person, kind="withdrawn")
    url, today = reverse("consents:ledger"), timezone.localdate()
    page = officer.get(url)
    assert ids(page) == [ended, ended - 1, given]
    assert "alma4711" not in page.text
    assert "4711" not in page.text.replace(f"{given}", "")
    assert ids(officer.get(url, {"kind": "withdrawn"})) == [ended]
    assert ids(officer.get(url, {"purpose": "newsletter"})) == [ended, given]
    assert len(ids(officer.get(url, {"begin": today.isoformat(), "end": today.isoformat()}))) == 3
    assert ids(officer.get(url, {"end": (today - timedelta(days=1)).isoformat()})) == []
    assert officer.get(url, {"kind": "erfunden"}).status_code == 422
    assert officer.get(url, {"begin": "2026-02-02", "end": "2026-02-01"}).status_code == 422


def test_the_ledger_turns_pages_with_the_same_queries(officer, django_assert_max_num_queries):
    for n in range(PAGE + 5):
        give(make_person(f"5{n:03}"))
        if n % 7 == 0:
            seal_pending()
    url = reverse("consents:ledger")
    officer.get(url)
    seen, query = [], url
    while True:
        with django_assert_max_num_queries(18):
            answer = officer.get(query)
        seen += ids(answer)
        if not answer.context["next_url"]:
            break
        query = url + answer.context["next_url"]
    assert seen == list(Entry.objects.order_by("-pk").values_list("pk", flat=True))
    assert ids(officer.get(url, {"cursor": "5:forged"}))[0] == seen[0]


def test_an_entry_shows_place_seal_and_what_it_is_about(officer, person, checkpoint_file):
    version = make_version()
    entry = give(person, wording=version.wording("de"), evidence={"form": "footer"})
    url = reverse("consents:entry", args=[entry])
    waiting = officer.get(url)
    assert waiting.context["row"].seal is None
    seal_pending()
    signed = checkpoints.sign_checkpoint()
    page = officer.get(url)
    assert page.context["proof"].fields_fit
    assert page.context["proof"].record_fits
    assert page.context["proof"].checkpoint == signed.at
    assert page.context["row"].seal.number == 1
    for shown in ("alma4711@laden.example", "footer", version.sha256_de, bytes(Entry.objects.get().leaf).hex()):
        assert shown in page.text
    assert AccessLog.objects.filter(customer_number="4711", page="consents:entry").exists()


def test_an_entry_that_does_not_fit_says_so(officer, person):
    entry = give(person)
    record = Record.objects.get(pk=entry)
    Record.objects.filter(pk=entry).update(proof=record.proof[:-3] + "x" + record.proof[-2:])
    page = officer.get(reverse("consents:entry", args=[entry]))
    assert page.context["proof"].record_fits is False
    assert "passt nicht zu seinem Hash" in page.text


def test_a_protected_person_is_not_shown_beside_an_entry(person, signed_in):
    role = Role.objects.create(key="ledger", name="Ledger")
    role.permissions.create(permission="consents.ledger")
    reader = User.objects.create_user("reader@obhut.example", name="Lea", roles=["ledger"])
    entry = give(person)
    Customer.objects.filter(pk=person.pk).update(restricted_at=timezone.now())
    page = signed_in(reader).get(reverse("consents:entry", args=[entry]))
    assert page.status_code == 200
    assert "alma4711" not in page.text
    assert not AccessLog.objects.filter(page="consents:entry").exists()


def test_an_erased_record_names_the_entry_that_erased_it(officer, person):
    give(person)
    entry = Entry.objects.get()
    run_erasure(ask_erasure(person).pk)
    # Blocked, not gone: the proof has a last day.
    page = officer.get(reverse("consents:entry", args=[entry.pk])).text
    assert "alma4711" not in page
    delete_record(entry.pk)
    assert "das nächste Siegel trägt es ein" in officer.get(reverse("consents:entry", args=[entry.pk])).text
    seal_pending()
    by = Entry.objects.get(kind="erased")
    page = officer.get(reverse("consents:entry", args=[entry.pk]))
    assert f"laut Eintrag {by.pk}" in page.text
    erasing = officer.get(reverse("consents:entry", args=[by.pk]))
    assert erasing.context["proof"].record_fits
    assert "Datensatz gelöscht" in officer.get(reverse("consents:ledger")).text


def delete_record(entry: int) -> None:
    """Delete a record as a retention run does at its last day."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL obhut.erasing = 'on'")
        cursor.execute("DELETE FROM consents_record WHERE entry_id = %s", [entry])


def test_how_far_it_is_sealed_and_signed_is_shown_with_the_public_key(officer, person, checkpoint_file):
    url = reverse("consents:ledger")
    key = notes.public_text(checkpoints.verifying_key())
    assert key in officer.get(url).text.replace("&#x2B;", "+").replace("&#x3D;", "=")
    give(person)
    assert officer.get(url).context["standing"].waiting == 1
    seal_pending()
    checkpoints.sign_checkpoint()
    standing = officer.get(url).context["standing"]
    assert (standing.entries, standing.seals, standing.waiting, standing.fault) == (1, 1, 0, "")
    assert standing.checkpoint.size == 1
    checkpoint_file.write_text(checkpoint_file.read_text().replace("\n1\n", "\n2\n"))
    assert "nicht das, was signiert wurde" in officer.get(url).text
