"""The person and everything that identifies them; floors above hang their own data on `Customer`."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import LPad
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from customers.normalizing import evidence_key, match_key, part_key, street_key, text_key, whole_key
from customers.querysets import ContactPersonManager, CustomerManager
from vault.fields import BlindIndexField, SealedJSONField, SealedTextField


class HistoryEntry(models.Model):
    """What every history row of this app carries beside the copied fields: the import batch that wrote it."""

    batch = models.UUIDField(null=True, editable=False)

    class Meta:
        abstract = True


class Origin(models.Model):
    """Where rows came from: the source of Art. 15(1)(g) GDPR, and the handle by which an import is undone."""

    class Kind(models.TextChoices):
        STAFF = "staff", _("entered by staff")
        FORM = "form", _("public form")
        FILE = "file", _("file")
        PLATFORM = "platform", _("shop platform")

    kind = models.CharField(max_length=10, choices=Kind)
    platform = models.CharField(max_length=40, blank=True)
    label = models.CharField(max_length=120, blank=True, help_text=_("Profile or page; never a file name."))
    batch = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("origin")
        verbose_name_plural = _("origins")
        constraints = [models.UniqueConstraint(fields=["batch"], name="customers_origin_batch_once")]

    def __str__(self) -> str:
        return f"Origin {self.pk}"


class Customer(models.Model):
    """A person or company the shop knows: account, guest of one order, or prospect."""

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        COMPANY = "company", _("Company")

    class Status(models.TextChoices):
        ACCOUNT = "account", _("Account")
        GUEST = "guest", _("Guest")
        PROSPECT = "prospect", _("Prospect")

    class Salutation(models.TextChoices):
        # CJEU C-394/23: a form of address may be offered, never demanded.
        NONE = "", _("not stated")
        MS = "ms", _("Ms")
        MR = "mr", _("Mr")
        NEUTRAL = "neutral", _("neutral")

    number = models.TextField(_("customer number"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PERSON)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACCOUNT)
    salutation = models.CharField(_("salutation"), max_length=10, choices=Salutation, blank=True)
    title = models.CharField(_("title"), max_length=60, blank=True)
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    vat_id = models.CharField(_("VAT id"), max_length=20, blank=True)
    language = models.CharField(_("language"), max_length=8, default="de")
    # Day and month only: a greeting needs no year, and an age check stores its result (domain.md 2.5).
    birthday_day = models.PositiveSmallIntegerField(_("birthday, day"), null=True, blank=True)
    birthday_month = models.PositiveSmallIntegerField(_("birthday, month"), null=True, blank=True)
    registered_at = models.DateTimeField(_("customer since"), null=True, blank=True)
    deactivated_at = models.DateTimeField(_("deactivated"), null=True, blank=True)
    restricted_at = models.DateTimeField(_("restricted"), null=True, blank=True)
    sort_name = models.TextField(editable=False, default="")
    # "9999" stands before "10001".
    sort_number = models.GeneratedField(
        expression=LPad("number", 20, models.Value("0")), output_field=models.TextField(), db_persist=True
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CustomerManager()
    history = HistoricalRecords(
        bases=[HistoryEntry],
        excluded_fields=["sort_name", "sort_number", "version"],
        no_db_index=["origin", "history_user"],
    )

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [models.UniqueConstraint(fields=["number"], name="customers_customer_number")]
        indexes = [
            # Names are read in folded order, byte by byte: the wheel's PostgreSQL has no ICU (design.md 6).
            models.Index(models.F("sort_name"), models.F("id"), name="customers_sort_name"),
            models.Index(fields=["sort_number", "id"], name="customers_sort_number"),
            models.Index(fields=["origin"], name="customers_customer_origin"),
            # Guests and prospects end after a short while: those who are left are few, whatever the shop's age.
            models.Index(fields=["status", "id"], condition=~models.Q(status="account"), name="customers_passing"),
        ]

    def __str__(self) -> str:
        return f"Customer {self.number}"

    @property
    def full_name(self) -> str:
        """The name as a heading: "Dr. Jürgen Müller" or the company; empty where nobody is named."""
        named = " ".join(filter(None, (self.title, self.first_name, self.last_name)))
        return (self.company or named) if self.kind == self.Kind.COMPANY else (named or self.company)

    @property
    def listed_name(self) -> str:
        """The name in a list: the company, "Müller, Jürgen", or the number where nobody is named."""
        return self.company or ", ".join(filter(None, (self.last_name, self.first_name))) or self.number


class Address(models.Model):
    """One postal address of a customer, with its own recipient line."""

    class Kind(models.TextChoices):
        BILLING = "billing", _("Billing")
        SHIPPING = "shipping", _("Delivery")
        OTHER = "other", _("Other")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="addresses")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.BILLING)
    recipient = models.CharField(_("recipient"), max_length=300, blank=True)
    street = SealedTextField(_("street and number"), blank=True, max_length=300)
    street_index = BlindIndexField(source="street", normalizer=street_key)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=120, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True, default="DE")
    is_default = models.BooleanField(_("usual address"), default=False)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(
        bases=[HistoryEntry],
        excluded_fields=["street_index"],
        no_db_index=["origin", "history_user"],
    )

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        indexes = [
            models.Index(fields=["postcode", "street_index"], name="customers_address_street"),
            models.Index(fields=["origin"], name="customers_address_origin"),
        ]

    def __str__(self) -> str:
        return f"Address {self.pk}"


class PostalMark(models.Model):
    """An address as the suppression list hashes it, so that a set of addresses is compared with the list in SQL.

    Made behind the scenes (`postal.note_marks`) of addresses that an entry may stop; it goes when the address changes
    (a trigger). One row for each spelling; an empty one says that there is nothing to compare.
    """

    # No constraint of the database: addresses go as sets, and the trigger takes this along.
    address = models.ForeignKey(
        Address, models.CASCADE, db_constraint=False, db_index=False, related_name="marks", verbose_name=_("address")
    )
    mark = models.BinaryField(_("fingerprint for the suppression list"), max_length=34)

    class Meta:
        verbose_name = _("fingerprint of an address")
        verbose_name_plural = _("fingerprints of addresses")
        constraints = [models.UniqueConstraint(fields=["address", "mark"], name="customers_postal_mark_once")]
        indexes = [models.Index(fields=["mark"], name="customers_postal_mark")]

    def __str__(self) -> str:
        return f"Postal mark {self.pk}"


class ContactPoint(models.Model):
    """An e-mail address as typed, or a phone number in E.164 (as typed and not indexed where unreadable)."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contact_points")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    value = SealedTextField(_("value"), max_length=320)
    # Whole address or number | part before the @ or last six digits | the key duplicates are searched by.
    whole_index = BlindIndexField(source="value", normalizer=whole_key)
    part_index = BlindIndexField(source="value", normalizer=part_key)
    match_index = BlindIndexField(source="value", normalizer=match_key)
    label = models.CharField(_("label"), max_length=60, blank=True)
    is_primary = models.BooleanField(_("primary"), default=False)
    verified_at = models.DateTimeField(_("verified"), null=True, blank=True)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(
        bases=[HistoryEntry],
        excluded_fields=["whole_index", "part_index", "match_index"],
        no_db_index=["origin", "history_user"],
    )

    class Meta:
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        indexes = [
            models.Index(fields=["whole_index"], name="customers_contact_whole"),
            models.Index(fields=["part_index"], name="customers_contact_part"),
            models.Index(fields=["match_index"], name="customers_contact_match"),
            models.Index(fields=["origin"], name="customers_contact_origin"),
        ]

    def __str__(self) -> str:
        return f"Contact point {self.pk}"


class ContactPerson(models.Model):
    """Someone who speaks for a company customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contact_persons")
    salutation = models.CharField(_("salutation"), max_length=10, choices=Customer.Salutation, blank=True)
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150)
    position = models.CharField(_("role in the company"), max_length=120, blank=True)
    email = SealedTextField(_("e-mail"), blank=True, max_length=320)
    email_index = BlindIndexField(source="email", normalizer=whole_key)
    phone = SealedTextField(_("phone"), blank=True, max_length=60)
    phone_index = BlindIndexField(source="phone", normalizer=whole_key)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Written by `privacy.restricting` alone.
    restricted_at = models.DateTimeField(_("restricted"), null=True, blank=True, editable=False)

    objects = ContactPersonManager()
    history = HistoricalRecords(
        bases=[HistoryEntry],
        excluded_fields=["email_index", "phone_index"],
        no_db_index=["origin", "history_user"],
    )

    class Meta:
        verbose_name = _("contact person")
        verbose_name_plural = _("contact persons")
        indexes = [
            models.Index(fields=["email_index"], name="customers_person_email"),
            models.Index(fields=["phone_index"], name="customers_person_phone"),
        ]

    def __str__(self) -> str:
        return f"Contact person {self.pk}"


class ExternalId(models.Model):
    """The name another system has for a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="external_ids")
    platform = models.CharField(_("platform"), max_length=40)
    # Text: shop ids exceed 2^53.
    value = models.CharField(_("id there"), max_length=120)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("external id")
        verbose_name_plural = _("external ids")
        constraints = [models.UniqueConstraint(fields=["platform", "value"], name="customers_external_id_once")]
        indexes = [models.Index(fields=["origin"], name="customers_external_origin")]

    def __str__(self) -> str:
        return f"External id {self.pk}"


class Tag(models.Model):
    """A word staff sort customers by."""

    name = models.CharField(_("name"), max_length=60)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [models.UniqueConstraint(fields=["name"], name="customers_tag_name")]

    def __str__(self) -> str:
        return f"Tag {self.pk}"


class CustomerTag(models.Model):
    """A tag on a customer, and who put it there."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="customer_tags")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="customer_tags")
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    set_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("tag of a customer")
        verbose_name_plural = _("tags of customers")
        constraints = [models.UniqueConstraint(fields=["customer", "tag"], name="customers_tag_once")]
        indexes = [models.Index(fields=["origin"], name="customers_tag_origin")]

    def __str__(self) -> str:
        return f"Customer tag {self.pk}"


class Preference(models.Model):
    """What a customer likes, who said so and when."""

    class Kind(models.TextChoices):
        CHANNEL = "channel", _("preferred channel")
        INTEREST = "interest", _("product interest")

    class SaidBy(models.TextChoices):
        CUSTOMER = "customer", _("the customer")
        STAFF = "staff", _("staff")
        FILE = "file", _("an import")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="preferences")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    value = models.CharField(_("value"), max_length=120)
    said_by = models.CharField(_("said by"), max_length=10, choices=SaidBy)
    said_at = models.DateTimeField(_("said at"), default=timezone.now)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [models.UniqueConstraint(fields=["customer", "kind", "value"], name="customers_preference_once")]

    def __str__(self) -> str:
        return f"Preference {self.pk}"


class Note(models.Model):
    """A remark of the staff about a customer."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="notes")
    text = SealedTextField(_("note"), max_length=20_000)
    # So that the same file again does not bring the same note again.
    text_index = BlindIndexField(source="text", normalizer=text_key)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [
            models.Index(fields=["customer", "-created_at", "-id"], name="customers_note_timeline"),
            models.Index(fields=["origin"], name="customers_note_origin"),
            models.Index(fields=["created_at", "id"], name="customers_note_due"),
        ]

    def __str__(self) -> str:
        return f"Note {self.pk}"


class Flag(models.Model):
    """A warning mark with its reason and the day it is looked at again."""

    class Kind(models.TextChoices):
        FRAUD = "fraud", _("Fraud suspected")
        MINOR = "minor", _("Minor")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="flags")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    reason = SealedTextField(_("reason"), max_length=2_000)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    set_at = models.DateTimeField(_("set at"), default=timezone.now)
    review_on = models.DateField(_("review on"))
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "kind"],
                condition=models.Q(lifted_at__isnull=True),
                name="customers_flag_once",
            )
        ]
        indexes = [models.Index(fields=["kind", "set_at", "id"], name="customers_flag_due")]

    def __str__(self) -> str:
        return f"Flag {self.pk}"


class HeldIntake(models.Model):
    """A row that came in and waits for a person to look at it."""

    class Reason(models.TextChoices):
        AMBIGUOUS = "ambiguous", _("several accounts have this e-mail")
        TOMBSTONE = "tombstone", _("belongs to an erased person")
        RESTRICTED = "restricted", _("the customer's data are restricted")

    class Decision(models.TextChoices):
        APPLIED = "applied", _("applied to a customer")
        CREATED = "created", _("new customer")
        DROPPED = "dropped", _("dropped")

    kind = models.CharField(_("kind"), max_length=20, default="customer")  # customer | order
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    # What came in, as the intake of the owning app reads it again.
    payload = SealedJSONField(_("what came in"))
    # Hash of the row, so that the same file again does not hold it twice.
    fingerprint = models.BinaryField(max_length=34)
    line = models.PositiveIntegerField(_("line"), null=True, blank=True)
    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="held")
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("held row")
        verbose_name_plural = _("held rows")
        constraints = [models.UniqueConstraint(fields=["fingerprint"], name="customers_held_once")]
        indexes = [
            models.Index(fields=["origin"], name="customers_held_origin"),
            # Every page counts what waits; what was decided stays and must not be read for it.
            models.Index(fields=["customer"], condition=models.Q(decision=""), name="customers_held_waiting"),
            models.Index(
                fields=["decided_at", "id"],
                condition=models.Q(decided_at__isnull=False),
                name="customers_held_decided_due",
            ),
            models.Index(
                fields=["received_at", "id"],
                condition=models.Q(decided_at__isnull=True),
                name="customers_held_waiting_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Held row {self.pk}"


class OptInClaim(models.Model):
    """An opt-in that an import asserts: never a consent, kept until proven or dropped (Art. 7(1) GDPR)."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="opt_in_claims")
    channel = models.CharField(_("channel"), max_length=10)  # email | sms | whatsapp | phone
    state = models.CharField(_("claimed state"), max_length=20)  # yes | no | pending
    # OPTIN_TIME, OPTIN_IP, CONFIRM_TIME, CONFIRM_IP and the like, as the file had them.
    evidence = SealedJSONField(_("evidence"), default=dict, blank=True)
    evidence_index = BlindIndexField(source="evidence", normalizer=evidence_key)
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")
    claimed_at = models.DateTimeField(_("imported"), default=timezone.now)

    class Meta:
        verbose_name = _("opt-in claim")
        verbose_name_plural = _("opt-in claims")
        constraints = [models.UniqueConstraint(fields=["customer", "channel", "origin"], name="customers_claim_once")]
        indexes = [
            models.Index(fields=["claimed_at", "id"], name="customers_claim_due"),
            models.Index(fields=["origin"], name="customers_claim_origin"),
        ]

    def __str__(self) -> str:
        return f"Opt-in claim {self.pk}"


class ActivityClaim(models.Model):
    """When an import says the customer was last active; without its rows an undo could not tell the date before."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="activity_claims", db_index=False)
    at = models.DateTimeField(_("last activity"))
    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("claimed activity")
        verbose_name_plural = _("claimed activities")
        constraints = [models.UniqueConstraint(fields=["customer", "origin"], name="customers_activity_once")]
        indexes = [models.Index(fields=["origin"], name="customers_activity_origin")]

    def __str__(self) -> str:
        return f"Activity claim {self.pk}"


class ClaimReport(models.Model):
    """How many unproven claims of one import went after their period: numbers only."""

    origin = models.ForeignKey(Origin, models.PROTECT, related_name="+")
    dropped_at = models.DateTimeField(default=timezone.now)
    channel = models.CharField(max_length=10)
    dropped = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("report on dropped claims")
        verbose_name_plural = _("reports on dropped claims")

    def __str__(self) -> str:
        return f"Claim report {self.pk}"


class Suppression(models.Model):
    """An endpoint that must not be written to: keyed hash only; survives erasure (Art. 21(3) GDPR)."""

    class Reason(models.TextChoices):
        OBJECTION = "objection", _("objection")
        UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
        BOUNCED = "bounced", _("undeliverable")
        COMPLAINT = "complaint", _("complaint")
        ERASURE = "erasure", _("erasure")

    endpoint = models.BinaryField(max_length=34)  # key id and HMAC
    channel = models.CharField(_("channel"), max_length=10)  # email | phone | post
    scope = models.CharField(_("scope"), max_length=40, default="advertising")
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    since = models.DateTimeField(_("since"))
    # Ended, never deleted: only a new confirmed consent for this scope ends an entry.
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("suppression entry")
        verbose_name_plural = _("suppression entries")
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "channel", "scope"],
                condition=models.Q(ended_at__isnull=True),
                name="customers_suppression_once",
            )
        ]
        indexes = [
            models.Index(fields=["origin"], name="customers_suppr_origin"),
            models.Index(fields=["since"], condition=models.Q(channel="post"), name="customers_suppr_post"),
        ]

    def __str__(self) -> str:
        return f"Suppression {self.pk}"


class SuppressionMention(models.Model):
    """Who else named an endpoint that stands on the list: while one mention stands, the entry stays (Art. 21(3))."""

    entry = models.ForeignKey(Suppression, models.CASCADE, related_name="mentions")
    reason = models.CharField(_("reason"), max_length=12, choices=Suppression.Reason)
    since = models.DateTimeField(_("since"))
    # None: said at the desk or by the person, so no undo of an import takes it back.
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("mention of a suppression entry")
        verbose_name_plural = _("mentions of suppression entries")
        constraints = [
            models.UniqueConstraint(fields=["entry", "origin"], nulls_distinct=False, name="customers_mention_once")
        ]
        indexes = [models.Index(fields=["origin"], name="customers_mention_origin")]

    def __str__(self) -> str:
        return f"Suppression mention {self.pk}"


class Tombstone(models.Model):
    """Keyed hash of an erased person's e-mail or external id: what comes in about them again is noticed."""

    mark = models.BinaryField(max_length=34)  # key id and HMAC
    kind = models.CharField(max_length=20)  # email | phone | number | external
    subject_ref = models.UUIDField(default=uuid.uuid4)
    erased_at = models.DateTimeField()
    # The day on which somebody looked and found blocked rows of the person, which it outlives; until one of them goes
    # nobody looks again. Written from above.
    kept_since = models.DateField(_("kept since"), null=True, editable=False)

    class Meta:
        verbose_name = _("tombstone")
        verbose_name_plural = _("tombstones")
        constraints = [models.UniqueConstraint(fields=["mark", "subject_ref"], name="customers_tombstone_once")]
        indexes = [
            models.Index(fields=["subject_ref"], name="customers_tombstone_ref"),
            models.Index(
                fields=["erased_at", "id"], condition=models.Q(kept_since__isnull=True), name="customers_tombstone_free"
            ),
            models.Index(
                fields=["kept_since"], condition=models.Q(kept_since__isnull=False), name="customers_tombstone_kept"
            ),
        ]

    def __str__(self) -> str:
        return f"Tombstone {self.pk}"


class Summary(models.Model):
    """What floors above report about a customer; apart from `Customer` because it changes often."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="summary")
    # A copy that triggers keep equal to the customer's, whatever is written here: who is due is found by one index
    # only where the kind of person and the day their period counts from stand in one table.
    status = models.CharField(
        _("status"), max_length=10, choices=Customer.Status, default="", db_default="", editable=False
    )
    last_activity = models.DateTimeField(_("last activity"))
    last_contact = models.DateTimeField(_("last contact"), null=True)
    last_call = models.DateTimeField(_("last call"), null=True)
    withdrawal_end = models.DateField(_("end of the last withdrawal period"), null=True)
    last_paid_order = models.DateTimeField(_("last paid order"), null=True)
    orders = models.PositiveIntegerField(_("orders"), default=0)
    # In the shop's own currency; every currency stands in orders.CustomerTotal.
    revenue = models.DecimalField(_("revenue"), max_digits=14, decimal_places=2, default=0)
    open_complaints = models.PositiveIntegerField(_("open complaints"), default=0)
    advertising_stopped_at = models.DateTimeField(_("advertising stop"), null=True)
    reachable = models.BooleanField(_("reachable"), default=True)

    class Meta:
        verbose_name = _("summary")
        verbose_name_plural = _("summaries")
        indexes = [
            # With the status, for the accounts: of the rows old enough for them hardly any is of somebody else.
            models.Index(fields=["-last_activity", "-customer"], include=["status"], name="customers_summary_active"),
            models.Index(fields=["-revenue", "-customer"], name="customers_summary_revenue"),
            # Guests and prospects by each start of their periods; accounts, which are most, stand in none of these.
            models.Index(
                fields=["withdrawal_end", "customer"],
                condition=models.Q(status="guest", withdrawal_end__isnull=False),
                name="customers_summary_guest_ended",
            ),
            models.Index(
                fields=["last_activity", "customer"],
                condition=models.Q(status="guest", withdrawal_end__isnull=True),
                name="customers_summary_guest_active",
            ),
            models.Index(
                fields=["last_contact", "customer"],
                condition=models.Q(status="prospect", last_contact__isnull=False),
                name="customers_summary_lead_spoken",
            ),
            models.Index(
                fields=["last_activity", "customer"],
                condition=models.Q(status="prospect", last_contact__isnull=True),
                name="customers_summary_lead_active",
            ),
            models.Index(
                fields=["customer"],
                condition=models.Q(open_complaints__gt=0),
                name="customers_summary_complaints",
            ),
        ]

    def __str__(self) -> str:
        return f"Summary {self.pk}"


class AdvertisingStop(models.Model):
    """Each time that a customer objected to advertising; the summary has the last, answers about the past ask here.

    A trigger writes it whenever the summary's date is set or lifted, whoever does that; rows are only added and ended.
    """

    customer = models.ForeignKey(
        Customer, models.CASCADE, db_index=False, related_name="advertising_stops", verbose_name=_("customer")
    )
    since = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("objection to advertising")
        verbose_name_plural = _("objections to advertising")
        constraints = [models.UniqueConstraint(fields=["customer", "since"], name="customers_stop_once")]

    def __str__(self) -> str:
        return f"Advertising stop {self.pk}"


class SearchEntry(models.Model):
    """Folded search text (names, company, number, city, postcode; nothing sealed) beside the customer row."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="search_entry")
    text = models.TextField()
    # Kölner code of the surname (or company) and of the first name, for the duplicate question.
    phonetic = models.TextField(default="")
    postcode = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("search entry")
        verbose_name_plural = _("search entries")
        indexes = [
            GinIndex(fields=["text"], opclasses=["gin_trgm_ops"], name="customers_search_text"),
            models.Index(fields=["postcode", "phonetic"], name="customers_search_phonetic"),
        ]

    def __str__(self) -> str:
        return f"Search entry {self.pk}"


class SearchWord(models.Model):
    """A distinct folded word of any search text: the dictionary a misspelt word is looked up in."""

    word = models.TextField(primary_key=True)
    # How many entries had the word when last counted; rebuilt by night.
    entries = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name = _("search word")
        verbose_name_plural = _("search words")
        indexes = [GinIndex(fields=["word"], opclasses=["gin_trgm_ops"], name="customers_search_word")]

    def __str__(self) -> str:
        return "Search word"


class NumberRange(models.Model):
    """Where the next customer number comes from."""

    key = models.CharField(max_length=20, primary_key=True)
    prefix = models.CharField(_("prefix"), max_length=10, blank=True)
    next_value = models.BigIntegerField(_("next number"), default=10001)

    class Meta:
        verbose_name = _("number range")
        verbose_name_plural = _("number ranges")

    def __str__(self) -> str:
        return f"Number range {self.key}"
