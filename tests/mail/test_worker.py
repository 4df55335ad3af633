"""A real worker on the real broker, killed when the mail server has just taken a mail (security.md, fault 18)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from django.db import connection
from django.utils import timezone

from config.celery import app as celery_app
from mail.models import Message
from mail.sending import queue as put_out
from tests.mail.conftest import MailServer
from tests.mail.writing import make_customer, now

PATIENCE = 120
State = Message.State


@contextmanager
def worker(queue: str, log: Path, server: MailServer) -> Iterator[subprocess.Popen]:
    """A worker process of its own, on this test's database, keys and mail server."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.mail.worker_settings",
        "WORKER_DATABASE": connection.settings_dict["NAME"],
        "WORKER_SMTP_PORT": str(server.port),
        "DEBUG": "1",
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queue, "-c", "1", "-P", "solo"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle", "-l", "WARNING"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(condition: Callable[[], bool], log: Path) -> None:
    """Ask until it is so; PostgreSQL itself does the waiting between two looks."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, log.read_text()[-3000:]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.02)")


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_after_the_server_took_the_mail_leaves_it_in_doubt_and_nobody_sends_it_again(
    mail_server: MailServer, tmp_path: Path
) -> None:
    queue, log = f"test-mail-{uuid.uuid4().hex}", tmp_path / "worker.log"
    # The worker's process knows the templates of the house alone.
    people = [make_customer(f"k{n}@laden.example") for n in range(2)]
    first, second = [put_out("enclosed", to=one, message_class="letter", context={}) for one in people]
    with worker(queue, log, mail_server) as process:
        # The kill comes between the server's taking the mail and its answer.
        mail_server.when_taken = lambda: os.killpg(process.pid, signal.SIGKILL)
        celery_app.send_task("mail.tasks.deliver", queue=queue)
        wait_for(lambda: process.poll() is not None, log)
    assert mail_server.recipients == ["k0@laden.example"]
    assert now(first).state == State.SENDING
    mail_server.when_taken = lambda: None
    # Long afterwards: the dead worker's leases have run out.
    Message.objects.filter(lease__isnull=False).update(lease_until=timezone.now())
    with worker(queue, log, mail_server):
        celery_app.send_task("mail.tasks.deliver", queue=queue)
        wait_for(lambda: now(second).state == State.SENT, log)
    with celery_app.connection_or_acquire() as broker:
        broker.default_channel.queue_delete(queue)
    assert (now(first).state, now(first).reason) == (State.UNKNOWN, "worker_lost")
    assert mail_server.recipients == ["k0@laden.example", "k1@laden.example"]
