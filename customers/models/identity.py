"""The person and everything that identifies them; floors above hang their own data on `Customer`."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import LPad
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from customers.normalizing import match_key, part_key, street_key, whole_key
from customers.platforms import platform_name
from customers.querysets import ContactPersonManager, CustomerManager
from vault.fields import BlindIndexField, SealedTextField


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

    @property
    def wording(self) -> str:
        """Where it came from, in words; the key of an import's profile says no more than its platform."""
        more = "" if self.platform and self.label.casefold().startswith(self.platform) else self.label
        return " · ".join(filter(None, [self.get_kind_display(), platform_name(self.platform), more]))


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
