"""Letters about requests: worded per right in German and English, mailed or printed for the post, kept as written.

The texts are `templates/privacy/letters/*.txt`; apps add paragraphs and enclosures here. Mailing goes through the
outbox as a letter of the category REQUEST: it reads the text of the letter's row at the moment of sending.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from customers.models import ContactPerson, Customer
from customers.postal import POST
from datamap.catalogue import period_in_words, rule_for
from datamap.controlling import controller, legal_zone, other_period
from datamap.models import Controller
from datamap.typeface import settable
from datamap.workdays import local_date
from mail.models import Letter
from mail.sending import queue
from privacy.clock import AT_ONCE, deadline_for
from privacy.copies import Copy
from privacy.deadlines import is_prompt
from privacy.models import Rectification, Request, RequestLetter, Restriction
from privacy.objecting import noted_channels
from privacy.packages.knowing import asker_of, holds_copy, marks_of_erased
from privacy.progress import erasures_of, unconfirmed
from privacy.speaking import name_of, speaker_of
from privacy.steps import Step, StepRefused, stamp
from staff.models import User

Kind = RequestLetter.Kind
LANGUAGES = ("de", "en")
TEMPLATE = "privacy_letter"
# Of the mail with a letter: followed by the number of its row.
KEY = "request-letter:"
# Archival and accessible at once (security.md 3, row 55): fonts embedded, structure and language tagged.
STANDARDS: list[Any] = ["a-2a", "ua-1"]
TYPST = Path(settings.BASE_DIR) / "templates" / "privacy" / "letters" / "letter.typ"
# Cc but newline, and what turns the direction of writing: neither belongs into a letter (Trojan Source).
_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")

# Whoever was erased is known by the marks of the erasure: of them something is kept.
_NOTHING_FOUND = (Request.Kind.ACCESS, Request.Kind.ERASURE, Request.Kind.PORTABILITY)
# Rights in what is used: nothing is of who is unknown, or was erased.
_NOTHING_IN_USE = (Request.Kind.RECTIFICATION, Request.Kind.RESTRICTION, Request.Kind.WITHDRAWAL)

Paragraphs = Callable[[Request], Sequence[str]]
Enclosure = tuple[str, bytes, str]
Enclosures = Callable[[Request], Sequence[Enclosure]]

_paragraphs: dict[str, Paragraphs] = {}
_enclosures: dict[str, Enclosures] = {}


@dataclass(frozen=True)
class Draft:
    """A letter before it is written: subject, and the text as paragraphs divided by empty lines."""

    subject: str
    body: str


def register_paragraphs(key: str, paragraphs: Paragraphs) -> None:
    """For apps: what else an answer says, asked in the language of the letter; called from `ready`."""
    _paragraphs[key] = paragraphs


def register_enclosures(key: str, enclosures: Enclosures) -> None:
    """For apps: files (name, content, type) that go with an answer; called from `ready`."""
    _enclosures[key] = enclosures


def language_of(request: Request) -> str:
    """German or English: the language the person wrote in, else English."""
    return request.language if request.language in LANGUAGES else "en"


def compose(request: Request, kind: str, *, reason: str = "", partly: bool = False, copy: Copy | None = None) -> Draft:
    """The letter of this kind in the language of the request."""
    who = controller()
    with translation.override(language_of(request)):
        more = [text for add in _paragraphs.values() for text in add(request)] if kind == Kind.ANSWER else []
        if kind == Kind.ANSWER and reason and request.objects_to != Request.ObjectsTo.REASONS:
            more.insert(0, reason)
        context = _facts(request, who) | {"reason": reason, "partly": partly, "more": more, "copy": copy}
        if find := _FACTS_OF.get(request.kind if kind == Kind.ANSWER else kind):
            context |= find(request)
        context["copy_until"] = _long(copy.until) if copy is not None and copy.until else ""
        # Plain text: what people wrote is not HTML, and nothing here becomes HTML.
        found: Any = get_template(f"privacy/letters/{_template_of(request, kind)}.txt")
        text = found.template.render(Context(context, autoescape=False))
    subject, _gap, body = printable(text).strip().partition("\n")
    return Draft(" ".join(subject.split()), re.sub(r"\n{3,}", "\n\n", body).strip())


def write(
    request: Request,
    kind: str,
    *,
    way: str,
    by: User | None,
    reason: str = "",
    partly: bool = False,
    copy: Copy | None = None,
) -> RequestLetter:
    """Write a letter and put it on its way, in the caller's transaction; `copy` as `copies.hand_over` answered.

    Raises StepRefused where the way leads nowhere: no e-mail address, or no postal address.
    """
    customer, address = _addressee(request)
    if way == RequestLetter.Way.MAIL and not (customer or address):
        raise StepRefused(_("No e-mail address of this person is known: choose the post."))
    lines = recipient_lines(request)
    if way == RequestLetter.Way.POST and len(lines) < 2:
        raise StepRefused(_("No postal address of this person is known: choose e-mail."))
    draft = compose(request, kind, reason=reason, partly=partly, copy=copy)
    letter = RequestLetter.objects.create(
        request=request,
        kind=kind,
        way=way,
        language=language_of(request),
        recipient="\n".join(lines),
        address="" if customer else address,
        subject=draft.subject,
        body=draft.body,
        written_by=by,
    )
    stamp(request, Step.LETTER, by=by, reason=f"{letter.get_kind_display()}, {letter.get_way_display()}")
    if way == RequestLetter.Way.MAIL:
        _mail(letter, customer, enclosures_of(request) if kind == Kind.ANSWER else [])
    return letter


def _mail(letter: RequestLetter, customer: Customer | None, enclosures: Sequence[Enclosure]) -> None:
    queue(
        TEMPLATE,
        to=customer,
        address=None if customer else letter.address,
        message_class="letter",
        context={"letter": letter.pk},
        language=letter.language,
        key=_key(letter.pk),
        attachments=[(f"{letter.request.code}.pdf", pdf_of(letter), "application/pdf"), *enclosures],
        letter_category="REQUEST",
    )


def load(message: Any) -> dict[str, str]:
    """What the mail says, read when it is sent."""
    letter = RequestLetter.objects.get(pk=message.context["letter"])
    return {"letter_subject": letter.subject, "letter_body": letter.body}


def note_closed(request: Request) -> None:
    """Tell the kept letters of a request that it is closed: their period counts from then (REQUEST)."""
    keys = [_key(pk) for pk in request.letters.values_list("pk", flat=True)]
    Letter.archive.filter(key__in=keys).update(closed_at=request.closed_at)


def enclosures_of(request: Request) -> list[Enclosure]:
    """The files that go with the answer."""
    return [one for find in _enclosures.values() for one in find(request)]


def ways_for(request: Request) -> list[tuple[str, Any]]:
    """How this person can be written to: e-mail first where the request came in electronically (Art. 12(3))."""
    customer, address = _addressee(request)
    ways = []
    if customer or address:
        ways.append((RequestLetter.Way.MAIL.value, RequestLetter.Way.MAIL.label))
    if len(recipient_lines(request)) > 1:
        ways.append((RequestLetter.Way.POST.value, RequestLetter.Way.POST.label))
    on_paper = request.channel in (Request.Channel.LETTER, Request.Channel.PHONE)
    return ways[::-1] if on_paper else ways


def recipient_lines(request: Request) -> list[str]:
    """Name and postal address: the ones on file, of someone unknown the ones as told."""
    customer = request.customer
    told = request.person_address.splitlines()
    if request.contact_person is not None:
        return _lines_of_speaker(request, told)
    if customer is None:
        return [printable(line).strip() for line in [request.person_name, *told] if line.strip()]
    address = customer.addresses.order_by("-is_default", "pk").first()
    lines = [named(customer), *(told if address is None else [])]
    if address is not None:
        lines = [address.recipient or lines[0], address.street, f"{address.postcode} {address.city}".strip()]
        lines += [address.country] if address.country not in ("", controller().country) else []
    return [printable(line) for line in lines if line]


def _lines_of_speaker(request: Request, told: list[str]) -> list[str]:
    """Somebody who speaks for a company is written to by name: where they said, else at the company."""
    speaker, company = speaker_of(request), request.customer
    name = name_of(speaker) if speaker is not None else request.person_name
    lines = [name, *told]
    if company is not None and not told:
        at = company.addresses.order_by("-is_default", "pk").first()
        lines += [company.company, at.street, f"{at.postcode} {at.city}".strip()] if at is not None else []
        lines += [at.country] if at is not None and at.country not in ("", controller().country) else []
    return [printable(line).strip() for line in lines if line.strip()]


def named(customer: Customer) -> str:
    """The name of a customer as a letter writes it."""
    person = " ".join(part for part in (customer.title, customer.first_name, customer.last_name) if part)
    return person or customer.company


def pdf_of(letter: RequestLetter) -> bytes:
    """The letter as PDF/A and PDF/UA, made anew from what was written; the same letter gives the same bytes."""
    who = controller()
    on = local_date(letter.written_at, legal_zone(who))
    with translation.override(letter.language):
        place = f"{who.city}, " if who.city else ""
        data = {
            "subject": letter.subject,
            "language": letter.language,
            "sender_name": who.name,
            "sender_line": ", ".join(part for part in (who.name, who.street, _town(who)) if part),
            "recipient": letter.recipient.splitlines(),
            "place_and_date": f"{place}{date_format(on, 'DATE_FORMAT')}",
            "date": [on.year, on.month, on.day],
            "paragraphs": [part.strip() for part in letter.body.split("\n\n") if part.strip()],
            "footer": f"{who.name} · {letter.request.code}" if who.name else letter.request.code,
        }
    return typeset(TYPST, data)


def typeset(template: Path, data: dict[str, Any]) -> bytes:
    """A PDF of a typst template; the data come as JSON and are text, never markup. No system fonts, no network."""
    return typst.compile(
        template.read_bytes(),
        format="pdf",
        sys_inputs={"data": json.dumps(settable(data), ensure_ascii=False)},
        pdf_standards=STANDARDS,
        ignore_system_fonts=True,
        timestamp=0,
    )


def printable(text: str) -> str:
    """The text without control characters and signs that turn the direction of writing."""
    return unicodedata.normalize("NFC", _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\t", " ")))


def _template_of(request: Request, kind: str) -> str:
    if kind != Kind.ANSWER:
        return str(kind)
    if request.kind == Request.Kind.OBJECTION:
        about = request.objects_to or Request.ObjectsTo.ADVERTISING
        unknown = about == Request.ObjectsTo.ADVERTISING and not _was_known(request)
        return f"answer_objection_{about}{'_nothing' if unknown else ''}"
    nothing_in_use = request.kind in _NOTHING_IN_USE and request.customer_id is None
    if nothing_in_use or (request.kind in _NOTHING_FOUND and not _is_known(request)):
        return f"answer_{request.kind}_nothing"
    return f"answer_{request.kind}"


def _is_known(request: Request) -> bool:
    return asker_of(request) is not None if request.kind == Request.Kind.ERASURE else holds_copy(request)


def _was_known(request: Request) -> bool:
    """Whether something of the asker was there to be stopped, though they may be erased by now."""
    return any(one is not None for one in (request.customer_id, request.contact_person, request.subject_ref))


def _noted(request: Request) -> str:
    words = {"email": _("your e-mail address"), "phone": _("your phone number"), POST: _("your postal address")}
    return ", ".join(words[channel] for channel in noted_channels(request))


def _facts(request: Request, who: Controller) -> dict[str, Any]:
    officer = ", ".join(part for part in (who.officer_name, who.officer_email, who.officer_phone) if part)
    contact = ", ".join(line.strip() for line in who.authority_contact.splitlines() if line.strip())
    deadline, extent = deadline_for(request, who=who), request.clarification_asked_at
    return {
        "request": request,
        "code": request.code,
        "name": _name(request),
        "received": _long(deadline.received),
        "due": _long(deadline.due),
        "stops": not deadline.question_late,
        "extent_stops": extent is not None and is_prompt(deadline.received, local_date(extent, legal_zone(who))),
        "at_once": request.kind in AT_ONCE,
        "copies": request.kind in (Request.Kind.ACCESS, Request.Kind.PORTABILITY),
        "officer": officer,
        "authority": ", ".join(part for part in (who.authority_name, contact) if part),
        "sender": who.name,
        "noted": _noted(request) if request.kind == Request.Kind.OBJECTION else "",
    }


def _facts_of_erasure(request: Request) -> dict[str, Any]:
    """Which stores have not confirmed, and which keyed fingerprints stay how long: they are data of the person, too."""
    begun = [erasure for erasure in erasures_of(request) if erasure.started_at is not None]
    phone = request.person_phone if request.contact_person is None else ""  # it may be the company's
    known = request.identity_method and marks_of_erased(email=request.person_email, phone=phone)
    rule = rule_for("TOMB", local_date(timezone.now(), legal_zone()))
    return {
        "unconfirmed": ", ".join(unconfirmed(begun)),
        "mark_stays": period_in_words(rule) if begun or known else "",
        "listed": any(one.contact_person is None or one.suppress for one in begun),
    }


def _facts_of_rectification(request: Request) -> dict[str, Any]:
    """Whether anything was corrected; where nothing was staged, the decision says what was done."""
    rejected = Rectification.State.REJECTED
    staged = request.rectifications
    return {"corrected": staged.exclude(state=rejected).exists() or not staged.exists()}


def _facts_of_lifting(request: Request) -> dict[str, Any]:
    """Whether another restriction of the person stands of which nobody has said that it ends."""
    others = Restriction.objects.filter(
        customer=request.customer_id, contact_person=request.contact_person, lifted_at=None, notice_sent_at=None
    )
    return {"stays": others.exists()}


def _facts_of_withdrawal(_request: Request) -> dict[str, Any]:
    """How long the proof stays, where the rule is not the three years that the letter says by itself."""
    return {"proof_stays": other_period("CONSENT", "3yE")}


_FACTS_OF: dict[str, Callable[[Request], dict[str, Any]]] = {
    Request.Kind.ERASURE: _facts_of_erasure,
    Request.Kind.RECTIFICATION: _facts_of_rectification,
    Request.Kind.WITHDRAWAL: _facts_of_withdrawal,
    Kind.LIFTING: _facts_of_lifting,
}


def _name(request: Request) -> str:
    speaker = speaker_of(request)
    if speaker is not None:
        return name_of(speaker)
    if request.customer is None or request.contact_person is not None:
        return request.person_name
    return named(request.customer)


def keep_speaker(request: Request, speaker: ContactPerson) -> None:
    """The same for somebody who speaks for a company."""
    request.person_name = request.person_name or name_of(speaker)
    request.person_email = request.person_email or speaker.email
    request.person_phone = request.person_phone or speaker.phone
    lines = recipient_lines(request)
    request.person_address = request.person_address or "\n".join(lines[1:])
    request.save(update_fields=["person_name", "person_email", "person_email_index", "person_phone", "person_address"])


def keep_addressees(customer_ids: Collection[int]) -> None:
    """`keep_addressee` for every request of these customers that is not closed, before their rows go."""
    running = Request.objects.filter(customer__any_of=list(customer_ids), closed_at__isnull=True)
    for case in running.select_related("customer"):
        assert case.customer is not None  # as filtered
        keep_addressee(case, case.customer)


def keep_addressee(request: Request, customer: Customer) -> None:
    """Write down in the file of the request how the person can be answered once their own rows are gone."""
    if request.contact_person is not None:
        if (speaker := speaker_of(request)) is not None:
            keep_speaker(request, speaker)
        return
    email = customer.contact_points.filter(kind="email").order_by("-is_primary", "pk").first()
    lines = recipient_lines(request)
    request.person_name = request.person_name or named(customer)
    request.person_email = request.person_email or (email.value if email else "")
    request.person_address = request.person_address or "\n".join(lines[1:] if len(lines) > 1 else [])
    request.save(update_fields=["person_name", "person_email", "person_email_index", "person_address"])


def _addressee(request: Request) -> tuple[Customer | None, str]:
    """The customer where one has an e-mail address; else the address as told."""
    customer = request.customer
    if request.contact_person is not None:
        speaker = speaker_of(request)
        return None, request.person_email or (speaker.email if speaker else "")
    if customer is None:
        return None, request.person_email
    has_one = customer.contact_points.filter(kind="email", whole_index__isnull=False).exists()
    return (customer, "") if has_one else (None, request.person_email)


def _town(who: Controller) -> str:
    return f"{who.postcode} {who.city}".strip()


def _long(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


def _key(letter_id: int) -> str:
    return f"{KEY}{letter_id}"
