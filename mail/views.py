"""Pages of the outbox, of letters that were sent, and of mail templates."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datamap.keyset import page_of
from mail.access import enclosure_for, letter_for, message_for
from mail.deciding import SENDABLE_AGAIN, cancel, cancel_all, mark_arrived, send_again, send_all_again
from mail.gates import reason_text
from mail.models import Letter, Message, MessageClass
from mail.own_templates import TRIAL
from mail.previewing import preview
from mail.querysets import MessageQuerySet
from mail.sending import queue
from mail.templates import MailTemplate, UnknownTemplate, label_of, template_of, templates
from staff.access import permission_required, signed_in
from staff.models import User

# Content types a browser may show by itself; anything else is only downloaded.
SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "text/plain"})
DECISIONS: dict[str, Callable[..., bool]] = {"arrived": mark_arrived, "again": send_again, "cancel": cancel}
DECISIONS_FOR_ALL: dict[str, Callable[..., int]] = {"again": send_all_again, "cancel": cancel_all}


@require_GET
@permission_required("mail.view")
def message_list(request: HttpRequest) -> HttpResponse:
    """The outbox, newest first; by state and class."""
    state, kind = request.GET.get("state", ""), request.GET.get("class", "")
    rows = Message.objects.select_related("customer").visible_to(signed_in(request))
    if state in Message.State.values:
        rows = rows.filter(state=state)
    if kind in MessageClass.values:
        rows = rows.filter(message_class=kind)
    page = page_of(rows, "created_at", cursor=request.GET.get("after", ""))
    context = {
        "rows": [(row, label_of(row), reason_text(row.reason)) for row in page.rows],
        "state": state,
        "kind": kind,
        "states": Message.State.choices,
        "kinds": MessageClass.choices,
        "next_url": _next_url(request, page.next_cursor),
        "decides": signed_in(request).may("mail.decide"),
    }
    return render(request, "mail/list.html", context)


@require_GET
@permission_required("mail.view")
def message_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One mail: how far it came and why, and what may be decided about it."""
    message = message_for(request, pk, page="mail:detail")
    user = signed_in(request)
    context = {
        "message": message,
        "label": label_of(message),
        "reason": reason_text(message.reason),
        "letter": Letter.objects.filter(message=message).first() if user.may("mail.letters") else None,
        "opens_customers": user.may("customers.view"),
        "decides": user.may("mail.decide"),
        "again": message.state in SENDABLE_AGAIN,
        "reports": message.events.order_by("-pk")[:20],
    }
    return render(request, "mail/detail.html", context)


@require_POST
@permission_required("mail.decide")
def message_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a decision about one mail."""
    message = message_for(request, pk, page="mail:decide", permission="mail.decide")
    decide = DECISIONS.get(request.POST.get("decision", ""))
    if decide is None:
        raise BadRequest
    if decide(message, by=signed_in(request)):
        messages.success(request, _("The decision is noted."))
    else:
        messages.warning(request, _("Somebody else was quicker, or the mail is on its way; nothing was changed."))
    return redirect("mail:detail", pk=pk)


@require_http_methods(["GET", "POST"])
@permission_required("mail.decide")
def message_decide_all(request: HttpRequest, decision: str) -> HttpResponse:
    """One decision about all mails in doubt that the list shows, of one type or of all: first how many there are.

    No mail is opened for it, so the access log has no line of it; each mail says who decided.
    """
    if decision not in DECISIONS_FOR_ALL:
        raise Http404
    kind = request.POST.get("class", "") or request.GET.get("class", "")
    rows = _in_doubt(signed_in(request), kind)
    count = rows.count()
    if request.method == "POST" and request.POST.get("count") == str(count):
        done = DECISIONS_FOR_ALL[decision](rows, by=signed_in(request))
        messages.success(request, _("Decided about %d mails.") % done)
        return redirect("mail:list")
    if request.method == "POST":
        messages.warning(request, _("The number of mails in doubt has changed meanwhile; nothing was changed."))
    context = {"decision": decision, "count": count, "kind": kind, "kinds": dict(MessageClass.choices)}
    return render(request, "mail/decide_all.html", context, status=409 if request.method == "POST" else 200)


def _in_doubt(user: User, kind: str) -> MessageQuerySet:
    rows = Message.objects.undecided().visible_to(user)
    return rows.filter(message_class=kind) if kind in MessageClass.values else rows


@require_POST
@permission_required("mail.decide")
def trial(request: HttpRequest) -> HttpResponse:
    """Send a mail to oneself, on the way every mail takes."""
    user = signed_in(request)
    queue(
        TRIAL,
        address=user.email,
        message_class=MessageClass.NOTICE,
        context={},
        language=user.language,
    )
    messages.success(request, _("A trial mail to your own address is in the outbox."))
    return redirect("mail:list")


@require_GET
@permission_required("mail.letters")
def letter_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A letter as it was sent."""
    letter = letter_for(request, pk)
    context = {
        "letter": letter,
        "enclosures": letter.enclosures.order_by("pk"),
        "opens_customers": signed_in(request).may("customers.view"),
    }
    return render(request, "mail/letter.html", context)


@require_GET
@permission_required("mail.letters")
def enclosure_download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file as it was sent; whatever a browser might run is only downloaded."""
    enclosure = enclosure_for(request, pk)
    shown = enclosure.content_type in SHOWN
    return FileResponse(
        enclosure.file.open("rb"),
        as_attachment=not shown,
        filename=enclosure.name,
        content_type=enclosure.content_type if shown else "application/octet-stream",
    )


@require_GET
@permission_required("mail.view")
def template_list(request: HttpRequest) -> HttpResponse:
    """All kinds of mails the shop sends."""
    shown = [(one, MessageClass(one.message_class).label) for one in templates()]
    return render(request, "mail/templates.html", {"templates": shown})


@require_GET
@permission_required("mail.view")
def template_preview(request: HttpRequest, key: str) -> HttpResponse:
    """A template filled with sample values, in German or English."""
    template, language = _template(key), _language(request)
    context = {
        "template": template,
        "kind": MessageClass(template.message_class).label,
        "text": preview(template, language),
        "language": language,
        "languages": settings.LANGUAGES,
    }
    return render(request, "mail/template.html", context)


@require_GET
@permission_required("mail.view")
def template_html(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML part of the same, as a mail program shows it."""
    return HttpResponse(preview(_template(key), _language(request)).html)


def _template(key: str) -> MailTemplate:
    try:
        return template_of(key)
    except UnknownTemplate:
        raise Http404 from None


def _language(request: HttpRequest) -> str:
    wanted = request.GET.get("language", "")
    return wanted if wanted in dict(settings.LANGUAGES) else get_language() or settings.LANGUAGE_CODE


def _next_url(request: HttpRequest, cursor: str) -> str:
    if not cursor:
        return ""
    query = request.GET.copy()
    query["after"] = cursor
    return f"?{query.urlencode()}"
