"""Bring orders in from a file, their lines from a second one where they come apart."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from intake.models import Batch
from intake.operating import add_import_arguments, import_file


class Command(BaseCommand):
    help = "Import orders from an export of a shop or a plain table."

    def add_arguments(self, parser: CommandParser) -> None:
        add_import_arguments(parser)
        parser.add_argument("--lines", type=Path, metavar="FILE", help="a second file with the lines of the orders")

    def handle(self, *args: Any, **options: Any) -> None:
        import_file(self, Batch.Kind.ORDERS, options)
