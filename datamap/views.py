"""The pages of the ground floor: data map, retention rules, controller, access log."""

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from datamap.accesslog import page_of_accesses
from datamap.catalogue import AskAnotherKey, UnfitFacts, cited, explain, period_in_words
from datamap.controlling import controller, legal_zone, recent_changes
from datamap.declarations import registry
from datamap.forms import AccessLogForm, CategoryForm, ControllerForm, DataMapFilterForm, LastDayForm, RuleForm
from datamap.guard import requires
from datamap.models import RetentionRule
from datamap.overview import filtered, model_entries, rules_in_force
from datamap.standing import holds_on
from datamap.versioning import RuleChanged, Shift, add_version, newest, shifts, successor
from datamap.words import AREAS
from datamap.workdays import local_date


@require_safe
@requires("datamap.view")
def data_map(request: HttpRequest) -> HttpResponse:
    """Every model and group of personal data: whose, why, on what basis, until when, sealed or clear."""
    who = controller()
    today = local_date(timezone.now(), legal_zone(who))
    entries = model_entries(rules_in_force(today, supervised=who.supervised_financial))
    areas = sorted({(entry.area, _area_name(entry.area)) for entry in entries}, key=lambda area: area[1])
    keys = sorted({category.key for entry in entries for group in entry.groups for category in group.categories})
    form = DataMapFilterForm(request.GET or None, areas=areas, categories=keys)
    wanted = form.cleaned_data if form.is_valid() else {}
    shown = filtered(entries, wanted)
    of_area = [(area, name, [entry for entry in shown if entry.area == area]) for area, name in areas]
    context = {
        "form": form,
        "areas": [one for one in of_area if one[2]],
        "exempt": [] if any(wanted.values()) else registry.exemptions(),
        "count": len(shown),
        "filtered": any(wanted.values()),
    }
    return render(request, "datamap/data_map.html", context, status=400 if form.errors else 200)


@require_safe
@requires("datamap.view")
def rules(request: HttpRequest) -> HttpResponse:
    """All retention rules with their versions, and the last day of one datum worked out."""
    catalogue = list(RetentionRule.objects.all())
    keys = [(key, f"{key}: {name}") for key, name in {rule.full_key: _(rule.category) for rule in catalogue}.items()]
    choice = CategoryForm(request.GET if "key" in request.GET else None, keys=keys)
    chosen = next((one for one in catalogue if choice.is_valid() and one.full_key == choice.cleaned_data["key"]), None)
    given = request.GET if "start" in request.GET else None
    form = LastDayForm(given, rule=chosen) if chosen and (given or not chosen.lives_as) else None
    answer = _last_day(chosen, form, catalogue) if chosen and form and form.is_valid() else None
    context = {
        "choice": choice,
        "chosen": chosen,
        "elsewhere": AskAnotherKey(chosen.full_key, chosen.lives_as) if chosen and not form else "",
        "form": form,
        "rows": [_row(rule) for rule in catalogue],
        "answer": answer,
        "may_change": request.user.may("datamap.rules"),  # type: ignore[union-attr]
        "statute": cited(answer.statute) if answer else "",
    }
    wrong = choice.errors or (form and form.errors)
    return render(request, "datamap/rules.html", context, status=400 if wrong else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("datamap.rules")
def rule(request: HttpRequest, key: str) -> HttpResponse:
    """The versions of one rule, and the next one: shown with what it would change, then written."""
    last = newest(key)
    if last is None:
        raise Http404
    form = RuleForm(request.POST or None, instance=successor(last))
    fits = request.method == "POST" and form.is_valid() and not last.lives_as
    if fits and "preview" not in request.POST and _add(request, form):
        return redirect("datamap:rules")
    versions = RetentionRule.objects.ladder(last.key, last.variant)
    context = {
        "form": form,
        "last": last,
        "category": _(last.category),
        "versions": [_row(one) for one in versions],
        "shifts": _shifts(form.instance) if fits and not form.errors else None,
    }
    refused = form.errors or (request.method == "POST" and last.lives_as)
    return render(request, "datamap/rule.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("datamap.controller")
def controller_settings(request: HttpRequest) -> HttpResponse:
    """Who the shop is and how its dates are computed."""
    form = ControllerForm(request.POST or None, instance=controller())
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("datamap:controller")
    context = {"form": form, "changes": recent_changes()}
    return render(request, "datamap/controller.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("accesslog.view")
def access_log(request: HttpRequest) -> HttpResponse:
    """Who opened which customer, newest first."""
    form = AccessLogForm(request.POST or None)
    wanted = form.cleaned_data if form.is_bound and form.is_valid() else {}
    page = page_of_accesses(wanted, request.POST.get("cursor", ""), legal_zone())
    context = {"form": form, "page": page, "filtered": any(wanted.values())}
    return render(request, "datamap/access_log.html", context, status=422 if form.errors else 200)


def _add(request: HttpRequest, form: RuleForm) -> bool:
    try:
        added = add_version(form.instance, user_id=request.user.pk)
    except RuleChanged as error:
        form.add_error(None, str(error))
        return False
    words = {"key": added.full_key, "version": added.version}
    messages.success(request, _("Version %(version)d of %(key)s is saved.") % words)
    return True


def _shifts(rule: RetentionRule) -> list[Shift]:
    who = controller()
    zone = legal_zone(who)
    return shifts(rule, local_date(timezone.now(), zone), zone, supervised=who.supervised_financial)


def _last_day(rule: RetentionRule, form: LastDayForm, catalogue: list[RetentionRule]) -> Any:
    who = controller()
    facts = dict(form.cleaned_data)
    start = facts.pop("start")
    facts["as_of"] = facts["as_of"] or local_date(timezone.now(), legal_zone(who))
    try:
        return explain(
            rule.full_key,
            start,
            supervised=who.supervised_financial,
            margin_days=who.execution_margin_days,
            rules=catalogue,
            holds=holds_on(rule.full_key, start, facts["as_of"]),
            **facts,
        )
    except (AskAnotherKey, UnfitFacts) as error:
        form.add_error(None, str(error))
    return None


def _row(rule: RetentionRule) -> dict[str, Any]:
    return {
        "rule": rule,
        "category": _(rule.category),
        "period": period_in_words(rule),
        "counts_from": _(rule.start_label) if rule.start_label else "",
        "statute": cited(rule.statute),
        "transition": cited(rule.transition_statute),
    }


def _area_name(area: str) -> str:
    if area == "store":
        return _("Files and other stores")
    name = str(apps.get_app_config(area).verbose_name)
    return capfirst(str(AREAS.get(name, name)))
