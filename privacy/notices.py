"""The worklist of Art. 19: every recipient learns that data were corrected, erased or restricted, or it is written down
why that was impossible. Authorities with a particular inquiry are no recipients (Art. 4(9))."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import ContactPoint, Customer, ExternalId
from privacy import notifying, toldwords
from privacy.lasting import keep_standing
from privacy.models import Erasure, Notice, Recipient, Rectification, Request, Restriction
from privacy.recipients import Told, recipients_of, recipients_of_ref
from privacy.remembering import of_notice, remember
from privacy.speaking import name_of, speaker_by_key
from staff.models import User

# A mail that has not come back by then has arrived; what names the person goes.
ARRIVED_AFTER = timedelta(days=30)
PER_MAIL = 100
"""Persons of whom one mail tells a recipient."""


class NoticeRefused(ValueError):
    """A notice that cannot be settled like that: settled already, or without the reason that is demanded."""


@dataclass(frozen=True)
class ToldOf:
    """One recipient on the list that the person may ask for (Art. 19, second sentence)."""

    recipient: str
    role: str
    kind: str
    at: datetime | None
    state: str

    @property
    def state_words(self) -> str:
        """How far the notice came."""
        return str(Notice.State(self.state).label)


@transaction.atomic
def queue_notices(
    kind: str,
    customer_id: int | None,
    subject_ref: UUID | None,
    request: Request | None = None,
    erasure: Erasure | None = None,
    *,
    what: str = "",
    only: Recipient | None = None,
) -> int:
    """Put a notice on the list for each recipient of this person's data, or `only` for one; answers how many are new.

    `kind` is one of `Notice.Kind`; `what` says what changed, such as the corrected name, in lines of `toldwords`.
    For an erasure call it in the transaction of the run, before rows go: the notices and the disclosures then stand
    under `subject_ref`. Idempotent for one erasure, and for one change under a request: what changes later under the
    same request is told as well.
    The caller has the request or the customer locked.
    """
    kind = Notice.Kind(kind).value
    gone = kind == Notice.Kind.ERASURE
    recipients = recipients_to_tell(customer_id, subject_ref) if only is None else [only]
    if gone and customer_id is not None and subject_ref is not None:
        keep_standing({customer_id: subject_ref})
    same = _same(kind, customer_id, subject_ref, request, erasure)
    if request is not None and erasure is None and what.strip():
        told = {row.recipient_id for row in same if row.is_open and what.strip() in row.details}
    else:
        told = set(same.values_list("recipient_id", flat=True))
    details = _details([customer_id], what)[customer_id] if customer_id is not None else what.strip()
    now = timezone.now()
    rows = [
        Notice(
            recipient=recipient, kind=kind, request=request, erasure=erasure, details=details, queued_at=now,
            customer_id=None if gone else customer_id, subject_ref=subject_ref if gone else None,
            blocked_at=now if gone else None,
        )
        for recipient in recipients if recipient.pk not in told
    ]  # fmt: skip
    for notice in Notice.archive.bulk_create(rows):
        notifying.send([notice])
    return len(rows)


@transaction.atomic
def queue_erasures(refs: Mapping[int, UUID]) -> int:
    """The same for many persons who are about to be erased (id -> `subject_ref`), with one mail for many of them.

    Art. 19 asks no less where nobody asked for the erasure (Art. 17(1)(a)). Call it in the transaction that removes
    their rows. A set costs as many queries as one person; answers how many notices are new.
    """
    ids = list(refs)
    told = {person: _told_once(rows) for person, rows in recipients_of(ids).items()}
    if not any(told.values()):
        return 0
    keep_standing(refs)
    details, now = _details([person for person in ids if told[person]]), timezone.now()
    rows = Notice.archive.bulk_create(
        Notice(
            recipient=recipient, kind=Notice.Kind.ERASURE, details=details[person], queued_at=now,
            subject_ref=refs[person], blocked_at=now,
        )
        for person in ids for recipient in told[person]
    )  # fmt: skip
    by_recipient: dict[int, list[Notice]] = defaultdict(list)
    for notice in rows:
        by_recipient[notice.recipient_id].append(notice)
    for notices in by_recipient.values():
        for start in range(0, len(notices), PER_MAIL):
            notifying.send(notices[start : start + PER_MAIL])
    return len(rows)


def recipients_to_tell(customer_id: int | None, subject_ref: UUID | None) -> list[Recipient]:
    """Every recipient of a person's data that Art. 19 speaks of, once."""
    rows = recipients_of([customer_id])[customer_id] if customer_id is not None else []
    rows += recipients_of_ref(subject_ref) if subject_ref is not None else []
    return _told_once(rows)


def _told_once(rows: Iterable[Told]) -> list[Recipient]:
    found = {told.recipient.pk: told.recipient for told in rows if told.recipient.is_told}
    return sorted(found.values(), key=lambda one: one.name)


def open_notices(request: Request | None = None, erasure: Erasure | None = None) -> list[Notice]:
    """The notices that are still to be sent, or that came back; all of them, or those of one request or erasure."""
    rows = Notice.archive.filter(state__in=Notice.OPEN_STATES).select_related("recipient")
    if request is not None:
        rows = rows.filter(Q(request=request) | Q(erasure__request=request))
    if erasure is not None:
        rows = rows.filter(erasure=erasure)
    return list(rows.order_by("queued_at", "pk"))


def told_of(
    *, customer_id: int | None = None, subject_ref: UUID | None = None, request: Request | None = None
) -> list[ToldOf]:
    """Whom the shop told of a change, for the person who asks for it (Art. 19, second sentence)."""
    mine = Q(pk__in=[])
    mine |= Q(customer_id=customer_id) if customer_id is not None else Q(pk__in=[])
    mine |= Q(subject_ref=subject_ref) if subject_ref is not None else Q(pk__in=[])
    mine |= Q(request=request) | Q(erasure__request=request) if request is not None else Q(pk__in=[])
    rows = Notice.archive.filter(mine).select_related("recipient").order_by("queued_at", "recipient__name")
    return [
        ToldOf(row.recipient.name, str(row.recipient.get_role_display()), str(row.get_kind_display()),
               row.sent_at or row.settled_at, row.state)
        for row in rows
    ]  # fmt: skip


def mark_told(notice_id: int, how: str, *, by: User | None) -> Notice:
    """Somebody told the recipient: by letter, by telephone, on its portal. Atomic. Raises NoticeRefused."""
    return _settle(notice_id, Notice.State.DONE, how, by)


def mark_impossible(notice_id: int, reason: str, *, by: User | None) -> Notice:
    """Art. 19 lets go only of what is impossible or disproportionate, with the reason. Raises NoticeRefused."""
    if not reason.strip():
        raise NoticeRefused(_("Say why it is impossible or disproportionate (Art. 19 GDPR)."))
    return _settle(notice_id, Notice.State.IMPOSSIBLE, reason, by)


@transaction.atomic
def retry(notice_id: int, *, by: User | None) -> Notice:
    """Send a notice that came back once more, to the address as it is now. Raises NoticeRefused."""
    notice = Notice.archive.select_for_update().filter(pk=notice_id).select_related("recipient").first()
    if notice is None or notice.state != Notice.State.BOUNCED:
        raise NoticeRefused(_("Only a notice that came back is sent again."))
    if not notifying.send([notice]):
        raise NoticeRefused(_("This recipient has no e-mail address: tell it another way."))
    notice.settled_by = by
    notice.save(update_fields=["settled_by"])
    return notice


def after_rectification(request: Request, customer: Customer, fields: list[str]) -> None:
    """Called when data were corrected: everyone who has the old ones is told what stands there now."""
    applied = request.rectifications.filter(field__in=fields, state=Rectification.State.APPLIED).order_by("pk")
    queue_notices(Notice.Kind.RECTIFICATION, customer.pk, None, request=request, what=corrected(applied))


def corrected(applied: Iterable[Rectification]) -> str:
    """What stands there now, a line of `toldwords` for each field; where one was corrected twice, the last counts."""
    what = {one.field: toldwords.line(one.field, one.after) for one in applied}
    return "\n".join(what.values())


def restricted(restriction: Restriction) -> str:
    """What is restricted, in lines of `toldwords`; of a contact person also whose data."""
    lines = [toldwords.parts_line(restriction.parts)]
    person = speaker_by_key(restriction.contact_person or 0)
    if person is not None:
        lines.insert(0, toldwords.line("contact", name_of(person)))
    return "\n".join(lines)


def after_restriction(customer_ids: list[int], begins: bool) -> None:
    """Called when the first restriction of these customers begins, or the last of them ends."""
    kind = Notice.Kind.RESTRICTION if begins else Notice.Kind.LIFTING
    for customer_id in customer_ids:
        rows = Restriction.objects.filter(customer_id=customer_id, contact_person=None, lifted_at__isnull=begins)
        last = rows.order_by("-pk").first()
        if last is not None:
            queue_notices(kind, customer_id, None, request=last.request, what=restricted(last))


def forget_told() -> int:
    """What has not come back has arrived: settle it and drop what named the person; answers how many."""
    rows = Notice.archive.filter(state=Notice.State.SENT, sent_at__lt=timezone.now() - ARRIVED_AFTER)
    return rows.update(state=Notice.State.DONE, settled_at=timezone.now(), details="")


@transaction.atomic
def _settle(notice_id: int, state: str, reason: str, by: User | None) -> Notice:
    notice = Notice.archive.select_for_update().filter(pk=notice_id).first()
    if notice is None or notice.state in (Notice.State.DONE, Notice.State.IMPOSSIBLE):
        raise NoticeRefused(_("This notice is settled already."))
    if not reason.strip():
        raise NoticeRefused(_("Say how the recipient was told."))
    notice.state, notice.reason = state, reason.strip()
    notice.settled_at, notice.settled_by = timezone.now(), by
    notice.sent_at = notice.sent_at or (notice.settled_at if state == Notice.State.DONE else None)
    notice.details = ""
    notice.save(update_fields=["state", "reason", "settled_at", "settled_by", "sent_at", "details"])
    remember([of_notice(notice)])
    return notice


def _same(
    kind: str, customer_id: int | None, subject_ref: UUID | None, request: Request | None, erasure: Erasure | None
) -> QuerySet[Notice]:
    """Notices that tell the same already."""
    if erasure is not None:
        return Notice.archive.filter(erasure=erasure)
    if request is not None:
        rows = Notice.archive.filter(request=request, kind=kind)
        # A request may have been taken for somebody else's before.
        return rows if customer_id is None or kind == Notice.Kind.ERASURE else rows.filter(customer_id=customer_id)
    rows = Notice.archive.filter(kind=kind, state__in=Notice.OPEN_STATES, request=None, erasure=None)
    return rows.filter(customer_id=customer_id) if customer_id is not None else rows.filter(subject_ref=subject_ref)


def _details(customer_ids: Sequence[int], what: str = "") -> dict[int, str]:
    """By what a recipient finds each of these persons; written while they are here."""
    emails, numbers = defaultdict(list), defaultdict(list)
    points = ContactPoint.objects.filter(customer__in=customer_ids, kind=ContactPoint.Kind.EMAIL)
    for point in points.order_by("-is_primary", "pk"):
        emails[point.customer_id].append(point.value)
    for one in ExternalId.objects.filter(customer__in=customer_ids).order_by("pk"):
        numbers[one.customer_id].append((one.platform, one.value))
    found = dict.fromkeys(customer_ids, what.strip())
    for customer in Customer.objects.filter(pk__in=customer_ids):
        lines = [
            ("name", " ".join(filter(None, (customer.first_name, customer.last_name))) or customer.company),
            ("number", customer.number),
            ("email", ", ".join(emails[customer.pk][:5])),
            ("others", _listed(numbers[customer.pk][:5])),
        ]
        said = [toldwords.line(key, value) for key, value in lines if value]
        found[customer.pk] = "\n".join([*said, what.strip()] if what.strip() else said)
    return found


def _listed(ids: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{platform} {number}" for platform, number in ids)
