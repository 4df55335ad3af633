"""`services`: start or stop the embedded PostgreSQL and Valkey, and leave them so."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from ops.embedded import EmbeddedError, start_services, stop_services


class Command(BaseCommand):
    help = "Start the embedded PostgreSQL and Valkey of this checkout, or stop them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--stop", action="store_true", help="stop them instead")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, stop: bool, **options: Any) -> None:
        embedded = settings.EMBEDDED_DATABASE or settings.EMBEDDED_BROKER
        if not embedded and not options["json"]:
            self.stdout.write("DATABASE_URL and REDIS_URL are set: there is no embedded server.")
            return
        try:
            changed = (stop_services() if stop else start_services()) if embedded else []
        except (EmbeddedError, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            sockets = str(settings.EMBEDDED_SOCKET_DIR) if embedded else None
            self.stdout.write(json.dumps({"stopped" if stop else "started": list(changed), "sockets": sockets}))
        elif stop:
            self.stdout.write(f"Stopped: {', '.join(changed) or 'nothing was running'}.")
        else:
            self.stdout.write(f"Started: {', '.join(changed) or 'nothing, all were running'}.")
            self.stdout.write(f"Sockets: {settings.EMBEDDED_SOCKET_DIR}")
