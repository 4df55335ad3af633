"""Writes the error file of an import, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from django.utils.translation import gettext as _

from customers.cells import harmless
from intake.models import Batch, BatchProblem


class _Line:
    """What csv.writer writes to: it only hands the line back."""

    def write(self, text: str) -> str:
        return text


def problem_lines(batch: Batch, *, dry_run: bool) -> Iterator[str]:
    """Line, file, column and sentence of each problem, in the order of the file; never a value of the file."""
    writer = csv.writer(_Line(), delimiter=";", quoting=csv.QUOTE_ALL)
    yield "\ufeff" + writer.writerow([_("Line"), _("File"), _("Column"), _("State"), _("Message")])
    found = BatchProblem.objects.filter(batch=batch, dry_run=dry_run).order_by("severity", "file", "line", "id")
    for problem in found.iterator(chunk_size=2000):
        file = _("lines") if problem.file else _("main file")
        cells = [str(problem.line), file, problem.field, problem.get_severity_display(), problem.message]
        yield writer.writerow([harmless(cell) for cell in cells])
