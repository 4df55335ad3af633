"""Tells people whose account ends soon for want of activity, so that a word of theirs can keep it (POLICY, ACCOUNT)."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from customers.models import Customer
from datamap.workdays import local_date
from mail.models import MessageClass
from mail.sending import queue
from privacy.models import Policy
from privacy.selecting import due_pages, units
from privacy.verdicts import Book

TEMPLATE = "account_ends"


def warn_inactive(as_of: date) -> int:
    """Queue a notice to each account that is due within the days of the settings and not yet today; how many are new.

    One notice for each period of silence: its key is the day of the last activity.
    """
    soon = Book(as_of + timedelta(days=Policy.current().warn_days), night=True)
    told = 0
    for unit in units(soon, "ACCOUNT"):
        for ids in due_pages(soon, unit):
            told += _tell(Book(as_of, who=soon.who), ids)
    return told


def _tell(book: Book, ids: list[int]) -> int:
    last = book.verdict("ACCOUNT").cutoff
    told = 0
    with transaction.atomic():
        people = Customer.objects.active().unrestricted().filter(pk__any_of=ids, contact_points__kind="email")
        for customer in people.select_related("summary").distinct():
            day = local_date(customer.summary.last_activity, ZoneInfo(book.zone))
            if last is not None and day <= last:
                continue  # too late for a warning: it ends tonight
            message = queue(
                TEMPLATE,
                to=customer,
                message_class=MessageClass.NOTICE,
                context={"since": f"{day:%Y-%m-%d}"},
                language=customer.language,
                key=f"account-ends:{customer.pk}:{day:%Y-%m-%d}",
            )
            told += message.attempts == 0
    return told
