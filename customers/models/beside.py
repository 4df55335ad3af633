"""What is worked out beside a customer and changes often: the summary, the search text, the number range."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func, Value
from django.utils.translation import gettext_lazy as _

from customers.models.identity import Customer


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
            # A word of the dictionary is asked for whole.
            GinIndex(Func("text", Value(" "), function="string_to_array"), name="customers_search_words"),
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
