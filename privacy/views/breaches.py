"""Pages of the register of breaches: the list with the running clocks, one case and its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from datamap.catalogue import cited
from datamap.keyset import page_of
from privacy import breaches
from privacy.breach_law import BreachLaw, RuleChanged, add_rule, breach_law, successor
from privacy.forms.breaches import BreachForm, BreachRuleForm, DecisionForm, EntryForm, NotifiedForm, PersonsForm
from privacy.models import Breach
from privacy.paging import next_url
from privacy.views.requests import told_version
from staff.access import permission_required, signed_in

HOUR = 3600


@require_GET
@permission_required("privacy.breaches")
def breach_list(request: HttpRequest) -> HttpResponse:
    """All breaches, also those of which nobody had to be told (Art. 33(5)); the newest first."""
    law = breach_law()
    page = page_of(Breach.objects.all(), "aware_at", cursor=request.GET.get("cursor", ""))
    context = {
        "rows": [(breach, clock(breach, law)) for breach in page.rows],
        "next_url": next_url(request, page.next_cursor),
    }
    return render(request, "privacy/breaches.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("privacy.breaches")
def breach_rule_list(request: HttpRequest) -> HttpResponse:
    """What the law wants after a breach, in versions, and the next one."""
    form = BreachRuleForm(request.POST or None, instance=successor())
    if request.method == "POST" and form.is_valid():
        try:
            add_rule(form.instance, user_id=signed_in(request).pk)
            messages.success(request, _("The new version is saved."))
            return redirect("privacy:breach_rules")
        except RuleChanged:
            form.add_error(None, _("Somebody else has added a version meanwhile."))
    context = {"form": form, "rules": [(rule, cited(rule.statute)) for rule in breach_law().versions]}
    return render(request, "privacy/breach_rules.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.breaches")
def breach_new(request: HttpRequest) -> HttpResponse:
    """Note a breach; whatever is not known yet may come later."""
    form = BreachForm(request.POST or None, initial={"aware_at": timezone.now()})
    if request.method == "POST" and form.is_valid():
        try:
            breach = breaches.note_breach(signed_in(request), **form.cleaned_data)
            messages.success(request, _("The breach is noted."))
            return redirect("privacy:breach", pk=breach.pk)
        except breaches.BreachRefused as refused:
            form.add_error(refused.field, str(refused))
    return render(request, "privacy/breach_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("privacy.breaches")
def breach_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct or complete what is known."""
    breach = _breach(pk)
    form, stale = BreachForm(request.POST or None, instance=breach), False
    if request.method == "POST" and form.is_valid():
        try:
            breaches.assess(pk, version=told_version(request), by=signed_in(request), **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("privacy:breach", pk=pk)
        except breaches.BreachRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        except breaches.StaleBreach:
            stale = True
    context = {"form": form, "breach": breach, "version": breach.version, "stale": stale}
    return render(request, "privacy/breach_form.html", context, status=409 if stale else 422 if form.errors else 200)


@require_GET
@permission_required("privacy.breaches")
def breach_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One case with its clock and its next steps."""
    return _page(request, _breach(pk), {})


@require_POST
@permission_required("privacy.breaches")
def breach_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Decide, note that the authority or the persons were told, add a follow-up, close."""
    if step not in STEPS:
        raise Http404
    breach = _breach(pk)
    form = FORMS[step](request.POST) if step in FORMS else None
    if form is None or form.is_valid():
        try:
            STEPS[step](request, pk, form.cleaned_data if form else {})
            messages.success(request, _("Saved."))
            return redirect("privacy:breach", pk=pk)
        except breaches.BreachRefused as refused:
            if form is None:
                messages.error(request, str(refused))
                return _page(request, breach, {}, status=422)
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
    return _page(request, breach, {step: form} if form else {}, status=422)


def clock(breach: Breach, law: BreachLaw) -> dict[str, Any]:
    """The hours of a case as the pages show them: tone, words, the last instant."""
    due = breaches.due_at(breach, law)
    if not breach.is_running:
        late = breach.notified_at is not None and breaches.is_late(breach, breach.notified_at, law)
        words = _("told late") if late else _("told in time") if breach.notified_at else _("not to be told")
        undecided = breach.notified_at is None and breach.decision != Breach.Decision.NOT
        return {"tone": "warn" if late else "plain", "words": "" if undecided else words, "due": due}
    seconds = (due - timezone.now()).total_seconds()
    hours = int(abs(seconds) // HOUR)
    if seconds < 0:
        said = ngettext("overdue for %d hour", "overdue for %d hours", hours) % hours
        return {"tone": "stop", "words": said, "due": due}
    return {"tone": "warn", "words": ngettext("%d hour left", "%d hours left", hours) % hours, "due": due}


def _page(request: HttpRequest, breach: Breach, bound: dict[str, forms.Form], status: int = 200) -> HttpResponse:
    fresh: dict[str, forms.Form] = {
        "decide": DecisionForm(initial={"decision": breach.decision, "reasons": breach.reasons}),
        "notify": NotifiedForm(initial={"notified_at": timezone.now()}),
        "persons": PersonsForm(initial={name: getattr(breach, name) for name in PersonsForm.base_fields}),
        "entry": EntryForm(),
    }
    context = {
        "breach": breach,
        "clock": clock(breach, breach_law()),
        "entries": breach.entries.select_related("by").order_by("at", "pk"),
        "forms": {**fresh, **bound},
    }
    return render(request, "privacy/breach.html", context, status=status)


def _breach(pk: int) -> Breach:
    found = Breach.objects.filter(pk=pk).select_related("noted_by").first()
    if found is None:
        raise Http404
    return found


def _decide(request: HttpRequest, pk: int, said: dict[str, Any]) -> None:
    breaches.decide(pk, said["decision"], said["reasons"], by=signed_in(request))


def _notify(request: HttpRequest, pk: int, said: dict[str, Any]) -> None:
    breaches.notified(pk, said["notified_at"], said["late_reasons"], by=signed_in(request))


def _persons(_request: HttpRequest, pk: int, said: dict[str, Any]) -> None:
    breaches.persons_told(pk, said["persons_told_at"], said["persons_told"])


def _entry(request: HttpRequest, pk: int, said: dict[str, Any]) -> None:
    breaches.follow_up(pk, said["text"], by=signed_in(request), told_authority_at=said["told_authority_at"])


def _close(_request: HttpRequest, pk: int, _said: dict[str, Any]) -> None:
    breaches.close(pk)


STEPS: dict[str, Callable[[HttpRequest, int, dict[str, Any]], None]] = {
    "decide": _decide, "notify": _notify, "persons": _persons, "entry": _entry, "close": _close,
}  # fmt: skip
FORMS: dict[str, type[forms.Form]] = {
    "decide": DecisionForm, "notify": NotifiedForm, "persons": PersonsForm, "entry": EntryForm,
}  # fmt: skip
