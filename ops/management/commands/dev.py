"""`dev`: the whole portal on this machine, until Ctrl+C."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from customers.models import Customer
from datamap import quarantine
from ops.embedded import EmbeddedError, start_services, stop_services
from ops.logins import demo_logins
from ops.supervisor import ENDING, Child, Supervisor

READY_SECONDS = 60


class Command(BaseCommand):
    help = "Run the whole portal on this machine: database, broker, migrations, web, worker and beat."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--customers", type=int, default=2000, help="size of the demo shop (first start)")

    def handle(self, *args: Any, port: int, customers: int, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("`dev` is for a developer's machine: it needs DEBUG=1.")
        signal.signal(signal.SIGTERM, _leave)  # so that what was started is also stopped while preparing
        self._refuse_taken_port(port)
        try:
            started = start_services()
        except (EmbeddedError, OSError) as error:
            raise CommandError(str(error)) from error
        try:
            self._prepare(customers)
            self._run(port)
        except KeyboardInterrupt:
            self.stdout.write("Stopping.")
        finally:
            for number in ENDING:
                signal.signal(number, signal.SIG_IGN)
            stop_services(started)

    def _refuse_taken_port(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise CommandError(f"Port {port} is taken; try PORT={port + 1} make run") from error

    def _prepare(self, customers: int) -> None:
        if _tables_are_behind():
            self._manage("migrate", "--verbosity", "0")
        else:  # what apps keep in step after migrating: roles, rules, fingerprints of keys
            emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
        self._leave_quarantine()
        if "demo" in get_commands() and not Customer.objects.exists():
            self.stdout.write(f"Loading the demo shop with {customers} customers, once.")
            self._manage("demo", "--customers", str(customers))

    def _leave_quarantine(self) -> None:
        """A new database beside an old journal is no restored one; any other has to be looked at."""
        if quarantine.examine().active and not Customer.objects.exists():
            self._manage("reapply_erasures")
        if (state := quarantine.examine()).active:
            raise CommandError(state.sentence)

    def _manage(self, *arguments: str) -> None:
        done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=settings.BASE_DIR, check=False)
        if done.returncode:
            raise CommandError(f"`manage.py {arguments[0]}` failed; what it said stands above.")

    def _run(self, port: int) -> None:
        # Links of mails lead to where this portal answers, unless somebody reaches it by another name.
        site = os.environ.get("SITE_URL") or f"http://127.0.0.1:{port}"
        environment = os.environ | {"DEBUG": "1", "STAFF_MFA_REQUIRED": "0", "SITE_URL": site}
        with Supervisor(environment, settings.BASE_DIR) as supervisor:
            web, *others = _children(port)
            supervisor.start(web)
            reason = supervisor.wait(until=lambda: _answers(port), seconds=READY_SECONDS)
            if not reason:
                for child in others:
                    supervisor.start(child)
                self._announce(port)
                reason = supervisor.wait()
            self.stdout.write(f"Stopping: {reason}")
        if not reason.startswith("SIG"):
            raise CommandError("Everything was stopped because one part ended.")

    def _announce(self, port: int) -> None:
        self.stdout.write(f"\nObhut runs at http://127.0.0.1:{port}/ - Ctrl+C stops it.\n\n")
        for login in demo_logins():
            self.stdout.write(f"  {login.role:<10} {login.email:<26} {login.password}")
        self.stdout.write(f"\nLogs: {settings.VAR_DIR / 'log'}; mails: {settings.VAR_DIR / 'mail'}")
        self.stdout.flush()


def _children(port: int) -> list[Child]:
    programs, var = Path(sys.executable).parent, settings.VAR_DIR
    web = ["--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4", "--timeout", "120"]
    celery = [str(programs / "celery"), "-A", "config"]
    worker = ["--loglevel", "INFO", "--concurrency", "2", "--without-gossip", "--without-mingle"]
    beat = ["--loglevel", "INFO", "--pidfile", "", "--schedule", str(var / "celerybeat-schedule")]
    commands = {
        "web": [str(programs / "gunicorn"), "config.wsgi", "--no-control-socket", "--preload", *web],
        "worker": [*celery, "worker", *worker],
        "beat": [*celery, "beat", *beat],
    }
    return [Child(name, command, var / "log" / f"{name}.log") for name, command in commands.items()]


def _tables_are_behind() -> bool:
    """Whether a migration waits; asked first, as running `migrate` with nothing to do costs seconds."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:  # noqa: S310
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def _leave(signum: int, frame: object) -> None:
    raise KeyboardInterrupt
