"""Tells people whose account ends soon for want of activity, so that a word of theirs can keep it (POLICY, ACCOUNT)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from customers.models import Summary
from customers.summary import ensure_all
from datamap.controlling import legal_zone, other_period
from datamap.workdays import local_date
from mail.composing import language_of
from mail.gates import Refusal
from mail.models import Message, MessageClass
from mail.sending import Mail, queue_many
from privacy.ending import kept_people
from privacy.forewarning import untold
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
    """Queue a notice to each account that is due within the days of the settings, or already; how many are new.

    One notice for each period of silence: its key is the day of the last activity. A page of persons at a time, each
    in a transaction of its own: whoever is killed and asked again tells nobody twice. Where the settings say no days
    nobody is told.
    """
    if not (days := Policy.current().warn_days):
        return 0
    ensure_all()
    soon = Book(as_of + timedelta(days=days), night=True)
    told = 0
    for unit in units(soon, "ACCOUNT"):
        for ids in due_pages(soon, unit):
            told += _tell(Book(as_of, who=soon.who), ids)
    return told


@transaction.atomic
def _tell(book: Book, ids: list[int]) -> int:
    """Those of one page who can be told and are not yet; as a set, whatever its size."""
    people = untold(ids, ZoneInfo(book.zone))
    last = book.verdict("ACCOUNT").cutoff
    late = [one.pk for one in people if last is not None and one.since <= last]
    # Past their day and kept by a case, nobody ends soon: they are told when the case is over.
    kept = kept_people(book, late) if late else set()
    mails = [Mail(one.pk, {"since": f"{one.since:%Y-%m-%d}"}, one.key, one.language) for one in people]
    return queue_many(TEMPLATE, [mail for mail in mails if mail.to not in kept], message_class=MessageClass.NOTICE)
