"""Bring customers, or an unsubscribed list, in from a file."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from intake.models import Batch
from intake.operating import add_import_arguments, import_file


class Command(BaseCommand):
    help = "Import customers (or suppression entries) from an export of a shop or a plain table."

    def add_arguments(self, parser: CommandParser) -> None:
        add_import_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        import_file(self, Batch.Kind.CUSTOMERS, options)
