"""The ledger: entries that stand for ever and name nobody, and beside each what it is about, which may be erased."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consents.events import SELDOM, Channel, Kind, Source
from consents.models.purposes import Purpose
from customers.models import Customer
from customers.normalizing import whole_key
from datamap.blocking import ArchiveQuerySet, UnblockedManager
from vault.fields import BlindIndexField, SealedTextField

ENDPOINT_LABEL = "customers.contactpoint.whole_index"
"""Endpoints are hashed as contact points are, so that a consent is joined to the address it was given for."""


class Entry(models.Model):
    """One line of the ledger. Nobody is named in it; the database lets it neither change nor go."""

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    ts = models.DateTimeField(_("recorded"))
    kind = models.CharField(_("event"), max_length=12, choices=Kind)
    purpose = models.CharField(_("purpose"), max_length=40, blank=True)
    text_sha256 = models.CharField(_("wording"), max_length=64, blank=True)
    actor_ref = models.CharField(_("by"), max_length=60)
    ref_id = models.UUIDField(_("belongs to"), null=True, blank=True)
    commitment = models.BinaryField(max_length=32)
    leaf = models.BinaryField(max_length=32)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints: ClassVar[list[Any]] = [models.UniqueConstraint(fields=["uuid"], name="consents_entry_uuid")]
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["ref_id"], condition=models.Q(ref_id__isnull=False), name="consents_entry_ref"),
            models.Index(fields=["text_sha256", "id"], condition=~models.Q(text_sha256=""), name="consents_entry_text"),
            # What happens often has none: each append would write it, and the ledger is walked for that (`browsing`).
            models.Index(
                fields=["kind", "id"],
                include=["purpose"],
                condition=models.Q(kind__in=sorted(SELDOM)),
                name="consents_entry_seldom",
            ),
            # Entries lie in the order of their time: a few pages of index find the entries of a month.
            BrinIndex(fields=["ts"], autosummarize=True, name="consents_entry_time"),
        ]

    def __str__(self) -> str:
        return f"Entry {self.pk}"


class Record(models.Model):
    """What an entry is about: whose consent, for which endpoint, and the sealed proof. It is erased with its period."""

    entry = models.OneToOneField(
        Entry, models.DO_NOTHING, primary_key=True, related_name="record", verbose_name=_("ledger entry")
    )
    customer = models.ForeignKey(
        Customer,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="consent_records",
        verbose_name=_("customer"),
    )
    purpose = models.ForeignKey(
        Purpose, models.PROTECT, db_index=False, related_name="records", verbose_name=_("purpose")
    )
    kind = models.CharField(_("event"), max_length=12, choices=Kind)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    endpoint = SealedTextField(_("endpoint"), null=True, blank=True, max_length=320)
    endpoint_index = BlindIndexField(source="endpoint", normalizer=whole_key, label=ENDPOINT_LABEL)
    source = models.CharField(_("source"), max_length=16, choices=Source)
    occurred_at = models.DateTimeField(_("when"))
    late = models.BooleanField(_("told later"), default=False)
    confirmed = models.BooleanField(_("confirmed"), default=False)
    # Salt and payload, as committed to: 64 hexadecimal digits and canonical JSON.
    proof = SealedTextField(_("proof"))
    # When the consent it belongs to ended: from then on the proof has a last day (domain.md 5, CONSENT).
    ended_at = models.DateTimeField(_("consent ended"), null=True, blank=True)
    # Of a consent given: the grant, then each time it was used; proof of a consent to calls counts from it (§ 7a UWG).
    used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    # Of a consent that was used although it had gone stale: the last use before. The later one is proof, and freshens
    # nothing. Null: it is fresh from the last use on.
    fresh_from = models.DateTimeField(_("fresh from"), null=True, blank=True)
    # Begin and end of each time without a use that was as long as some limit of the purpose, one after the other: what
    # an answer of then counts from. Between them it was fresh. Null: there was none.
    pauses = ArrayField(models.DateTimeField(), verbose_name=_("long times without a use"), null=True, blank=True)
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = UnblockedManager()
    archive = ArchiveQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent event")
        verbose_name_plural = _("consent events")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["customer", "-occurred_at", "-entry"], name="consents_record_timeline"),
            # What is due is found by these alone: each holds what the other rule of a row asks for, too.
            models.Index(
                fields=["ended_at", "entry"],
                include=["channel", "used_at"],
                condition=models.Q(ended_at__isnull=False),
                name="consents_record_ended",
            ),
            models.Index(
                fields=["used_at", "entry"],
                include=["ended_at"],
                condition=models.Q(channel=Channel.PHONE, used_at__isnull=False),
                name="consents_record_called",
            ),
            models.Index(
                fields=["subject_ref"], condition=models.Q(subject_ref__isnull=False), name="consents_record_ref"
            ),
        ]

    def __str__(self) -> str:
        return f"Consent event {self.pk}"

    @property
    def use(self) -> str:
        """What it is about in words: purpose and channel."""
        return self.purpose.on(self.channel)


class State(models.Model):
    """What holds now for one customer, purpose, channel and endpoint: kept with the ledger in one transaction."""

    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="consent_states")
    purpose = models.ForeignKey(
        Purpose, models.PROTECT, db_index=False, related_name="states", verbose_name=_("purpose")
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    endpoint = SealedTextField(_("endpoint"), null=True, blank=True, max_length=320, label="consents.record.endpoint")
    endpoint_index = BlindIndexField(source="endpoint", normalizer=whole_key, label=ENDPOINT_LABEL)
    # As the suppression list hashes it, so that an entry there closes this row at once.
    mark = models.BinaryField(_("fingerprint for the suppression list"), max_length=34, null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=Kind)
    since = models.DateTimeField(_("since"))
    late = models.BooleanField(_("told later"), default=False)
    confirmed = models.BooleanField(_("confirmed"), default=False)
    source = models.CharField(_("source"), max_length=16, choices=Source)
    entry = models.ForeignKey(
        Entry, models.DO_NOTHING, db_index=False, related_name="+", verbose_name=_("ledger entry")
    )
    # Whether what it says is a yes, and whether nothing about the person or the endpoint stands against it
    # (`opening`); staleness is asked by the date.
    granted = models.BooleanField(_("is a yes"), default=False)
    open = models.BooleanField(_("nothing stands against it"), default=False)
    fresh_until = models.DateTimeField(_("fresh until"), null=True, blank=True)

    class Meta:
        verbose_name = _("state of a consent")
        verbose_name_plural = _("states of consents")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                fields=["customer", "purpose", "channel", "endpoint_index"],
                nulls_distinct=False,
                name="consents_state_once",
            )
        ]
        indexes: ClassVar[list[Any]] = [
            models.Index(
                fields=["purpose", "channel", "customer"],
                include=["fresh_until"],
                condition=models.Q(granted=True, open=True),
                name="consents_state_audience",
            ),
            models.Index(fields=["mark"], condition=models.Q(mark__isnull=False), name="consents_state_mark"),
        ]

    def __str__(self) -> str:
        return f"Consent state {self.pk}"


class Position(models.Model):
    """The number under which an entry was sealed; drawn when it is sealed, so that nothing is missing between."""

    number = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, models.DO_NOTHING, related_name="position")

    class Meta:
        verbose_name = _("place in the ledger")
        verbose_name_plural = _("places in the ledger")

    def __str__(self) -> str:
        return f"Place {self.pk}"


class Seal(models.Model):
    """A Merkle root over the entries of some minutes, chained to the seal before it."""

    number = models.BigIntegerField(primary_key=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(_("sealed"), default=timezone.now)

    class Meta:
        verbose_name = _("seal")
        verbose_name_plural = _("seals")
        indexes: ClassVar[list[Any]] = [models.Index(fields=["last"], name="consents_seal_last")]

    def __str__(self) -> str:
        return f"Seal {self.pk}"


class Unsealed(models.Model):
    """Entries that wait for their seal: a queue, no part of the proof."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, related_name="+", db_constraint=False)

    class Meta:
        verbose_name = _("entry that waits for its seal")
        verbose_name_plural = _("entries that wait for their seal")

    def __str__(self) -> str:
        return f"Unsealed {self.pk}"


class ErasedRecord(models.Model):
    """A record that went by an erasure or at its last day; entered into the ledger with the next seal."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, related_name="+")
    at = models.DateTimeField(_("erased"), default=timezone.now)
    by = models.ForeignKey(
        Entry, models.DO_NOTHING, null=True, blank=True, db_index=False, related_name="+", verbose_name=_("entered by")
    )

    class Meta:
        verbose_name = _("erased record")
        verbose_name_plural = _("erased records")
        indexes: ClassVar[list[Any]] = [
            models.Index(fields=["entry"], condition=models.Q(by__isnull=True), name="consents_erased_waiting")
        ]

    def __str__(self) -> str:
        return f"Erased record {self.pk}"


class ErasureProof(models.Model):
    """What an entry of the kind "erased" commits to: which entries lost their records. No personal data."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, related_name="+")
    salt = models.BinaryField(max_length=32)
    entries = ArrayField(models.UUIDField())

    class Meta:
        verbose_name = _("proof of an erasure")
        verbose_name_plural = _("proofs of erasures")

    def __str__(self) -> str:
        return f"Proof of erasure {self.pk}"
