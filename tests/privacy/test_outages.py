"""The database restarts under a page and under workers; the broker forgets everything (fault cases 11 and 13).

Each test has servers of its own, real web and worker processes, and asks `doctor` in the end.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from config.celery import app as celery_app
from customers.models import Customer
from mail.models import Message
from mail.sending import queue
from privacy.erasing import ask_erasure
from privacy.models import Erasure, RetentionRun
from privacy.purging import plan_run
from staff.models import User
from tests.mail.conftest import MailServer
from tests.privacy.making import make_contact, make_order, make_paper, make_person
from tests.private_servers import Postgres, Valkey, private_postgres, private_valkey, until

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 120
PROMISES = ("erased", "mails_once", "sealed_values", "journal", "quarantine")
# Each waits for a row that the test holds.
WAITS = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def environment(broker: Valkey, **more: str) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.privacy.outage_settings",
        "PROCESS_DATABASE": str(connection.settings_dict["NAME"]),
        "PROCESS_SEALED_ROOT": str(settings.SEALED_ROOT),
        "REDIS_URL": broker.url,
        "DEBUG": "1",
        **more,
    }


@contextmanager
def process(command: list[str], log: Path, given: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=settings.BASE_DIR,
            env=given,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGTERM)
        running.wait()


class Web:
    """A real web server, and one browser that is signed in or not."""

    def __init__(self, session: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        # Any token of 32 letters is as good as another, when form and cookie agree.
        self.token = secrets.token_hex(16)
        self.cookies = {settings.CSRF_COOKIE_NAME: self.token}
        if session:
            self.cookies[settings.SESSION_COOKIE_NAME] = session

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, dict[str, str], str]:
        """Status, headers and page."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode({"csrfmiddlewaretoken": self.token, **form})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as line:
            line.request("POST" if body else "GET", path, body, headers)
            with line.getresponse() as answer:
                return answer.status, dict(answer.getheaders()), answer.read().decode()

    def is_up(self) -> bool:
        try:
            return bool(self.ask("/healthz")[0])
        except OSError:
            return False


@contextmanager
def served(log: Path, given: dict[str, str], session: str = "") -> Iterator[Web]:
    web = Web(session)
    bind = ["--bind", f"127.0.0.1:{web.port}", "--workers", "1", "--threads", "2", "--no-control-socket"]
    with process(["gunicorn", "config.wsgi", *bind], log, given):
        until(web.is_up)
        yield web


@contextmanager
def worker(log: Path, given: dict[str, str]) -> Iterator[None]:
    command = ["celery", "-A", "config", "worker", "-Q", settings.CELERY_TASK_DEFAULT_QUEUE, "-c", "1", "-P", "solo"]
    with process([*command, "--without-gossip", "--without-mingle", "-l", "WARNING"], log, given):
        yield


def send(broker: Valkey, task: str, *arguments: Any) -> None:
    with celery_app.connection_for_write(broker.url) as line:
        celery_app.send_task(task, arguments, queue=settings.CELERY_TASK_DEFAULT_QUEUE, connection=line)


def sweep(broker: Valkey) -> None:
    """What beat sends at least every two minutes."""
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        if isinstance(entry["schedule"], float) and entry["schedule"] <= 120:
            send(broker, entry["task"])


def promises_hold(given: dict[str, str]) -> None:
    """The invariants of `doctor`."""
    told = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=settings.BASE_DIR, env=given, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    found = {check["name"]: check for check in json.loads(told.stdout)["checks"]}
    assert [found[name] for name in PROMISES if not found[name]["ok"]] == []


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_a_page_that_loses_its_database_answers_503_and_works_again_afterwards(tmp_path: Path, manager: User) -> None:
    make_person("4711")
    session, log = session_of(manager), tmp_path / "web.log"
    note = {"text": "ruft gern vormittags an"}
    with private_valkey(tmp_path) as broker, private_postgres() as database:
        given = environment(broker, **database.environment)
        with served(log, given, session) as web:
            assert web.ask("/customers/4711/note/")[0] == 200
            with ThreadPoolExecutor(1) as browser, database.holding("customers_customer"):
                answer = browser.submit(web.ask, "/customers/4711/note/", note)
                database.wait_for(WAITS)
                database.stop()
                status, headers, page = answer.result()
            assert (status, headers["Retry-After"]) == (503, "30"), log.read_text()[-2000:]
            assert "Obhut" in page and note["text"] not in page
            # While it is away every page says so.
            for path in ("/", "/customers/4711/note/", "/accounts/login/"):
                assert web.ask(path)[0] == 503, (path, log.read_text()[-2000:])
            assert web.ask("/healthz")[0] == 503
            database.start()
            assert database.value("SELECT count(*) FROM customers_note") == 0
            # The same process and the same session go on.
            assert web.ask("/customers/4711/note/", note)[0] == 302
            assert database.value("SELECT count(*) FROM customers_note") == 1
        promises_hold(given)
    assert note["text"] not in log.read_text()


def _half_done(database: Postgres) -> object:
    """Persons of whom some rows are there and some are not."""
    return database.value(
        "SELECT count(*) FROM customers_historicalcustomer h FULL JOIN customers_customer c ON c.id = h.id "
        "WHERE h.id IS NULL OR c.id IS NULL"
    )


def test_a_run_and_an_erasure_that_lose_their_database_are_ended_by_the_next_sweep(tmp_path: Path) -> None:
    for number in range(20):
        make_person(str(number), last_activity="2023-01-01")
    customer = make_person("4711")
    make_paper(make_order(customer, "2024-05-20"), "invoice", "2024-06-01")
    make_contact(customer, "2026-01-10")
    run = plan_run(date(2026, 11, 24), only="ACCOUNT")
    erasure = ask_erasure(customer)
    log = tmp_path / "worker.log"
    done = f"SELECT state = 'done' FROM privacy_retentionrun WHERE id = '{run.pk}'"
    erased = f"SELECT state = 'done' FROM privacy_erasure WHERE id = {erasure.pk}"
    with private_valkey(tmp_path) as broker, private_postgres() as database:
        given = environment(broker, **database.environment)
        with worker(log, given):
            for task, row, argument in (
                ("work_on_run", "customers_contactpoint", str(run.pk)),
                ("work_on_erasure", "interactions_interaction", erasure.pk),
            ):
                with database.holding(row):
                    send(broker, f"privacy.tasks.{task}", argument)
                    database.wait_for(WAITS)
                    database.stop()
                database.start()
                assert _half_done(database) == 0
            assert database.value("SELECT count(*) FROM customers_customer") == 21
            assert database.value("SELECT max(attempts) FROM privacy_retentionbatch") == 0
            # Where the worker could not even give the erasure back, its lease runs out.
            with database.connect() as later:
                later.execute("UPDATE privacy_erasure SET lease_until = now() - interval '1 second'")
            sweep(broker)
            database.wait_for(done)
            database.wait_for(erased)
        assert database.value("SELECT count(*) FROM customers_customer") == 0
        assert database.value("SELECT sum(count) FROM privacy_deletionlog WHERE model = 'customers.Customer'") == 21
        promises_hold(given)
    assert "laden.example" not in log.read_text() and "Kanarienvogel" not in log.read_text()


def test_a_broker_that_forgets_everything_costs_two_minutes_and_nothing_else(tmp_path: Path, manager: User) -> None:
    for number in range(3):
        make_person(str(number), last_activity="2023-01-01")
    customer, other = make_person("4711"), make_person("4712", last_activity="2024-11-30")
    run = plan_run(date(2026, 11, 24), only="ACCOUNT")
    erasure = ask_erasure(customer)
    mail = queue("account_ends", to=other, message_class="notice", context={"since": "2024-11-30"})
    server, log = MailServer(), tmp_path / "worker.log"
    server.start()
    session = session_of(manager)
    manager.set_password("ein langes Passwort")
    manager.save()
    session = session_of(manager)
    with private_valkey(tmp_path) as broker:
        given = environment(broker, PROCESS_SMTP_PORT=str(server.port))
        for task, argument in (("work_on_run", str(run.pk)), ("work_on_erasure", erasure.pk)):
            send(broker, f"privacy.tasks.{task}", argument)
        send(broker, "mail.tasks.deliver")
        assert broker.waiting(settings.CELERY_TASK_DEFAULT_QUEUE) == 3
        broker.forget()
        sweep(broker)
        with worker(log, given):
            until(lambda: RetentionRun.objects.get(pk=run.pk).state == RetentionRun.State.DONE)
            until(lambda: Erasure.objects.get(pk=erasure.pk).state == Erasure.State.DONE)
            until(lambda: Message.objects.get(pk=mail.pk).state == Message.State.SENT)
        server.stop()
        assert server.recipients == ["alma4712@laden.example"]
        assert list(Customer.objects.values_list("number", flat=True)) == ["4712"]

        with served(tmp_path / "web.log", given, session) as web:
            assert web.ask("/")[0] == 200
            broker.forget()
            assert web.ask("/")[0] == 200  # sessions are rows
            # Attempts that nobody can count are not let in, right or wrong.
            right = {"login": manager.email, "password": "ein langes Passwort"}
            stranger = Web()
            stranger.port = web.port
            broker.stop()
            for password in (right["password"], "falsch"):
                status, headers, _page = stranger.ask("/accounts/login/", right | {"password": password})
                assert (status, "Set-Cookie" in headers and settings.SESSION_COOKIE_NAME in headers["Set-Cookie"]) == (
                    503,
                    False,
                )
            broker.start()
            assert stranger.ask("/accounts/login/", right)[0] == 302
        promises_hold(given)
