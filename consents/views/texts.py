"""Pages of legal texts: drafts, publication, comparison, who saw what, and which text is due where."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consents import texts
from consents.comparing import compare
from consents.forms import PlacementForm, TextForm, VersionForm
from consents.models import LegalText, LegalTextVersion, Placement
from consents.seeing import CONSENTS, KINDS, seen
from customers.placing import BY_LINK, places
from staff.access import permission_required, signed_in

FIELDS = ("title_de", "body_de", "title_en", "body_en", "valid_from")


@require_GET
@permission_required("consents.view")
def text_list(request: HttpRequest) -> HttpResponse:
    """All texts with the version that is valid now."""
    found = list(LegalText.objects.select_related("purpose"))
    valid = texts.versions_valid([text.pk for text in found], texts.today())
    drafts = set(LegalTextVersion.objects.filter(published_at__isnull=True).values_list("text", flat=True))
    rows = [
        {"text": text, "valid": valid.get(text.pk), "title": _title(valid.get(text.pk)), "draft": text.pk in drafts}
        for text in found
    ]
    context = {"rows": rows, "may_edit": signed_in(request).may("consents.settings")}
    return render(request, "consents/texts.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("consents.settings")
def text_new(request: HttpRequest) -> HttpResponse:
    """Begin a new text, if told so the wording of a purpose; its first draft comes next."""
    purpose = request.GET.get("purpose", "")
    initial = {"kind": LegalText.Kind.CONSENT, "purpose": purpose} if purpose.isdecimal() else {}
    form = TextForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        return redirect("consents:draft", pk=form.save().pk)
    return render(request, "consents/text_new.html", {"form": form}, status=422 if request.method == "POST" else 200)


@require_GET
@permission_required("consents.view")
def text_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One text: its versions and the places at which it is due."""
    text = get_object_or_404(LegalText.objects.select_related("purpose"), pk=pk)
    versions = list(text.versions.select_related("published_by").order_by("-number"))
    names = places()
    context = {
        "text": text,
        "versions": [(version, _title(version)) for version in versions],
        "published": [version for version in versions if version.published_at],
        "valid": texts.versions_valid([text.pk], texts.today()).get(text.pk),
        "placements": [(one, names.get(one.place, one.place)) for one in text.placements.all()],
        "may_edit": signed_in(request).may("consents.settings"),
    }
    return render(request, "consents/text.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("consents.settings")
def draft_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft of the next version; it begins with what the last one says."""
    text = get_object_or_404(LegalText, pk=pk)
    draft, stale = texts.draft_of(text), False
    base = draft or text.versions.order_by("-number").first()
    initial = {name: getattr(base, name) for name in FIELDS} if base else {}
    if draft is None:
        initial["valid_from"] = texts.today()
    form = VersionForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        try:
            saved = texts.save_draft(text, data, data.pop("valid_from"), read=request.POST.get("read"))
            messages.success(request, _("The draft is saved. Nobody sees it before it is published."))
            return redirect("consents:version", pk=saved.pk)
        except texts.DraftChanged as changed:
            draft, stale = changed.now, True
    # Where what was typed is not stored, another try still begins with what its writer has read.
    typed = request.POST.get("read") if request.method == "POST" and not stale else None
    context = {
        "form": form,
        "text": text,
        "draft": draft,
        "stale": stale,
        "stored": draft or text.versions.order_by("-number").first(),
        "read": texts.as_read(draft) if typed is None else typed,
    }
    status = 409 if stale else 422 if request.method == "POST" else 200
    return render(request, "consents/draft.html", context, status=status)


@require_GET
@permission_required("consents.view")
def version_read(request: HttpRequest, pk: int) -> HttpResponse:
    """What a version says, in both languages."""
    version = get_object_or_404(LegalTextVersion.objects.select_related("text", "published_by"), pk=pk)
    before = texts.published(version.text).filter(number__lt=version.number).order_by("-number").first()
    context = {
        "version": version,
        "title": _title(version),
        "said": [
            (language, version.title(language), version.body(language).split("\n"), version.wording(language).sha256)
            for language in texts.LANGUAGES
        ],
        "before": before,
        "may_edit": signed_in(request).may("consents.settings"),
        "read": texts.as_read(version),
    }
    return render(request, "consents/version.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("consents.settings")
def version_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Says what publishing means before it does it: the text stands for ever."""
    version = get_object_or_404(LegalTextVersion.objects.select_related("text"), pk=pk)
    context = {"version": version, "title": _title(version)}
    if request.method != "POST":
        context["read"] = request.GET.get("read") or texts.as_read(version)
        return render(request, "consents/publish.html", context)
    try:
        _published, new = texts.publish(version.pk, signed_in(request), read=request.POST.get("read"))
    except texts.DraftChanged:
        return render(request, "consents/publish.html", context | {"stale": True}, status=409)
    except texts.TextRefused as refused:
        context |= {"refused": str(refused), "read": request.POST.get("read") or texts.as_read(version)}
        return render(request, "consents/publish.html", context, status=422)
    messages.success(request, _("The version is published.") if new else _("This version was published already."))
    return redirect("consents:version", pk=version.pk)


@require_POST
@permission_required("consents.settings")
def version_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away; what is published stays."""
    version = get_object_or_404(LegalTextVersion, pk=pk)
    if texts.discard(version.pk):
        messages.success(request, _("The draft is gone."))
    else:
        messages.warning(request, _("A published version stands; nothing was changed."))
    return redirect("consents:text", pk=version.text_id)


@require_GET
@permission_required("consents.view")
def text_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Two versions of a text, word by word."""
    text = get_object_or_404(LegalText, pk=pk)
    versions = list(text.versions.order_by("-number"))
    before, after = (_chosen(versions, request.GET.get(name, "")) for name in ("a", "b"))
    if before is None or after is None:
        raise Http404
    context = {
        "text": text,
        "versions": versions,
        "before": before,
        "after": after,
        "comparisons": [compare(before, after, language) for language in texts.LANGUAGES],
    }
    return render(request, "consents/compare.html", context)


@require_GET
@permission_required("consents.view")
def version_seen(request: HttpRequest, pk: int) -> HttpResponse:
    """Who consented on the strength of a version, and who accepted it or was shown it."""
    version = get_object_or_404(LegalTextVersion.objects.select_related("text"), pk=pk)
    kind = request.GET.get("of", CONSENTS)
    kind = kind if kind in KINDS else CONSENTS
    found = seen(version, kind, signed_in(request), request.GET.get("cursor", ""))
    context = {
        "version": version,
        "title": _title(version),
        "kind": kind,
        "kinds": KINDS.items(),
        "rows": found.rows,
        "next_url": f"?of={kind}&cursor={found.next_cursor}" if found.next_cursor else "",
        "opens_customers": signed_in(request).may("customers.view"),
    }
    return render(request, "consents/seen.html", context)


@require_http_methods(["GET", "POST"])
@permission_required("consents.settings")
def placement_list(request: HttpRequest) -> HttpResponse:
    """Which text must be accepted or shown where; the shop edits it."""
    form = PlacementForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("consents:places")
    rows = list(Placement.objects.select_related("text"))
    valid = texts.versions_valid({row.text_id for row in rows}, texts.today())
    by_place = [
        (name, key in BY_LINK, [(row, valid.get(row.text_id)) for row in rows if row.place == key])
        for key, name in places().items()
    ]
    strays = [(row, valid.get(row.text_id)) for row in rows if row.place not in places()]
    context = {"form": form, "places": by_place, "strays": strays}
    return render(request, "consents/places.html", context, status=422 if form.errors else 200)


@require_POST
@permission_required("consents.settings")
def placement_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """A text is due at a place no longer; who passed it before stays noted."""
    get_object_or_404(Placement, pk=pk).delete()
    messages.success(request, _("Saved."))
    return redirect("consents:places")


def _title(version: LegalTextVersion | None) -> str:
    return version.title(texts.reader_language()) if version else ""


def _chosen(versions: list[LegalTextVersion], asked: str) -> LegalTextVersion | None:
    return next((version for version in versions if str(version.pk) == asked), None)
