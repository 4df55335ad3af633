"""Pages of imports: bring a file, say what its columns mean, look at the preview, run it, take it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from intake import uploading
from intake.counting import repeated
from intake.exporting import problem_lines
from intake.forms import UploadForm
from intake.mapping import MappingError
from intake.models import Batch, BatchProblem
from intake.profiles import UnknownProfile, profile_for, profiles
from intake.tables import UnreadableFile
from intake.undoing import preview_undo, request_undo
from intake.wording import named_left
from staff.access import permission_required, signed_in

PAGE = 50
SHOWN_PROBLEMS = 100
REFRESH_SECONDS = 3
State = Batch.State


@require_GET
@permission_required("intake.import")
def batch_list(request: HttpRequest) -> HttpResponse:
    """All imports, newest first."""
    batches = Batch.objects.select_related("user").order_by("-created_at", "-id")
    after = _uuid(request.GET.get("after", ""))
    if after and (last := Batch.objects.filter(pk=after).first()):
        batches = batches.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, id__lt=last.id))
    found = list(batches[: PAGE + 1])
    more = f"?after={found[PAGE - 1].pk}" if len(found) > PAGE else ""
    rows = [(batch, _profile_label(batch)) for batch in found[:PAGE]]
    return render(request, "intake/list.html", {"rows": rows, "next_url": more, "first_page": not after})


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _profile_label(batch: Batch) -> str:
    try:
        return str(profile_for(batch.profile, batch.kind).label)
    except UnknownProfile:
        return batch.profile


@require_http_methods(["GET", "POST"])
@permission_required("intake.import")
def upload(request: HttpRequest) -> HttpResponse:
    """Bring a file."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            batch = uploading.take_in(data["kind"], data["file"], data["lines_file"], request.user.pk)
        except UnreadableFile as error:
            sentence = _("Line %(line)d: %(message)s") % {"line": error.line, "message": error.message}
            form.add_error("file", sentence)
        except UnknownProfile as error:
            form.add_error("kind", str(error))
        else:
            return redirect("intake:columns", batch.pk)
    return render(request, "intake/upload.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@permission_required("intake.import")
def columns(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say what the columns mean; for a known export only those it does not know itself."""
    batch = get_object_or_404(Batch, pk=pk)
    if batch.state not in (State.UPLOADED, State.CHECKED, State.FAILED) or not batch.file or batch.origin_id:
        return redirect("intake:detail", pk)
    key = request.POST.get("profile") or request.GET.get("profile") or batch.profile
    error, given = "", None
    if request.method == "POST":
        try:
            given = uploading.posted_mapping(batch, request.POST)
            asked = uploading.ask_for_check(batch, key, given, _version(request), request.user.pk)
        except (UnknownProfile, MappingError, UnreadableFile) as refusal:
            error = str(refusal)
        else:
            return redirect("intake:detail", pk) if asked else _stale(request, pk)
    return _columns_page(request, batch, key, given, error)


def _columns_page(
    request: HttpRequest, batch: Batch, key: str, given: dict[str, Any] | None, error: str
) -> HttpResponse:
    try:
        profile = profile_for(key, batch.kind)
        found = uploading.columns_of(batch, profile, given)
        lines = uploading.line_columns_of(batch, profile, given) if batch.lines_file else []
        options = uploading.options_of(batch, profile, given)
    except UnknownProfile:
        return redirect("intake:columns", batch.pk)
    except UnreadableFile as refusal:
        sentence = _("The stored file cannot be read any more; please bring it again.")
        messages.error(request, f"{sentence} {refusal.message}".strip())
        return redirect("intake:list")
    context = {
        "batch": batch,
        "profile": profile,
        "profiles": profiles(batch.kind),
        "columns": found,
        "parts": uploading.told_and_rest(found),
        "choices": uploading.choices_for(profile),
        "line_parts": uploading.told_and_rest(lines),
        "line_choices": uploading.line_choices(),
        "options": options,
        "error": error,
    }
    return render(request, "intake/columns.html", context, status=422 if error else 200)


def _version(request: HttpRequest) -> int:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _stale(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Somebody was quicker, or the button was pressed twice: nothing more happens than what already does."""
    batch = get_object_or_404(Batch, pk=pk)
    if batch.is_working or batch.state in (State.DONE, State.UNDONE):
        messages.info(request, _("This was already started; nothing was done twice."))
        return redirect("intake:detail", pk)
    return render(request, "409.html", status=409)


@require_GET
@permission_required("intake.import")
def detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One import: progress, preview or result, whichever there is."""
    batch = get_object_or_404(Batch.objects.select_related("user"), pk=pk)
    if batch.state == State.UPLOADED:
        return redirect("intake:columns", pk)
    fragment = request.headers.get("HX-Request") == "true"
    context = _detail_context(request, batch)
    response = render(request, "intake/_polled.html" if fragment else "intake/detail.html", context)
    if fragment and not batch.is_working:
        # The page around it changes as well (buttons, heading): have it fetched whole.
        response["HX-Refresh"] = "true"
    elif batch.is_working and not fragment:
        # Without JavaScript the browser asks again by itself.
        response["Refresh"] = str(REFRESH_SECONDS * 5)
    return response


def _detail_context(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    dry_run = batch.state in (State.CHECKING, State.CHECKED) or (batch.origin_id is None and not batch.counts)
    problems = BatchProblem.objects.filter(batch=batch, dry_run=dry_run).order_by("severity", "file", "line", "id")
    counts = batch.preview if dry_run else batch.counts
    # Names of lines of orders count only where orders came in.
    return {
        "batch": batch,
        "profile_label": _profile_label(batch),
        "counts": counts,
        "repeated": repeated(counts),
        "dry_run": dry_run,
        "problems": list(problems[:SHOWN_PROBLEMS]),
        "problem_count": counts.get("error_count", 0) + counts.get("warning_count", 0),
        "may_undo": batch.may_be_undone and signed_in(request).may("intake.undo"),
        "refresh_seconds": REFRESH_SECONDS,
        "left": named_left(batch.undo.get("left", [])),
    }


@require_POST
@permission_required("intake.import")
def start(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Run a checked import, or go on with one that stopped."""
    get_object_or_404(Batch, pk=pk)
    if uploading.start(pk, _version(request)):
        return redirect("intake:detail", pk)
    return _stale(request, pk)


@require_http_methods(["GET", "POST"])
@permission_required("intake.undo")
def undo(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show what an undo would do, then do it."""
    batch = get_object_or_404(Batch, pk=pk)
    if request.method == "POST":
        if not request_undo(pk, _version(request)):
            return _stale(request, pk)
        uploading.wake(pk)
        return redirect("intake:detail", pk)
    if not batch.may_be_undone:
        return redirect("intake:detail", pk)
    plan = preview_undo(batch)
    return render(request, "intake/undo.html", {"batch": batch, "plan": plan, "left": named_left(plan["left"])})


@require_GET
@permission_required("intake.import")
def problems(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """The error file: line, column and sentence of everything that was rejected or noted."""
    batch = get_object_or_404(Batch, pk=pk)
    lines: Iterator[str] = problem_lines(batch, dry_run=batch.state in (State.CHECKING, State.CHECKED))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="import-problems.csv"'
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@permission_required("intake.import")
def discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Throw a file away that was not imported."""
    batch = get_object_or_404(Batch, pk=pk)
    if batch.origin_id is not None or batch.is_working:
        return _stale(request, pk)
    batch.discard_files()
    batch.delete()
    messages.success(request, _("The file is deleted; nothing was imported."))
    return redirect("intake:list")
