"""Writes the copy of one person's data, or the portable part of it, to a file of the operator."""

from __future__ import annotations

import json
import os
import tempfile
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from customers import tombstones
from customers.models import Customer, Tombstone
from privacy.models import Erasure, Package
from privacy.packages.building import build
from privacy.packages.pdf import TypesettingFailed

BAD_ARGUMENTS = 2


class Command(BaseCommand):
    help = "Build the package of one person (Art. 15 or 20 GDPR); what names others is blackened and asks for a review."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="customer number, or the mark of somebody erased")
        parser.add_argument("--kind", choices=Package.Kind.values, required=True)
        parser.add_argument("--output", type=Path, required=True, metavar="ZIP", help="where to write it, in clear")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        output = Path(options["output"])
        if output.is_dir() or not output.parent.is_dir():
            raise CommandError(
                _("%(path)s is no file that could be written.") % {"path": output}, returncode=BAD_ARGUMENTS
            )
        try:
            package = build(_person(options["number"]), options["kind"])
            _write(package, output)
        except (OSError, TypesettingFailed) as error:
            reason = error.strerror if isinstance(error, OSError) else _("the PDF could not be set")
            said = _("The package could not be written: %(reason)s. Nothing of it was left.") % {"reason": reason}
            raise CommandError(said) from error
        result = {
            "package": str(package.uuid),
            "kind": package.kind,
            "path": str(output),
            "files": package.files,
            "bytes": package.bytes,
            "review_needed": package.review_needed,
        }
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
            return
        for key, value in result.items():
            self.stdout.write(f"{key}: {value}")


def _person(number: str) -> Customer | UUID:
    customer = Customer.objects.filter(number=number).first() if "\0" not in number else None
    if customer is not None:
        return customer
    if "\0" not in number and (erased := tombstones.erasure_of_number(number)) is not None:
        return erased[1]
    with suppress(ValueError):
        mark = UUID(number)
        if Tombstone.objects.filter(subject_ref=mark).exists() or Erasure.objects.filter(subject_ref=mark).exists():
            return mark
    raise CommandError(_("There is no customer with this number."), returncode=BAD_ARGUMENTS)


def _write(package: Package, output: Path) -> None:
    """Whole or not at all, readable by nobody else."""
    handle, draft = tempfile.mkstemp(dir=output.parent, prefix=".export-")
    try:
        with os.fdopen(handle, "wb") as file, package.file.storage.open(str(package.file.name)) as source:
            while data := source.read(1 << 20):
                file.write(data)
        os.replace(draft, output)
    except BaseException:
        os.unlink(draft)
        raise
