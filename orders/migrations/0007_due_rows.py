"""Finds orders and returns whose period is over by the event it counts from, history by date and by person."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

Q = models.Q
NAMED = (
    Q(customer__isnull=False)
    | Q(gift_recipient__isnull=False)
    | Q(subject_ref__isnull=False)
    | ~Q(number="")
    | ~Q(external_id="")
    | ~Q(tags="")
)
CLAIMED = Q(reason__in=["defect", "wrong", "other"])
ISSUED, REQUESTED = ["issued_at", "id"], ["requested_at", "id"]
INDEXES = (
    ("order", ["delivered_at", "id"], NAMED & Q(delivered_at__isnull=False), "order_delivered_due"),
    ("order", ["placed_at", "id"], NAMED & Q(delivered_at__isnull=True), "order_placed_due"),
    ("return", REQUESTED, Q(reason="withdrawal"), "return_withdrawal_due"),
    ("return", ["refunded_at", "id"], CLAIMED, "return_claim_due"),
    ("return", REQUESTED, CLAIMED & Q(refunded_at__isnull=True), "return_open_due"),
    ("return", ["subject_ref"], Q(subject_ref__isnull=False), "return_subject_ref"),
    ("document", ISSUED, Q(kind__in=["invoice", "credit_note"]), "document_invoice_due"),
    ("document", ISSUED, Q(kind__in=["received", "confirmation"]), "document_letter_due"),
    ("document", ISSUED, Q(kind="delivery_note"), "document_note_due"),
    ("document", ISSUED, Q(blocked_at__isnull=False), "document_archive"),
)
HISTORY = (
    # Rows of one statement carry one instant: such an index stays small and grows at its end.
    ("orders_hist_order_date", "(history_date)"),
    # The history of an order tells of persons whom the order itself may no longer name.
    ("orders_hist_order_customer", "(customer_id) WHERE customer_id IS NOT NULL"),
    ("orders_hist_order_gift", "(gift_recipient_id) WHERE gift_recipient_id IS NOT NULL"),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0006_what_erasing_may_change")]

    operations = [
        *(
            AddIndexConcurrently(model, models.Index(fields=fields, condition=condition, name=f"orders_{name}"))
            for model, fields, condition, name in INDEXES
        ),
        RemoveIndexConcurrently("document", "orders_document_due"),
        *(
            migrations.RunSQL(
                f"CREATE INDEX CONCURRENTLY {name} ON orders_historicalorder {columns}",
                f"DROP INDEX CONCURRENTLY {name}",
            )
            for name, columns in HISTORY
        ),
    ]
