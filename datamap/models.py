"""What the ground floor keeps: the retention catalogue, who the shop is, and who opened which customer."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from datamap.workdays import LANDS


class ImmutableRule(Exception):
    """A retention rule was to be changed or removed; the law of a past day must stay readable (C7)."""


class RetentionRuleQuerySet(models.QuerySet["RetentionRule"]):
    """Questions about rules."""

    def ladder(self, key: str, variant: str = "") -> "RetentionRuleQuerySet":
        """The versions of one key and variant, oldest first."""
        return self.filter(key=key, variant=variant).order_by("version")

    def update(self, **kwargs: Any) -> int:
        raise ImmutableRule("A retention rule is never edited: add a new version.")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise ImmutableRule("A retention rule is never removed: add a new version.")


class RetentionRule(models.Model):
    """One version of one rule of the retention catalogue. A change is a new version, never an edit."""

    class Unit(models.TextChoices):
        DAYS = "d", _("days")
        MONTHS = "m", _("months")
        YEARS = "y", _("years")

    class Action(models.TextChoices):
        DELETE = "delete", _("delete")
        BLOCK_DELETE = "block_delete", _("block, then delete")
        ANONYMIZE = "anonymize", _("anonymize")
        OVERWRITE = "overwrite", _("overwrite")

    class OnRequest(models.TextChoices):
        BLOCK = "block", _("block until the last day")
        ANONYMIZE = "anonymize", _("anonymize")
        DELETE = "delete", _("delete")
        KEEP = "keep", _("keep (holds no name)")

    class Transition(models.TextChoices):
        NONE = "", _("applies to everything")
        NOT_YET_EXPIRED = "not_yet_expired", _("applies where the old period still ran")

    key = models.CharField(_("key"), max_length=32)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    variant = models.CharField(_("variant"), max_length=16, blank=True)
    category = models.CharField(_("data category"), max_length=200)
    purpose = models.CharField(_("purpose"), max_length=200)
    basis = models.CharField(_("legal basis"), max_length=64, help_text=_("Articles of the GDPR, such as 6(1)(c)."))
    start_event = models.CharField(_("start event"), max_length=48)
    start_label = models.CharField(_("the period counts from"), max_length=120)
    number = models.PositiveSmallIntegerField(_("period"), null=True, blank=True, help_text=_("Empty: open, reviewed."))
    unit = models.CharField(_("unit"), max_length=1, choices=Unit.choices, blank=True)
    year_end = models.BooleanField(_("from the end of the year"), default=False)
    lives_as = models.CharField(_("lives as long as"), max_length=32, blank=True)
    cap_months = models.PositiveSmallIntegerField(_("at most months"), null=True, blank=True)
    action = models.CharField(_("at the end"), max_length=16, choices=Action.choices)
    on_request = models.CharField(_("on request"), max_length=16, choices=OnRequest.choices)
    statute = models.CharField(_("statute"), max_length=200)
    transition = models.CharField(
        _("transition"), max_length=16, choices=Transition.choices, blank=True, default=Transition.NONE
    )
    transition_statute = models.CharField(_("statute of the transition"), max_length=200, blank=True)
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    policy = models.BooleanField(_("policy"), default=False, help_text=_("Set by the shop, not by a statute."))
    jurisdiction = models.CharField(_("jurisdiction"), max_length=2, default="DE")
    owner = models.CharField(_("owner"), max_length=64, default="privacy")
    review_on = models.DateField(_("next review"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    reason = models.TextField(_("reason of this version"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    created_by = models.BigIntegerField(_("created by"), null=True, blank=True, editable=False)

    objects = RetentionRuleQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["key", "variant", "version"]
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(fields=["key", "variant", "version"], name="datamap_rule_version"),
            models.CheckConstraint(
                condition=models.Q(number__isnull=True) | ~models.Q(unit=""),
                name="datamap_rule_period_has_unit",
            ),
        ]
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")

    def __str__(self) -> str:
        return f"{self.full_key} v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new version; ImmutableRule when the row is there already."""
        if not self._state.adding:
            raise ImmutableRule("A retention rule is never edited: add a new version.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise ImmutableRule("A retention rule is never removed: add a new version.")

    @property
    def full_key(self) -> str:
        """The key with its variant, as declarations write it: `STAFF:session`."""
        return f"{self.key}:{self.variant}" if self.variant else self.key

    def clean(self) -> None:
        """Refuse a version that does not follow its predecessor."""
        before = RetentionRule.objects.ladder(self.key, self.variant).exclude(pk=self.pk).last()
        if before is None:
            return
        if self.version != before.version + 1:
            raise ValidationError({"version": _("The next version of this rule is %d.") % (before.version + 1)})
        if self.valid_from is None or (before.valid_from and self.valid_from <= before.valid_from):
            raise ValidationError({"valid_from": _("A version begins after its predecessor.")})


class Controller(models.Model):
    """Who is answerable (Art. 4(7)): one row, edited on the settings page, read by every computed date."""

    name = models.CharField(_("name"), max_length=200, blank=True)
    street = models.CharField(_("street and number"), max_length=200, blank=True)
    postcode = models.CharField(_("postcode"), max_length=10, blank=True)
    city = models.CharField(_("city"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2, default="DE")
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    vat_id = models.CharField(
        _("VAT id"),
        max_length=20,
        blank=True,
        help_text=_("An invoice names the VAT id or the tax number (UStG § 14(4) no. 2)."),
    )
    tax_number = models.CharField(_("tax number"), max_length=30, blank=True)
    seat = models.CharField(_("seat"), max_length=100, default="Hamburg")
    land = models.CharField(_("federal state"), max_length=2, choices=LANDS, default="HH")
    zone = models.CharField(_("time zone"), max_length=40, default="Europe/Berlin")
    jurisdiction = models.CharField(_("jurisdiction"), max_length=2, default="DE")
    supervised_financial = models.BooleanField(
        _("supervised financial business"),
        default=False,
        help_text=_("Banks, insurers and securities firms keep vouchers for ten years (HGB § 257(4))."),
    )
    regional_holidays = models.BooleanField(
        _("regional holidays count"),
        default=False,
        help_text=_("Holidays of the federal state move a due date, too; otherwise only national ones do."),
    )
    execution_margin_days = models.PositiveSmallIntegerField(
        _("execution margin in days"),
        default=0,
        validators=[MaxValueValidator(366)],
        help_text=_("Runs delete this many days after the last day. 15 or more suit tax documents (AO § 108(3))."),
    )
    officer_name = models.CharField(_("privacy officer"), max_length=200, blank=True)
    officer_email = models.EmailField(_("e-mail of the privacy officer"), blank=True)
    officer_phone = models.CharField(_("phone of the privacy officer"), max_length=40, blank=True)
    authority_name = models.CharField(_("supervisory authority"), max_length=200, blank=True)
    authority_contact = models.TextField(_("contact of the authority"), blank=True)

    # The acting user is kept by id: staff stands above this floor.
    history = HistoricalRecords(history_user_id_field=models.BigIntegerField(null=True, blank=True))

    class Meta:
        constraints: ClassVar[list[Any]] = [
            models.CheckConstraint(condition=models.Q(pk=1), name="datamap_one_controller"),
        ]
        verbose_name = _("controller")
        verbose_name_plural = _("controllers")

    def __str__(self) -> str:
        return "Controller"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """There is one row."""
        self.pk = 1
        super().save(*args, **kwargs)


PAGE_NAMES: dict[str, Any] = {}


class AccessLog(models.Model):
    """Who opened which customer, when, from which page, and why; written by the doors, kept for ACCESSLOG."""

    # No foreign keys: an insert must stay cheap, and both people live on upper floors.
    user_id = models.BigIntegerField(_("staff"), null=True)
    customer_number = models.TextField(_("customer number"))
    page = models.CharField(_("page"), max_length=64)
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index("customer_number", models.F("at").desc(), name="datamap_access_by_customer"),
            models.Index("at", "id", name="datamap_access_by_time"),
        ]
        verbose_name = _("access")
        verbose_name_plural = _("access log")

    def __str__(self) -> str:
        return f"Access {self.pk}"

    @property
    def page_name(self) -> str:
        """The page as people call it, where its app has said so (`datamap.accesslog.name_pages`)."""
        return str(PAGE_NAMES.get(self.page, self.page))


class JournalMark(models.Model):
    """Entries of the journal that this database knows, by their numbers; a database without them is an older one."""

    class How(models.TextChoices):
        WRITTEN = "written", _("written with what it tells")
        REPLAYED = "replayed", _("replayed after a restore")
        RELEASED = "released", _("waived by two people")

    first = models.BigIntegerField()
    last = models.BigIntegerField(unique=True)
    hash = models.CharField(max_length=64)  # of the line `last`: another journal has another one there
    how = models.CharField(max_length=8, choices=How, default=How.WRITTEN)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("mark of journal entries")
        verbose_name_plural = _("marks of journal entries")

    def __str__(self) -> str:
        return f"Journal {self.first}-{self.last}"


class Quarantine(models.Model):
    """A time in which nobody could work here, because the database did not know what the journal knows."""

    class Reason(models.TextChoices):
        RESTORED = "restored", _("restored from a backup")
        OLDER = "older", _("older than the journal")
        LOST = "lost", _("the journal is gone or another one")

    class End(models.TextChoices):
        REPLAYED = "replayed", _("the journal was replayed")
        RELEASED = "released", _("two people released it")

    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    began_at = models.DateTimeField(_("began"), default=timezone.now)
    # By number: staff stands above this floor. Never the same person twice.
    first_release_by = models.BigIntegerField(_("first release by"), null=True)
    first_release_at = models.DateTimeField(_("first release"), null=True)
    second_release_by = models.BigIntegerField(_("second release by"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    ended_how = models.CharField(_("how it ended"), max_length=8, choices=End, blank=True)
    replayed = models.PositiveIntegerField(_("entries replayed"), default=0)

    class Meta:
        verbose_name = _("quarantine")
        verbose_name_plural = _("quarantines")
        constraints: ClassVar[list[Any]] = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(ended_at__isnull=True), name="datamap_one_open_quarantine"
            ),
            models.CheckConstraint(
                condition=~models.Q(first_release_by=models.F("second_release_by")), name="datamap_two_people_release"
            ),
        ]

    def __str__(self) -> str:
        return f"Quarantine {self.pk}"
