"""The ledger as the privacy role browses it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consents import browsing, checkpoints, notes
from consents.models import Entry, Record
from consents.sealing import seal_pending
from customers.models import Customer
from datamap.keyset import PAGE
from datamap.models import AccessLog
from privacy.erasing import ask_erasure, run_erasure
from staff.models import Role, User
from tests.consents.making import triggers_off
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


def test_a_day_that_no_calendar_of_ours_has_is_refused(officer, person):
    give(person)
    page = reverse("consents:ledger")
    for wrong in ({"begin": "0026-01-01"}, {"end": "0001-01-01"}, {"begin": "9999-12-31"}, {"end": "9999-12-31"}):
        assert officer.get(page, wrong).status_code == 422, wrong
    assert officer.get(page, {"begin": "1900-01-01", "end": "2999-12-31"}).status_code == 200


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


def test_a_page_looks_at_so_many_entries_and_says_how_far_it_came(officer, person, monkeypatch):
    monkeypatch.setattr(browsing, "STEP", 4)
    monkeypatch.setattr(browsing, "REACH", 10)
    old = [give(person, purpose="birthday")]
    others = [give(person) for _ in range(24)]
    old.append(give(person, purpose="birthday"))
    url = reverse("consents:ledger")
    first = officer.get(url, {"purpose": "birthday"})
    assert ids(first) == old[1:]
    assert first.context["until"] == Entry.objects.get(pk=others[15]).ts
    assert "es gibt ältere" in first.text
    second = officer.get(url + first.context["next_url"])
    assert ids(second) == []
    assert "Bisher nichts gefunden" in second.text
    third = officer.get(url + second.context["next_url"])
    assert (ids(third), third.context["next_url"], third.context["until"]) == (old[:1], "", None)
    # What seldom happens is found at once, however far back.
    refused = give(person, kind="refused", purpose="birthday")
    for _ in range(12):
        give(person)
    for query in ({"kind": "refused"}, {"kind": "refused", "purpose": "birthday"}):
        answer = officer.get(url, query)
        assert (ids(answer), answer.context["next_url"]) == ([refused], "")
    assert ids(officer.get(url, {"kind": "refused", "purpose": "newsletter"})) == []


def test_filters_turn_pages_without_losing_an_entry(officer, monkeypatch):
    monkeypatch.setattr(browsing, "STEP", 7)
    monkeypatch.setattr(browsing, "REACH", 30)
    person = make_person("4711")
    entries = [give(person, purpose=("newsletter", "birthday", "feedback")[n % 3]) for n in range(3 * PAGE + 4)]
    url, seen = reverse("consents:ledger"), []
    query = f"{url}?purpose=newsletter"
    while query:
        answer = officer.get(query)
        seen += ids(answer)
        query = url + answer.context["next_url"] if answer.context["next_url"] else ""
    assert seen == entries[::3][::-1]


def test_what_another_clock_wrote_is_judged_by_its_own_time(officer, person):
    entries = [give(person) for _ in range(6)]
    day = timezone.now().replace(hour=12)
    with triggers_off("consents_entry"):
        for n, days in enumerate((400, 90, 400, 90, 45, 3)):
            Entry.objects.filter(pk=entries[n]).update(ts=day - timedelta(days=days))
    url = reverse("consents:ledger")

    def between(begin: int | None, end: int | None) -> list[int]:
        days = {"begin": begin, "end": end}
        asked = {key: (day - timedelta(days=back)).date().isoformat() for key, back in days.items() if back is not None}
        return [entries.index(pk) for pk in ids(officer.get(url, asked))]

    assert between(None, 300) == [2, 0]
    assert between(95, 85) == [3, 1]
    assert between(95, 40) == [4, 3, 1]
    assert between(60, None) == [5, 4]
    assert between(30, 20) == []
    assert between(None, 500) == []
    assert between(2, None) == []


def test_no_filter_walks_through_the_whole_ledger(officer, person):
    """EXPLAIN over many entries: what seldom happens, and days, are found by their indexes."""
    give(person)
    with triggers_off("consents_entry"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO consents_entry (uuid, ts, kind, purpose, text_sha256, actor_ref, commitment, leaf) "
            "SELECT gen_random_uuid(), now() - interval '400 days' + g * interval '1 minute', 'given', 'newsletter', "
            "repeat('a', 64), 'self', sha256(g::text::bytea), sha256(g::text::bytea) FROM generate_series(1, 60000) g"
        )
        cursor.execute("SELECT brin_summarize_new_values('consents_entry_time')")
        cursor.execute("ANALYZE consents_entry")
    url, today = reverse("consents:ledger"), timezone.localdate()
    for query in (
        {"kind": "invalidated"},
        {"kind": "erased", "purpose": "phone"},
        {"begin": (today - timedelta(days=380)).isoformat(), "end": (today - timedelta(days=379)).isoformat()},
    ):
        with CaptureQueriesContext(connection) as asked:
            officer.get(url, query)
        for said in asked.captured_queries:
            if "consents_entry" in said["sql"] and said["sql"].startswith("SELECT"):
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + said["sql"])
                    (told,) = cursor.fetchone()
                assert looked_at(told[0]["Plan"]) < 20_000, said["sql"]


def looked_at(plan: dict) -> int:
    """How many rows the parts of a plan read and threw away or kept."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return max([own * plan["Actual Loops"], *(looked_at(part) for part in plan.get("Plans", []))])


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
    assert page.context["proof"].checkpoint == signed.signed_at
    # For people, in the shop's time; not as machines write it.
    assert "Z</dd>" not in page.text and signed.at not in page.text
    assert page.context["row"].seal.number == 1
    for shown in ("alma4711@laden.example", "footer", version.sha256_de, bytes(Entry.objects.get().leaf).hex()):
        assert shown in page.text
    assert AccessLog.objects.filter(customer_number="4711", page="consents:entry").exists()


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("self", "die Person"),
        ("provider", "der Mailanbieter"),
        ("sale", "ein Verkauf"),
        ("staff:{}", "Olga"),
        ("staff:99999999", "Personal"),
    ],
)
def test_whoever_acted_is_named_in_words(officer, person, actor, words):
    actor = actor.format(User.objects.get(name="Olga").pk)
    entry = give(person, actor=actor)
    for page in (reverse("consents:entry", args=[entry]), reverse("consents:customer", args=[person.number])):
        said = re.sub("<[^>]*>", "\n", officer.get(page).text)
        assert words in said and not re.search(rf"(\n|· ){actor}\b", said), page


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
    assert "nicht der, der signiert wurde" in officer.get(url).text
