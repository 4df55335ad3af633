"""Suppression and tombstones stand in the journal too, and come back from it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.db import transaction

from customers import suppression, tombstones
from customers.intake import write_suppressions
from customers.models import Origin, Suppression, Tombstone
from customers.rows import Source, SuppressionRow
from datamap import journal
from vault.columns import list_uses
from vault.keyring import keyring

pytestmark = pytest.mark.django_db
ERASED = datetime(2026, 11, 10, 9, 30, tzinfo=UTC)


def entries(kind: str) -> list[journal.Entry]:
    return [entry for entry in journal.entries() if entry.kind == kind]


def test_a_suppressed_address_stands_in_the_journal_once_and_only_as_a_keyed_hash() -> None:
    assert suppression.suppress("email", "Anna@Example.org", reason="objection")
    assert not suppression.suppress("email", "anna@example.org", reason="objection")
    (entry,) = entries("suppression")
    assert entry.payload["endpoint"] == bytes(Suppression.objects.get().endpoint).hex()
    assert "anna" not in str(entry.payload).lower()


def test_a_file_of_unsubscribed_addresses_is_written_with_one_mark() -> None:
    source = Source(uuid.uuid4(), "mailchimp", Origin.objects.create(kind="file").pk)
    rows = [SuppressionRow(line, f"person{line}@example.org", "email", "unsubscribed") for line in range(1, 41)]
    assert write_suppressions(rows, source).created == 40
    assert write_suppressions(rows, source).created == 0
    assert len(entries("suppression")) == 40


def test_replayed_entries_suppress_again_and_the_second_replay_finds_them_there() -> None:
    suppression.suppress("email", "anna@example.org", reason="objection", since=ERASED)
    (entry,) = entries("suppression")
    Suppression.objects.all().delete()
    with journal.replaying(entry.position):
        assert suppression.replay([entry.payload]) == 1
        assert suppression.replay([entry.payload]) == 0
    assert suppression.suppressed("email", "anna@example.org")
    assert Suppression.objects.get().since == ERASED
    assert len(entries("suppression")) == 1


def test_marks_of_erased_persons_come_back_under_their_reference() -> None:
    ref = uuid.uuid4()
    marks = tombstones.marks_of(emails=["anna@example.org"], external=[("shopify", "77")])
    assert tombstones.bury({ref: marks}, erased_at=ERASED) == 2
    (entry,) = entries("tombstone")
    Tombstone.objects.all().delete()
    assert tombstones.erased(email="anna@example.org") is None
    with transaction.atomic(), journal.replaying(entry.position):
        assert tombstones.replay([entry.payload]) == 1
        assert tombstones.replay([entry.payload]) == 0
    assert tombstones.erased(email="anna@example.org") == (ERASED, ref)
    assert tombstones.erased(external=("shopify", "77")) == (ERASED, ref)


def test_the_list_key_is_counted_with_what_names_it() -> None:
    suppression.suppress("email", "anna@example.org", reason="objection")
    Tombstone.objects.create(mark=bytes(Suppression.objects.get().endpoint), kind="email", erased_at=ERASED)
    assert list_uses() == {keyring().writing("list").id: 2}
