"""What orders hold about whom, why and for how long."""

from django.utils.translation import gettext_lazy as _

from customers.periods import category_of, start_of
from datamap.declarations import Basis, By, Group, PersonalData, exempt, register
from datamap.receivers import Receiver
from orders.models import (
    CustomerTotal,
    Document,
    FieldRule,
    NumberRange,
    Order,
    OrderLine,
    OrderType,
    Return,
    ReturnLine,
)

PERFORMANCE = _("Performance of the contract and defence of claims")
PROOF = _("Proof for tax and commercial law")
SHIPPERS = (Receiver.PARCEL,)
TAX_PEOPLE = (Receiver.TAX_ADVISER, Receiver.TAX_OFFICE)


@register(Order)
class OrderData(PersonalData):
    groups = [
        Group(
            fields=(
                "number",
                "platform",
                "external_id",
                "type",
                "kind",
                "status",
                "payment",
                "placed_at",
                "paid_at",
                "invoiced_at",
                "delivered_at",
                "cancelled_at",
                "currency",
                "total",
                "shipping_cost",
                "discount",
                "tax",
                "refunded",
                "deviating",
                "tags",
            ),
            subject="customer",
            category="ORDER",
            start=("delivered_at", "placed_at"),
            purpose=PERFORMANCE,
            basis=(Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS),
            provided=True,
            # What stays names nobody: figures for the shop's statistics.
            anonymize={"number": "", "external_id": "", "tags": ""},
        ),
        Group(
            # The lines of the history carry names too: an engraving is about the customer.
            fields=("billing", "note", "source_digest", "lines_before"),
            subject="customer",
            category="ORDER",
            start=("delivered_at", "placed_at"),
            purpose=PERFORMANCE,
            basis=(Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS),
            provided=True,
            anonymize={"billing": None, "note": None, "source_digest": None},
        ),
        Group(
            fields=("shipping", "gift_note"),
            subject=("gift_recipient", "customer"),
            person="recipient",
            category="ORDER",
            start=("delivered_at", "placed_at"),
            purpose=_("Delivery"),
            basis=(Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS),
            provided=True,
            # Who gets a present has not told where to.
            provided_where={"gift_recipient__isnull": True},
            source=_("the person who ordered"),
            recipients=SHIPPERS,
            handed_over="delivered_at",
            anonymize={"shipping": None, "gift_note": None},
        ),
    ]
    plain = ("version", "origin", "created_at", "blocked_at", "subject_ref", "batch")
    subject_ref = "subject_ref"


@register(OrderLine)
class OrderLineData(PersonalData):
    parent = "order"
    groups = [
        Group(
            fields=(
                "position",
                "sku",
                "name",
                "category",
                "quantity",
                "unit_price",
                "discount",
                "tax_rate",
            ),
            subject="order.customer",
            category="ORDER",
            start=("order.delivered_at", "order.placed_at"),
            purpose=PERFORMANCE,
            basis=(Basis.CONTRACT, Basis.LEGITIMATE_INTERESTS),
            provided=True,
            # An article bought by nobody is a figure; what a customer had engraved stands in its name.
            anonymize={"name": ""},
        )
    ]


# Every reason by its name: an index serves what is due of those named, not of all others.
RETURN_CATEGORIES = {"withdrawal": "LETTER", "defect": "CLAIM", "wrong": "CLAIM", "other": "CLAIM"}
RETURN_CATEGORY = By("reason", RETURN_CATEGORIES)


@register(Return)
class ReturnData(PersonalData):
    groups = [
        Group(
            fields=(
                "state",
                "reason",
                "note",
                "amount",
                "requested_at",
                "received_at",
                "refunded_at",
                "order_number",
            ),
            subject="customer",
            category=RETURN_CATEGORY,
            start=By("reason", withdrawal="requested_at", default=("refunded_at", "requested_at")),
            purpose=_("Withdrawals, defects and refunds"),
            basis=(Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTERESTS),
        ),
        Group(
            fields=("entered_by",),
            subject="entered_by",
            person="staff",
            category=RETURN_CATEGORY,
            start=By("reason", withdrawal="requested_at", default=("refunded_at", "requested_at")),
            purpose=_("Who noted a return"),
            basis=Basis.LEGITIMATE_INTERESTS,
        ),
    ]
    plain = ("order", "blocked_at", "subject_ref")
    subject_ref = "subject_ref"
    # The anonymous order keeps day, amount and articles.
    cut = ("order",)


@register(ReturnLine)
class ReturnLineData(PersonalData):
    parent = "parent"
    groups = [
        Group(
            fields=("sku", "name", "quantity"),
            subject="parent.customer",
            category=By("parent.reason", RETURN_CATEGORIES),
            start=By(
                "parent.reason",
                withdrawal="parent.requested_at",
                default=("parent.refunded_at", "parent.requested_at"),
            ),
            purpose=_("Withdrawals, defects and refunds"),
            basis=(Basis.LEGAL_OBLIGATION, Basis.LEGITIMATE_INTERESTS),
        )
    ]
    plain = ("line",)
    cut = ("line",)


DOCUMENT_CATEGORY = By(
    "kind",
    invoice="INV",
    credit_note="INV",
    received="LETTER",
    confirmation="LETTER",
    delivery_note="DELNOTE",
)
# A delivery note lives until the invoice; where none is ever written, its own date counts.
DOCUMENT_START = By("kind", delivery_note=("order.invoiced_at", "issued_at"), default="issued_at")


@register(Document)
class DocumentData(PersonalData):
    groups = [
        Group(
            fields=(
                "kind",
                "number",
                "issued_at",
                "order_number",
                "ordered_at",
                "order_invoiced_at",
                "seller",
                "lines",
                "billing_snapshot",
                "reason",
                "gross",
                "net",
                "tax",
                "rates",
            ),
            subject="customer",
            category=DOCUMENT_CATEGORY,
            start=DOCUMENT_START,
            purpose=PROOF,
            basis=Basis.LEGAL_OBLIGATION,
            recipients=TAX_PEOPLE,
            handed_over="issued_at",
            # The office sees them in an audit, and then somebody notes it.
            always_told=(Receiver.TAX_ADVISER,),
        ),
        Group(
            fields=("delivery_snapshot", "gift_note"),
            subject=("gift_recipient", "customer"),
            person="recipient",
            category=DOCUMENT_CATEGORY,
            start=DOCUMENT_START,
            purpose=_("Delivery, and proof of where goods went"),
            basis=(Basis.CONTRACT, Basis.LEGAL_OBLIGATION),
            source=_("the person who ordered"),
            recipients=SHIPPERS,
        ),
        Group(
            fields=("issued_by",),
            subject="issued_by",
            person="staff",
            category=DOCUMENT_CATEGORY,
            start="issued_at",
            purpose=_("Who issued a paper"),
            basis=Basis.LEGAL_OBLIGATION,
        ),
    ]
    plain = ("order", "corrects", "currency", "blocked_at", "subject_ref")
    copies = {"order.invoiced_at": "order_invoiced_at"}
    subject_ref = "subject_ref"
    cut = ("order",)


@register(CustomerTotal)
class CustomerTotalData(PersonalData):
    told = ""
    groups = [
        Group(
            fields=("currency", "orders", "sum", "first", "last"),
            subject="customer",
            # Figures of a person: they go with the person, the orders they were counted from go on their own day.
            category=category_of(),
            start=start_of(),
            purpose=_("Knowing how much a customer buys"),
            basis=Basis.LEGITIMATE_INTERESTS,
            source=_("counted from the orders"),
        )
    ]


exempt(OrderType, _("A kind of order; what the shop asks for, about nobody."))
exempt(FieldRule, _("Which fields the order form shows; about nobody."))
exempt(NumberRange, _("The last number of a series; about nobody."))
