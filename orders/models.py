"""What customers bought: orders with their lines, returns, documents, and what purchases add up to."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from customers.models import Customer, Origin
from datamap.blocking import ArchiveQuerySet, UnblockedManager
from orders.querysets import DocumentQuerySet, IssuedDocument, OrderQuerySet
from vault.fields import SealedJSONField, SealedTextField

CENT = Decimal("0.01")
# An order that tells nothing of anybody any more was made anonymous: it is done, and leaves the index of what is due.
NAMED = (
    models.Q(customer__isnull=False)
    | models.Q(gift_recipient__isnull=False)
    | models.Q(subject_ref__isnull=False)
    | ~models.Q(number="")
    | ~models.Q(external_id="")
    | ~models.Q(tags="")
)
MARKED = models.Q(subject_ref__isnull=False)
CLAIMED = models.Q(reason__in=["defect", "wrong", "other"])


def money_field(label: Any, **kwargs: Any) -> models.DecimalField:
    """An amount in the currency of its order."""
    return models.DecimalField(label, max_digits=14, decimal_places=2, default=Decimal(0), **kwargs)


class OrderHistoryEntry(models.Model):
    """What a history row of an order carries besides the copied fields."""

    batch = models.UUIDField(null=True, editable=False)
    # The lines as they stood before this change, where it replaced them; lines have no history of their own.
    lines_before = models.JSONField(null=True, editable=False)

    class Meta:
        abstract = True


class OrderType(models.Model):
    """A kind of order the shop takes; its field rules say what is asked for (Art. 5(1)(c) GDPR)."""

    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("order type")
        verbose_name_plural = _("order types")
        constraints = [models.UniqueConstraint(fields=["name"], name="orders_type_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def asked(self) -> list[FieldRule]:
        """The rules that say something: what is optional goes without saying."""
        return [rule for rule in self.rules.all() if rule.rule != FieldRule.Rule.OPTIONAL]


class FieldRule(models.Model):
    """Whether one field of the order form is hidden, optional or required for an order type."""

    class Field(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        COMPANY = "company", _("Company")
        DELIVERY = "delivery", _("Deviating delivery address")
        GIFT_RECIPIENT = "gift_recipient", _("Gift recipient")
        GIFT_NOTE = "gift_note", _("Gift message")
        NOTE = "note", _("Note")

    class Rule(models.TextChoices):
        HIDDEN = "hidden", _("hidden")
        OPTIONAL = "optional", _("optional")
        REQUIRED = "required", _("required")

    type = models.ForeignKey(OrderType, models.CASCADE, related_name="rules")
    field = models.CharField(_("field"), max_length=20, choices=Field)
    rule = models.CharField(_("rule"), max_length=10, choices=Rule, default=Rule.OPTIONAL)

    class Meta:
        verbose_name = _("field rule")
        verbose_name_plural = _("field rules")
        constraints = [models.UniqueConstraint(fields=["type", "field"], name="orders_rule_once")]

    def __str__(self) -> str:
        return f"{self.type_id}: {self.field} {self.rule}"


class NumberRange(models.Model):
    """The last number given in a series and year; raised in the transaction that uses it: no gaps."""

    key = models.CharField(max_length=20)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("number range")
        verbose_name_plural = _("number ranges")
        constraints = [models.UniqueConstraint(fields=["key", "year"], name="orders_range_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.year}"


class Order(models.Model):
    """One purchase with the addresses as they stood when it was placed."""

    class Kind(models.TextChoices):
        ACCOUNT = "account", _("Account")
        GUEST = "guest", _("Guest order")
        STAFF = "staff", _("Entered by staff")

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        PROCESSING = "processing", _("In progress")
        SHIPPED = "shipped", _("Shipped")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        RETURNED = "returned", _("Returned")

    class Payment(models.TextChoices):
        OPEN = "open", _("Unpaid")
        PAID = "paid", _("Paid")
        PARTLY_REFUNDED = "part_refund", _("Partly refunded")
        REFUNDED = "refunded", _("Refunded")

    number = models.TextField(_("order number"))
    # Text: shop ids exceed 2^53. Empty for orders of our own.
    platform = models.CharField(_("platform"), max_length=40, blank=True, default="")
    external_id = models.CharField(_("id there"), max_length=120, blank=True, default="")
    type = models.ForeignKey(
        OrderType, models.PROTECT, null=True, blank=True, db_index=False, related_name="orders",
        verbose_name=_("order type"),
    )  # fmt: skip
    # Null once blocked: then `subject_ref` alone says whose it was.
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, db_index=False, related_name="orders")
    gift_recipient = models.ForeignKey(
        Customer, models.SET_NULL, null=True, blank=True, db_index=False, related_name="gifts"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ACCOUNT)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.OPEN)
    payment = models.CharField(_("payment"), max_length=12, choices=Payment, default=Payment.OPEN)
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    invoiced_at = models.DateTimeField(_("invoiced"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    total = money_field(_("total"))
    shipping_cost = money_field(_("shipping"))
    discount = money_field(_("discount"))
    tax = money_field(_("VAT included"))
    # Given back so far, by return, credit note or as the platform says; every total is net of it.
    refunded = money_field(_("refunded"))
    billing = SealedJSONField(_("billing address"), null=True, blank=True)
    shipping = SealedJSONField(_("delivery address"), null=True, blank=True)
    deviating = models.BooleanField(_("deviating delivery address"), default=False)
    gift_note = SealedTextField(_("gift message"), null=True, blank=True, max_length=2_000)
    note = SealedTextField(_("note"), null=True, blank=True, max_length=20_000)
    tags = models.TextField(_("tags"), blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)
    # Keyed digests of what the source last said (orders.staging): the same file again changes nothing.
    source_digest = models.BinaryField(null=True, editable=False)
    origin = models.ForeignKey(Origin, models.PROTECT, null=True, blank=True, db_index=False, related_name="+")
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UnblockedManager.from_queryset(OrderQuerySet)()
    archive = ArchiveQuerySet.as_manager()
    history = HistoricalRecords(
        bases=[OrderHistoryEntry],
        excluded_fields=["source_digest", "version"],
        no_db_index=["type", "customer", "gift_recipient", "origin", "history_user"],
    )

    class Meta:
        verbose_name = pgettext_lazy("purchase", "order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "external_id"],
                condition=~models.Q(external_id=""),
                name="orders_order_external_once",
            )
        ]
        indexes = [
            models.Index(fields=["-placed_at", "-id"], name="orders_order_placed"),
            # With the day its period counts from: how much is kept, and until when, is read without the wide rows.
            models.Index(
                fields=["customer", "-placed_at", "-id"],
                include=["delivered_at", "blocked_at"],
                name="orders_order_life",
            ),
            models.Index(fields=["number"], opclasses=["text_pattern_ops"], name="orders_order_number"),
            models.Index(fields=["origin"], name="orders_order_origin"),
            # Partial: most orders are completed and paid, and those are read along the first index.
            models.Index(
                fields=["status", "-placed_at", "-id"],
                condition=~models.Q(status="completed"),
                name="orders_order_status",
            ),
            models.Index(
                fields=["payment", "-placed_at", "-id"],
                condition=~models.Q(payment="paid"),
                name="orders_order_payment",
            ),
            models.Index(
                # Few are unpaid, and they are asked for by customer, thousands at a time.
                fields=["customer"],
                condition=models.Q(payment="open", paid_at=None, cancelled_at=None, blocked_at=None),
                name="orders_order_unpaid",
            ),
            models.Index(
                fields=["gift_recipient"],
                condition=models.Q(gift_recipient__isnull=False),
                name="orders_order_gift",
            ),
            models.Index(
                fields=["customer"],
                condition=models.Q(gift_recipient__isnull=False),
                name="orders_order_giver",
            ),
            models.Index(
                fields=["subject_ref"],
                condition=models.Q(subject_ref__isnull=False),
                name="orders_order_subject_ref",
            ),
            models.Index(
                fields=["delivered_at", "id"],
                condition=NAMED & models.Q(delivered_at__isnull=False),
                name="orders_order_delivered_due",
            ),
            models.Index(
                fields=["placed_at", "id"],
                condition=NAMED & models.Q(delivered_at__isnull=True),
                name="orders_order_placed_due",
            ),
        ]

    def __str__(self) -> str:
        return f"Order {self.number}"

    @property
    def net(self) -> Decimal:
        """What is left after refunds; nothing of a cancelled order."""
        return Decimal(0) if self.cancelled_at else self.total - self.refunded

    def settle_payment(self) -> None:
        """Bring the payment state in line with `paid_at` and `refunded`.

        An order of our own that nobody has paid yet stays unpaid where a part of it is credited: the rest is owed. Of
        orders of a platform one does not always hear that they are paid.
        """
        if self.refunded > 0 and self.refunded >= self.total:
            self.payment = self.Payment.REFUNDED
        elif not self.platform and self.paid_at is None:
            self.payment = self.Payment.OPEN
        elif self.refunded > 0:
            self.payment = self.Payment.PARTLY_REFUNDED
        else:
            self.payment = self.Payment.PAID if self.paid_at else self.Payment.OPEN


class OrderLine(models.Model):
    """One position of an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("position"), default=1)
    sku = models.CharField(_("article number"), max_length=120, blank=True, default="")
    name = models.CharField(_("article"), max_length=300, blank=True, default="")
    category = models.CharField(_("category"), max_length=120, blank=True, default="")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3, default=Decimal(1))
    unit_price = models.DecimalField(_("unit price"), max_digits=14, decimal_places=4, default=Decimal(0))
    discount = money_field(_("discount"))
    tax_rate = models.DecimalField(_("VAT rate"), max_digits=5, decimal_places=2, null=True, blank=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")

    def __str__(self) -> str:
        return f"Order line {self.pk}"

    @property
    def amount(self) -> Decimal:
        """What the whole position costs, tax included."""
        return (self.quantity * self.unit_price - self.discount).quantize(CENT, ROUND_HALF_UP)


class Return(models.Model):
    """Goods that a customer sends back, from the announcement to the refund."""

    class State(models.TextChoices):
        REQUESTED = "requested", _("Announced")
        RECEIVED = "received", _("Goods received")
        REFUNDED = "refunded", _("Refunded")

    class Reason(models.TextChoices):
        WITHDRAWAL = "withdrawal", _("Withdrawal")
        DEFECT = "defect", _("Defect")
        WRONG = "wrong", _("Wrong article")
        OTHER = "other", _("Other reason")

    # Null once blocked: the order is made anonymous, and a paper that led to it would say whose it was.
    order = models.ForeignKey(Order, models.CASCADE, null=True, blank=True, related_name="returns")
    order_number = models.TextField(_("order number"), blank=True, default="", db_default="", editable=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, db_index=False, related_name="returns"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REQUESTED)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason, default=Reason.WITHDRAWAL)
    note = SealedTextField(_("note"), blank=True, default="", max_length=2_000)
    amount = money_field(_("amount to refund"))
    requested_at = models.DateTimeField(_("announced"), default=timezone.now)
    received_at = models.DateTimeField(_("goods received"), null=True, blank=True)
    refunded_at = models.DateTimeField(_("refunded"), null=True, blank=True)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = UnblockedManager()
    archive = ArchiveQuerySet.as_manager()

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        indexes = [
            models.Index(fields=["customer", "-requested_at", "-id"], name="orders_return_timeline"),
            models.Index(
                fields=["requested_at", "id"],
                condition=models.Q(reason="withdrawal"),
                name="orders_return_withdrawal_due",
            ),
            models.Index(fields=["refunded_at", "id"], condition=CLAIMED, name="orders_return_claim_due"),
            models.Index(
                fields=["requested_at", "id"],
                condition=CLAIMED & models.Q(refunded_at__isnull=True),
                name="orders_return_open_due",
            ),
            models.Index(fields=["subject_ref"], condition=MARKED, name="orders_return_subject_ref"),
            models.Index(
                fields=["order"],
                condition=~models.Q(state="refunded") & models.Q(blocked_at=None),
                name="orders_return_unrefunded",
            ),
        ]

    def __str__(self) -> str:
        return f"Return {self.pk}"


class ReturnLine(models.Model):
    """How many of one position come back."""

    parent = models.ForeignKey(Return, models.CASCADE, related_name="lines")
    line = models.ForeignKey(OrderLine, models.SET_NULL, null=True, blank=True, related_name="returned")
    # As it was named when it was announced: the line may go before the return does.
    sku = models.CharField(_("article number"), max_length=120, blank=True, default="", db_default="")
    name = models.CharField(_("article"), max_length=300, blank=True, default="", db_default="")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3)

    class Meta:
        verbose_name = _("line of a return")
        verbose_name_plural = _("lines of a return")
        constraints = [
            models.UniqueConstraint(fields=["parent", "line"], name="orders_return_line_once"),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="orders_return_line_some"),
        ]

    def __str__(self) -> str:
        return f"Line {self.pk} of return {self.parent_id}"


class Document(models.Model):
    """A paper as it was issued: never changed afterwards, neither by this model nor in SQL (AO § 146(4))."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("Order received")
        CONFIRMATION = "confirmation", _("Order confirmation")
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")
        DELIVERY_NOTE = "delivery_note", _("Delivery note")

    # Null once blocked, as with returns; what the paper says of the order stands in the next two fields.
    order = models.ForeignKey(Order, models.PROTECT, null=True, blank=True, related_name="documents")
    order_number = models.TextField(_("order number"), blank=True, default="", db_default="", editable=False)
    ordered_at = models.DateTimeField(_("placed"), null=True, blank=True, editable=False)
    # Only on delivery notes, where triggers keep it equal to the order's: their period counts from it.
    order_invoiced_at = models.DateTimeField(_("invoiced"), null=True, blank=True, editable=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, db_index=False, related_name="documents"
    )
    gift_recipient = models.ForeignKey(Customer, models.SET_NULL, null=True, blank=True, related_name="gift_documents")
    kind = models.CharField(_("kind"), max_length=14, choices=Kind)
    number = models.TextField(_("number"))
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    corrects = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="corrections", verbose_name=_("corrects")
    )
    # The shop as it stood on that day, and the day of supply (§ 14(4) nos. 1, 2 and 6 UStG).
    seller = models.JSONField(_("seller"), default=dict, blank=True)
    lines = models.JSONField(_("lines"), default=list)
    billing_snapshot = SealedJSONField(_("billing address"), null=True, blank=True)
    delivery_snapshot = SealedJSONField(_("delivery address"), null=True, blank=True)
    gift_note = SealedTextField(_("gift message"), null=True, blank=True)
    # Why something is credited, in free words.
    reason = SealedTextField(_("reason"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    gross = money_field(_("total"))
    net = money_field(_("net"))
    tax = money_field(_("VAT"))
    # Net and tax by rate (§ 14(4) no. 8 UStG).
    rates = models.JSONField(_("VAT by rate"), default=list)
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    subject_ref = models.UUIDField(null=True, blank=True, editable=False)
    blocked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = UnblockedManager.from_queryset(DocumentQuerySet)()
    archive = ArchiveQuerySet.as_manager()

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="orders_document_number")]
        indexes = [
            models.Index(fields=["customer", "-issued_at", "-id"], name="orders_document_timeline"),
            # One for each period: what is due is read in the order of its start.
            models.Index(
                fields=["issued_at", "id"],
                condition=models.Q(kind__in=["invoice", "credit_note"]),
                name="orders_document_invoice_due",
            ),
            models.Index(
                fields=["issued_at", "id"],
                condition=models.Q(kind__in=["received", "confirmation"]),
                name="orders_document_letter_due",
            ),
            models.Index(
                fields=["order_invoiced_at", "id"],
                condition=models.Q(kind="delivery_note", order_invoiced_at__isnull=False),
                name="orders_document_note_invoiced",
            ),
            models.Index(
                fields=["issued_at", "id"],
                condition=models.Q(kind="delivery_note", order_invoiced_at__isnull=True),
                name="orders_document_note_waiting",
            ),
            models.Index(
                fields=["subject_ref"],
                condition=models.Q(subject_ref__isnull=False),
                name="orders_document_subject_ref",
            ),
            models.Index(
                fields=["issued_at", "id"],
                condition=models.Q(blocked_at__isnull=False),
                name="orders_document_archive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only. Raises IssuedDocument on any later save."""
        if not self._state.adding:
            raise IssuedDocument
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused: documents end by their retention rule alone. Raises IssuedDocument."""
        raise IssuedDocument

    @property
    def discounted(self) -> bool:
        """Whether a line costs less than its price: the paper then says how much less (§ 14(4) no. 7 UStG)."""
        return any(Decimal(line.get("discount") or 0) for line in self.lines)


class CustomerTotal(models.Model):
    """What one customer bought in one currency, net of cancellations and refunds; kept by `orders.totals`."""

    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="totals")
    currency = models.CharField(_("currency"), max_length=3)
    orders = models.PositiveIntegerField(_("orders"), default=0)
    sum = models.DecimalField(_("sum"), max_digits=16, decimal_places=2, default=Decimal(0))
    first = models.DateTimeField(_("first order"))
    last = models.DateTimeField(_("last order"))

    class Meta:
        verbose_name = _("total of a customer")
        verbose_name_plural = _("totals of customers")
        constraints = [models.UniqueConstraint(fields=["customer", "currency"], name="orders_total_once")]

    def __str__(self) -> str:
        return f"Total {self.pk}"

    @property
    def average(self) -> Decimal:
        """The usual basket."""
        return (self.sum / self.orders).quantize(CENT, ROUND_HALF_UP) if self.orders else Decimal(0)
