"""Pages of the generated papers: read, print, download, keep, compare."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from datamap.controlling import controller
from privacy.models import PaperVersion
from privacy.papers import versions
from privacy.papers.outline import Paper
from privacy.papers.printing import as_pdf
from privacy.papers.rendering import as_csv, as_markdown
from staff.access import permission_required, signed_in

SHOWN = 20
TYPES = {"pdf": "application/pdf", "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8"}


@require_GET
@permission_required("datamap.view")
def paper_list(request: HttpRequest) -> HttpResponse:
    """The four papers, and which have changed since they were kept."""
    changed = versions.changed_kinds()
    rows = [
        {"kind": kind, "label": label, "last": versions.latest(kind), "changed": kind in changed}
        for kind, label in PaperVersion.Kind.choices
    ]
    return render(request, "privacy/papers.html", {"rows": rows})


@require_GET
@permission_required("datamap.view")
def paper_read(request: HttpRequest, kind: str) -> HttpResponse:
    """One paper in the language of the reader, or in the one asked for."""
    language = _language(request)
    paper = _paper(kind, language)
    last = versions.latest(kind)
    context = {
        "paper": paper,
        "language": language,
        "last": last,
        "changed": last is not None and last.sha256 != versions.digest(versions.contents(kind)),
        "kept": PaperVersion.objects.filter(kind=kind).select_related("by").order_by("-made_at", "-pk")[:SHOWN],
        "may_keep": signed_in(request).may("privacy.papers"),
    }
    return render(request, "privacy/paper.html", context)


@require_GET
@permission_required("datamap.view")
def paper_file(request: HttpRequest, kind: str, suffix: str) -> HttpResponse:
    """One paper as a file: PDF (PDF/A), Markdown or CSV."""
    language = _language(request)
    paper = _paper(kind, language)
    if suffix not in TYPES:
        raise Http404
    with translation.override(language):
        content = _content(paper, suffix, language)
    response = HttpResponse(content, content_type=TYPES[suffix])
    response["Content-Disposition"] = f'attachment; filename="obhut-{kind}-{language}.{suffix}"'
    return response


@require_POST
@permission_required("privacy.papers")
def paper_keep(request: HttpRequest, kind: str) -> HttpResponse:
    """Keep what a paper says today as a version."""
    _known(kind)
    _version, is_new = versions.keep(kind, signed_in(request))
    if is_new:
        messages.success(request, _("The version is kept."))
    else:
        messages.info(request, _("Nothing has changed since the last version."))
    return redirect("privacy:paper", kind=kind)


@require_GET
@permission_required("datamap.view")
def paper_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """What has changed since a version was kept."""
    version = PaperVersion.objects.filter(pk=pk).select_related("by").first()
    if version is None or version.kind not in versions.BUILDERS:
        raise Http404
    language = _language(request)
    paper = _paper(version.kind, language)
    context = {
        "version": version,
        "paper": paper,
        "changes": versions.differences(version.content.get(language, ""), as_markdown(paper)),
    }
    return render(request, "privacy/paper_changes.html", context)


def _content(paper: Paper, suffix: str, language: str) -> bytes | str:
    if suffix == "pdf":
        return as_pdf(paper, language, controller().name)
    # Spreadsheet programs take a file without a byte order mark for Windows-1252.
    return "\ufeff" + as_csv(paper) if suffix == "csv" else as_markdown(paper)


def _paper(kind: str, language: str) -> Paper:
    _known(kind)
    return versions.build(kind, language)


def _known(kind: str) -> None:
    if kind not in versions.BUILDERS:
        raise Http404


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("language", "")
    return asked if asked in versions.LANGUAGES else (translation.get_language() or "de")[:2]
