"""Whoever alters the ledger behind the house's back is found out (security.md 2)."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.utils import timezone

from consents import checkpoints, notes, verifying
from consents.checkpoints import LedgerBehind, sign_checkpoint
from consents.hashing import NOTHING, leaf, root, seal_hash
from consents.models import Entry, ErasedRecord, Position, Record, Seal
from consents.rebuilding import compare_states
from consents.recording import clear_fields
from consents.sealing import seal_pending
from consents.verifying import verify
from customers.models import Customer, Tombstone
from privacy.erasing import ask_erasure, run_erasure
from tests.consents.making import say, triggers_off
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db

FIRST, MIDDLE, LAST = 0, 4, 8


def run(statement: str, params: Any = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.rowcount


@pytest.fixture
def entries() -> list[int]:
    """Nine entries under three seals, the first two of them signed."""
    people = [make_person(str(4711 + n)) for n in range(3)]
    ids = []
    for turn, kind in enumerate(("given", "withdrawn", "given")):
        ids += [say(person, kind) for person in people]
        seal_pending()
        if turn == 1:
            sign_checkpoint()
    return ids


def test_an_untouched_ledger_is_sound(entries):
    found = verify()
    assert (found.ok, found.entries, found.seals, found.erased, found.first_broken) == (True, 9, 3, 0, None)
    assert found.checkpoint == checkpoints.newest().at


@pytest.mark.parametrize("place", [FIRST, MIDDLE, LAST])
@pytest.mark.parametrize(
    "change",
    [
        "uuid = gen_random_uuid()",
        "ts = ts + interval '1 microsecond'",
        "kind = 'refused'",
        "purpose = 'birthday'",
        "text_sha256 = repeat('cd', 32)",
        "actor_ref = 'staff:1'",
        "ref_id = gen_random_uuid()",
        "commitment = set_byte(commitment, 0, get_byte(commitment, 0) # 1)",
        "leaf = set_byte(leaf, 31, get_byte(leaf, 31) # 1)",
    ],
)
def test_a_clear_field_that_is_flipped_is_found(entries, place, change):
    with triggers_off("consents_entry"):
        run(f"UPDATE consents_entry SET {change} WHERE id = %s", [entries[place]])
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[place])


@pytest.mark.parametrize("place", [FIRST, MIDDLE, LAST])
@pytest.mark.parametrize("part", [slice(0, 64), slice(64, None)], ids=["salt", "payload"])
def test_a_record_that_is_sealed_anew_with_other_words_is_found(entries, place, part):
    row = Record.objects.get(pk=entries[place])
    own = row.proof[part]
    other = own[::-1] if part.stop else own.replace("web_form", "paper", 1)
    assert other != own
    Record.objects.filter(pk=row.pk).update(proof=row.proof.replace(own, other, 1))
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[place])


@pytest.mark.parametrize(
    "change",
    [
        "occurred_at = occurred_at - interval '1 day'",
        "channel = 'sms'",
        "kind = 'renewed'",
        "source = 'paper'",
        "late = NOT late",
        "confirmed = NOT confirmed",
        "endpoint_index = sha256('another')",
        "customer_id = (SELECT max(customer_id) FROM consents_record)",
        # Of nobody is only what an erasure blocked.
        "customer_id = NULL",
        "purpose_id = (SELECT id FROM consents_purpose WHERE key = 'birthday')",
        "proof = set_byte(proof, 20, get_byte(proof, 20) # 1)",
    ],
)
def test_what_a_record_says_in_clear_is_held_against_what_was_sealed(entries, change):
    run(f"UPDATE consents_record SET {change} WHERE entry_id = %s", [entries[FIRST]])
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[FIRST])


def test_two_records_that_changed_entries_are_found(entries):
    one, other = entries[0], entries[3]  # a yes and the no after it
    with triggers_off("consents_record"):
        drop_key("consents_record")
        for old, new in ((one, 0), (other, one), (0, other)):
            run("UPDATE consents_record SET entry_id = %s WHERE entry_id = %s", [new, old])
    found = verify()
    assert (found.ok, found.first_broken) == (False, one)


def test_a_leaf_that_was_made_anew_with_its_entry_is_found_by_the_seal(entries):
    with triggers_off("consents_entry"):
        entry = Entry.objects.get(pk=entries[MIDDLE])
        made = leaf(
            clear_fields(entry.uuid, entry.ts, "given", entry.purpose, entry.text_sha256, entry.actor_ref, None),
            bytes(entry.commitment),
        )
        run("UPDATE consents_entry SET kind = 'given', leaf = %s WHERE id = %s", [made, entry.pk])
        run("UPDATE consents_record SET kind = 'given' WHERE entry_id = %s", [entry.pk])
    found = verify()
    assert not found.ok and "seal 2" in found.why


def test_an_entry_that_was_slipped_in_under_a_seal_is_found(entries):
    """A no between two seals that was never sealed, or one that took the number of another."""
    with triggers_off("consents_position"):
        run("UPDATE consents_position SET number = -number WHERE number > 4")
        run("UPDATE consents_position SET number = 1 - number WHERE number < 0")
    assert not verify().ok


def test_the_last_seal_and_its_numbers_may_not_go_alone(entries):
    with triggers_off("consents_seal", "consents_position"):
        run("DELETE FROM consents_seal WHERE number = 3")
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[6])
    with triggers_off("consents_seal", "consents_position"):
        run("DELETE FROM consents_position WHERE number > 6")
    # Sealed once, they wait for a seal again: late ones are told, and nothing of what was signed is touched.
    assert verify().ok
    with triggers_off("consents_seal", "consents_position"):
        run("DELETE FROM consents_seal WHERE number = 2")
        run("DELETE FROM consents_position WHERE number > 3")
    assert not verify().ok


@pytest.mark.parametrize("place", [FIRST, MIDDLE, LAST])
def test_a_deleted_entry_is_found(entries, place):
    with triggers_off("consents_entry", "consents_record"):
        run("DELETE FROM consents_state WHERE entry_id = %s", [entries[place]])
        run("DELETE FROM consents_record WHERE entry_id = %s", [entries[place]])
        drop_key("consents_position")
        run("DELETE FROM consents_entry WHERE id = %s", [entries[place]])
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[place])


def drop_key(table: str) -> None:
    """Whoever owns the tables may drop the key that keeps an entry there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'", [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def test_two_entries_that_changed_places_are_found(entries):
    with triggers_off("consents_position"):
        drop_key("consents_position")
        run("UPDATE consents_position SET entry_id = -entry_id")
        swap = {entries[3]: entries[4], entries[4]: entries[3]}
        for own in entries:
            run("UPDATE consents_position SET entry_id = %s WHERE entry_id = %s", [swap.get(own, own), -own])
    found = verify()
    assert not found.ok
    assert found.first_broken in swap


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_deleted_seal_is_found(entries, number):
    with triggers_off("consents_seal"):
        run("DELETE FROM consents_seal WHERE number = %s", [number])
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[3 * (number - 1)])


@pytest.mark.parametrize(
    "change", ["root = sha256('x')", "previous = sha256('x')", "hash = sha256('x')", "last = last + 1"]
)
def test_a_changed_seal_is_found(entries, change):
    with triggers_off("consents_seal"):
        run(f"UPDATE consents_seal SET {change} WHERE number = 2")
    assert not verify().ok


def test_renumbered_seals_are_found(entries):
    with triggers_off("consents_seal"):
        run("UPDATE consents_seal SET number = number + 10 WHERE number > 1")
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[3])


def test_a_ledger_cut_off_below_a_checkpoint_is_found(entries):
    sign_checkpoint()
    cut_off(entries[6:])
    found = verify()
    assert not found.ok
    assert "signed" in found.why
    with pytest.raises(LedgerBehind):
        sign_checkpoint()


def cut_off(entries: list[int]) -> None:
    """Take the newest entries away with everything that shows them."""
    tables = ("consents_entry", "consents_record", "consents_position", "consents_seal")
    with triggers_off(*tables):
        run("DELETE FROM consents_state WHERE entry_id = ANY(%s)", [entries])
        run("DELETE FROM consents_record WHERE entry_id = ANY(%s)", [entries])
        oldest = "SELECT min(number) FROM consents_position WHERE entry_id = ANY(%s)"
        run(f"DELETE FROM consents_seal WHERE last > ({oldest})", [entries])
        run("DELETE FROM consents_position WHERE entry_id = ANY(%s)", [entries])
        run("DELETE FROM consents_entry WHERE id = ANY(%s)", [entries])


def test_what_is_cut_off_after_the_last_checkpoint_is_not_seen(entries):
    """The honest gap (security.md 2): a minute until the seal, an hour until the signature."""
    cut_off(entries[6:])
    assert verify().ok


def test_a_ledger_rewritten_from_end_to_end_is_found_by_its_checkpoint(entries):
    with triggers_off("consents_entry", "consents_seal"):
        Record.objects.filter(pk=entries[0]).update(kind="refused")
        rows = list(Entry.objects.order_by("position__number"))
        leaves = [bytes(row.leaf) for row in rows]
        leaves[0] = bytes(32)
        previous = NOTHING
        for seal in Seal.objects.order_by("number"):
            tree = root(leaves[seal.first - 1 : seal.last])
            own = seal_hash(seal.number, seal.first, seal.last, tree, previous)
            Seal.objects.filter(pk=seal.pk).update(root=tree, previous=previous, hash=own)
            previous = own
    with pytest.raises(LedgerBehind):
        sign_checkpoint()
    assert not verify().ok


def test_a_checkpoint_that_somebody_else_signed_is_found(entries, checkpoint_file):
    genuine = checkpoints.newest()
    checkpoint_file.write_text(notes.sign(genuine, Ed25519PrivateKey.generate()) + "\n")
    found = verify()
    assert (found.ok, found.why) == (False, "a checkpoint was forged")


def test_a_checkpoint_with_another_size_is_found(entries, checkpoint_file):
    text = checkpoint_file.read_text()
    checkpoint_file.write_text(text.replace("\n6\n", "\n5\n", 1))
    assert not verify().ok


def test_nothing_is_signed_twice(entries, checkpoint_file):
    assert sign_checkpoint().size == 9
    assert sign_checkpoint() is None
    assert len(checkpoints.written()) == 2


def test_a_record_that_went_without_an_erasure_is_an_alarm(entries):
    with triggers_off("consents_record"):
        run("DELETE FROM consents_record WHERE entry_id = %s", [entries[MIDDLE]])
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[MIDDLE])


def test_a_record_whose_erasure_somebody_made_up_is_an_alarm(entries):
    with triggers_off("consents_record"):
        run("DELETE FROM consents_record WHERE entry_id = %s", [entries[MIDDLE]])
    ErasedRecord.objects.create(entry_id=entries[MIDDLE], by_id=entries[LAST])
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[MIDDLE])


@pytest.mark.parametrize(
    "cut",
    [
        "customer_id = NULL, blocked_at = now(), subject_ref = gen_random_uuid()",
        "customer_id = NULL, blocked_at = now(), subject_ref = NULL",
        # The mark of somebody who was really erased, and a tombstone that somebody put there.
        "customer_id = NULL, blocked_at = now(), subject_ref = (SELECT min(subject_ref::text)::uuid"
        " FROM customers_tombstone WHERE kind = 'number')",
        "customer_id = NULL, blocked_at = now(), subject_ref = '00000000-0000-4000-8000-000000000001'",
        # Hidden from every page, and nobody was erased.
        "blocked_at = now()",
    ],
)
def test_a_block_that_somebody_made_up_is_found(entries, cut):
    run_erasure(ask_erasure(Customer.objects.get(number="4713")).pk)
    seal_pending()
    assert verify().ok
    invented = Tombstone(subject_ref=UUID("00000000-0000-4000-8000-000000000001"), kind="number", mark=b"1" * 34)
    invented.erased_at = timezone.now()
    invented.save()
    victim = Record.objects.filter(customer__number="4711").earliest("pk").pk
    run(f"UPDATE consents_record SET {cut} WHERE entry_id = %s", [victim])
    found = verify()
    assert (found.ok, found.first_broken) == (False, victim)


def test_a_tombstone_that_somebody_took_away_is_found(entries):
    run_erasure(ask_erasure(Customer.objects.get(number="4712")).pk)
    seal_pending()
    run("DELETE FROM customers_tombstone WHERE kind = 'number'")
    blocked = Record.archive.filter(blocked_at__isnull=False).earliest("pk").pk
    found = verify()
    assert (found.ok, found.first_broken) == (False, blocked)


def test_everything_may_be_erased_and_the_seals_still_hold(entries):
    run("SET LOCAL obhut.erasing = 'on'")
    run("DELETE FROM consents_state")
    assert run("DELETE FROM consents_record") == 9
    run("SET LOCAL obhut.erasing = ''")
    seal_pending()
    found = verify()
    assert (found.ok, found.entries, found.erased) == (True, 10, 9), found.why
    assert ErasedRecord.objects.filter(by__kind="erased").count() == 9


def test_a_list_of_erased_entries_that_is_changed_is_found(entries):
    run("SET LOCAL obhut.erasing = 'on'")
    run("DELETE FROM consents_record WHERE entry_id = %s", [entries[0]])
    run("SET LOCAL obhut.erasing = ''")
    seal_pending()
    with triggers_off("consents_erasureproof"):
        run("UPDATE consents_erasureproof SET entries = ARRAY[gen_random_uuid()]")
    assert not verify().ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consents_entry SET kind = 'given'",
        "DELETE FROM consents_entry",
        "TRUNCATE consents_entry CASCADE",
        "UPDATE consents_seal SET last = 1",
        "DELETE FROM consents_seal",
        "UPDATE consents_position SET number = number + 100",
        "DELETE FROM consents_record",
        "TRUNCATE consents_record CASCADE",
        "DELETE FROM consents_erasedrecord",
    ],
)
def test_even_the_owner_is_stopped(entries, statement):
    run("SET LOCAL obhut.erasing = 'on'")
    run("DELETE FROM consents_record WHERE entry_id = %s", [entries[0]])
    run("SET LOCAL obhut.erasing = ''")
    run("SET LOCAL obhut.flush = ''")
    run("SET CONSTRAINTS ALL IMMEDIATE")
    refused = pytest.raises(DatabaseError, match=r"only ever added to|never emptied|not otherwise|entered once")
    with refused, transaction.atomic():
        run(statement)
    run("SET LOCAL obhut.flush = 'on'")


def test_the_triggers_speak_whatever_the_session_says():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE tgenabled = 'A') FROM pg_trigger WHERE NOT tgisinternal "
            "AND tgrelid IN (SELECT ('consents_' || t)::regclass FROM unnest(ARRAY['entry', 'position', 'seal', "
            "'erasureproof', 'record', 'erasedrecord', 'legaltextversion']) t)"
        )
        there, always = cursor.fetchone()
    assert there == always >= 13


def test_the_command_prints_the_contract(entries, capsys):
    call_command("verify_ledger", "--json")
    said = json.loads(capsys.readouterr().out)
    assert set(said) >= {"entries", "seals", "ok", "first_broken", "erased", "checkpoint"}
    assert (said["entries"], said["seals"], said["ok"], said["first_broken"], said["erased"]) == (9, 3, True, None, 0)
    with triggers_off("consents_entry"):
        run("UPDATE consents_entry SET purpose = 'birthday' WHERE id = %s", [entries[MIDDLE]])
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", "--json")
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["first_broken"] == entries[MIDDLE]


def test_a_rolled_back_entry_leaves_no_gap(entries):
    person = make_person("4800")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        say(person)
        raise ZeroDivisionError
    say(person)
    seal_pending()
    numbers = list(Position.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, 11))
    assert verify().ok


def test_it_is_told_how_far_the_look_has_come(entries, monkeypatch):
    monkeypatch.setattr(verifying, "WORTH_SHARING", 2)
    heard: list[int] = []
    found = verify(progress=heard.append)
    assert found.ok and len(heard) > 1 and sum(heard) == found.entries
    with triggers_off("consents_entry"):
        run("UPDATE consents_entry SET actor_ref = 'staff:9' WHERE id = ANY (%s)", [[entries[FIRST], entries[LAST]]])
    found = verify()
    assert (found.ok, found.first_broken) == (False, entries[FIRST])
    read: list[int] = []
    compare_states(read.append)
    assert sum(read) == Record.objects.count()


@pytest.mark.parametrize("page", [1, 2, 5_000])
def test_entries_whose_keys_lie_far_apart_are_looked_at_in_their_order(entries, page, monkeypatch):
    monkeypatch.setattr(verifying, "PAGE", page)
    person = make_person("4800")
    far = []
    for _turn in range(3):
        run("SELECT setval(pg_get_serial_sequence('consents_entry', 'id'), %s)", [(far or entries)[-1] + 1_000_000])
        far.append(say(person))
    seal_pending()
    assert verify().entries == 12 and verify().ok
    run("UPDATE consents_record SET source = 'phone' WHERE entry_id = %s", [far[1]])
    assert verify().first_broken == far[1]
    run("UPDATE consents_record SET source = 'phone' WHERE entry_id = %s", [entries[LAST]])
    assert verify().first_broken == entries[LAST]
