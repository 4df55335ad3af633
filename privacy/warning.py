"""Tells people whose account ends soon for want of activity, so that a word of theirs can keep it (POLICY, ACCOUNT)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from customers.models import ContactPoint, Customer, Summary
from datamap.controlling import legal_zone, other_period
from datamap.workdays import day_begins, local_date
from mail.composing import language_of
from mail.gates import Refusal
from mail.models import Message, MessageClass
from mail.sending import Mail, queue_many
from privacy.models import Policy
from privacy.selecting import due_pages, units
from privacy.verdicts import Book

TEMPLATE = "account_ends"
GOES_ON = Refusal("account_goes_on", _("The customer has been heard of meanwhile: the account does not end."))


def load(message: Message) -> dict[str, Any]:
    """The day in a form that each language writes its own way, and the period where the rule is not the two years that
    the text says by itself."""
    ends_by = local_date(timezone.now(), legal_zone()) + timedelta(days=Policy.current().warn_days)
    with translation.override(language_of(message)):
        period = other_period("ACCOUNT", "24m", ends_by)
    return {"since": date.fromisoformat(message.context["since"]), "period": period}


def refuse_untrue(message: Message) -> Refusal | None:
    """A gate: a notice that waited while its silence ended is not sent."""
    if message.template != TEMPLATE:
        return None
    active_at = Summary.objects.filter(customer=message.customer_id).values_list("last_activity", flat=True).first()
    since = date.fromisoformat(message.context["since"])
    return GOES_ON if active_at is not None and local_date(active_at, legal_zone()) > since else None


def warn_inactive(as_of: date) -> int:
    """Queue a notice to each account that is due within the days of the settings and not yet today; how many are new.

    One notice for each period of silence: its key is the day of the last activity. A page of persons at a time, each
    in a transaction of its own: whoever is killed and asked again tells nobody twice.
    """
    soon = Book(as_of + timedelta(days=Policy.current().warn_days), night=True)
    told = 0
    for unit in units(soon, "ACCOUNT"):
        for ids in due_pages(soon, unit):
            told += _tell(Book(as_of, who=soon.who), ids)
    return told


@transaction.atomic
def _tell(book: Book, ids: list[int]) -> int:
    """Those of one page who can be written to and do not end tonight; as a set, whatever its size."""
    zone = ZoneInfo(book.zone)
    people = Customer.objects.active().unrestricted().filter(pk__any_of=ids)
    if (last := book.verdict("ACCOUNT").cutoff) is not None:
        # For the others it is too late for a warning.
        people = people.filter(summary__last_activity__gte=day_begins(last + timedelta(days=1), zone))
    has_email = ContactPoint.objects.filter(customer=OuterRef("pk"), kind=ContactPoint.Kind.EMAIL)
    found = people.filter(Exists(has_email)).values_list("pk", "language", "summary__last_activity")
    mails = []
    for pk, language, active_at in found:
        day = f"{local_date(active_at, zone):%Y-%m-%d}"
        mails.append(Mail(pk, {"since": day}, f"account-ends:{pk}:{day}", language))
    return queue_many(TEMPLATE, mails, message_class=MessageClass.NOTICE)
