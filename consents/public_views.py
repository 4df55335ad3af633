"""Pages that anybody may open: sign up, confirm, unsubscribe. They tell nobody who is known here, and set no cookie
but the one that guards the form."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consents import opting_in, passing, unsubscribing
from consents.events import Source
from consents.models import LegalText
from consents.offering import current_versions, offers
from consents.opting_in import NotOffered, Outcome, TooMany, Visitor
from consents.passing import LinkOver, TextsMissing, due_on_page
from consents.public_forms import PassForm, SignUpForm
from consents.texts import Due
from consents.tokens import Forged, PlaceTicket, Ticket, read_place_token, read_unsubscribe_token
from customers.placing import SIGN_UP, places
from datamap.controlling import controller
from datamap.guard import public_page

STATUS = {Outcome.CONFIRMED: 200, Outcome.BEFORE: 200, Outcome.OVER: 410, Outcome.UNKNOWN: 404}


@require_http_methods(["GET", "HEAD", "POST"])
@public_page("Anybody may sign up, without an account.")
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form; sent, it answers the same whatever is known of the address."""
    language = get_language() or "de"
    given = request.POST if request.method == "POST" else None
    form = _sign_up_form(given, language)
    if given is None:
        return _form(request, form)
    if not form.is_valid() or form.is_stale:
        return _form(request, form, status=422)
    if form.is_machine:
        return redirect("opt_in:sign_up_sent")
    try:
        opting_in.ask_opt_in(
            form.cleaned_data["email"], form.chosen, page=SIGN_UP, language=language, visitor=_visitor(request),
            born=form.birth, shown=form.chosen, passed=form.due,
        )  # fmt: skip
    except NotOffered:
        return _form(request, _sign_up_form(given, language), status=422)
    except TooMany:
        return render(request, "consents/public/too_many.html", _shop(), status=429)
    return redirect("opt_in:sign_up_sent")


@require_GET
@public_page("Says what happens next, to everybody alike.")
def sign_up_sent(request: HttpRequest) -> HttpResponse:
    """What everybody reads who has sent the form."""
    return render(request, "consents/public/sign_up_sent.html", _shop())


@csrf_exempt  # as with the links of mails: the link is the secret
@require_http_methods(["GET", "HEAD", "POST"])
@public_page("The link of the desk is the proof; it shows the shop's texts and names nobody.")
def place(request: HttpRequest, token: str) -> HttpResponse:
    """The texts that are due to somebody at a place; looking notes nothing, the button does, once."""
    try:
        ticket = read_place_token(token)
        customer = passing.invited(ticket)
    except Forged:
        return _bare(request, "no_link.html", {}, status=404)
    except LinkOver:
        return _bare(request, "place_over.html", {}, status=410)
    with translation.override("en" if customer.language == "en" else "de"):
        return _place(request, ticket, passing.due_to(customer.pk, ticket.place))


def _place(request: HttpRequest, ticket: PlaceTicket, due: list[Due]) -> HttpResponse:
    language, name = get_language() or "de", places()[ticket.place]
    said = _said(request) if request.method == "POST" else None
    form = PassForm(said, due=due, language=language)
    if not due:
        return _bare(request, "place_passed.html", {"place": name, "outcome": "nothing" if said is None else "passed"})
    if said is None:
        return _bare(request, "place.html", {"place": name, "form": form})
    if said.get("answer") == "refuse":
        return _bare(request, "place_passed.html", {"place": name, "outcome": "refused"})
    if not form.is_valid() or form.is_stale:
        return _bare(request, "place.html", {"place": name, "form": form}, status=422)
    try:
        passing.pass_by_link(ticket, form.passed, language=language)
    except TextsMissing as missing:  # a version was published just now
        again = PassForm(said, due=missing.due, language=language)
        return _bare(request, "place.html", {"place": name, "form": again}, status=422)
    except LinkOver:
        return _bare(request, "place_over.html", {}, status=410)
    return _bare(request, "place_passed.html", {"place": name, "outcome": "passed"})


@require_GET
@public_page("Everybody may know what the shop does with data (Art. 13 GDPR).")
def privacy_notice(request: HttpRequest) -> HttpResponse:
    """The privacy notice that holds today."""
    version = current_versions(LegalText.Kind.PRIVACY_NOTICE).first()
    language = get_language() or "de"
    values = {"title": version.title(language), "body": version.body(language)} if version else {}
    return render(request, "consents/public/privacy_notice.html", _shop() | values, status=200 if version else 404)


@csrf_exempt  # the link is the secret: who has it needs no cookie, and who has not cannot send it
@require_http_methods(["GET", "HEAD", "POST"])
@public_page("The link of a mail is the proof; whoever follows it has the mailbox.")
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing, since scanners follow links; the button confirms."""
    pending = opting_in.pending_of(token)
    with translation.override(pending.language if pending else get_language()):
        if request.method == "POST":
            outcome = opting_in.confirm(token, visitor=_visitor(request))
        else:
            settled = opting_in.state_of(pending)
            if pending is not None and settled is None:
                return _bare(request, "confirm.html", {"asked": opting_in.asked_for(pending)})
            outcome = settled or Outcome.UNKNOWN
        return _bare(request, "confirmed.html", {"outcome": outcome.value}, status=STATUS[outcome])


@csrf_exempt  # RFC 8058: a mail program sends neither cookies nor tokens
@require_http_methods(["GET", "HEAD", "POST"])
@public_page("Unsubscribing needs no sign-in (RFC 8058; Art. 7(3) GDPR).")
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing; a POST unsubscribes, with whatever body, once or often: 200, never a redirect."""
    try:
        ticket = read_unsubscribe_token(token)
    except Forged:
        return _bare(request, "no_link.html", {}, status=404)
    if request.method != "POST":
        return _bare(request, "unsubscribe.html", {"purpose": unsubscribing.name_of(ticket)})
    said = _said(request)
    known = {purpose.key for purpose in unsubscribing.still_allowed(ticket)}
    unsubscribing.unsubscribe(
        ticket,
        source=Source.SELF_SERVICE if said.get("by") == "page" else Source.ONE_CLICK,
        purpose=said["purpose"] if said.get("purpose") in known else None,
    )
    return _done(request, ticket, token)


@csrf_exempt
@require_POST
@public_page("An objection needs no sign-in (Art. 21(2) GDPR).")
def no_advertising(request: HttpRequest, token: str) -> HttpResponse:
    """Whoever has the link wants no advertising at all."""
    try:
        ticket = read_unsubscribe_token(token)
    except Forged:
        return _bare(request, "no_link.html", {}, status=404)
    unsubscribing.no_advertising(ticket)
    return _done(request, ticket, token, nothing=True)


def _done(request: HttpRequest, ticket: Ticket, token: str, *, nothing: bool = False) -> HttpResponse:
    left = [] if nothing else unsubscribing.still_allowed(ticket)
    values = {"purpose": unsubscribing.name_of(ticket), "left": left, "token": token, "nothing": nothing}
    return _bare(request, "unsubscribed.html", values)


def _said(request: HttpRequest) -> dict[str, Any]:
    """The fields of a body, none where it cannot be read: unsubscribing fails for no body."""
    try:
        return request.POST.dict()
    except (BadRequest, MultiPartParserError, SuspiciousOperation, UnreadablePostError, ValueError):
        return {}


def _sign_up_form(given: Any, language: str) -> SignUpForm:
    return SignUpForm(given, offered=offers(language), due=due_on_page(SIGN_UP), language=language)


def _form(request: HttpRequest, form: SignUpForm, *, status: int = 200) -> HttpResponse:
    shows_notice = any(one.version.text.kind == LegalText.Kind.PRIVACY_NOTICE for one in form.due)
    has_notice = not shows_notice and current_versions(LegalText.Kind.PRIVACY_NOTICE).exists()
    values = {"form": form, "has_notice": has_notice}
    return render(request, "consents/public/sign_up.html", _shop() | values, status=status)


def _bare(request: HttpRequest, template: str, values: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page behind a link of a mail: it tells nobody where its reader came from."""
    response = render(request, f"consents/public/{template}", _shop() | values, status=status)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _shop() -> dict[str, Any]:
    return {"shop": controller().name}


def _visitor(request: HttpRequest) -> Visitor:
    return Visitor(get_adapter().get_client_ip(request) or "", request.headers.get("User-Agent", ""))
