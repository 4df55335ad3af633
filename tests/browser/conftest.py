"""What tests in a real browser need: a worker at the real broker, people with every role, and a strict eye."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from playwright.sync_api import BrowserContext, Page, Request
from pytest_django.live_server_helper import LiveServer

from config.celery import app
from staff.models import Role, User
from tests.house import just_proved

ROOT = Path(__file__).resolve().parent.parent.parent
# The browser says which rule of the content policy a page breaks, also where nothing is blocked visibly.
REPORT_VIOLATIONS = """addEventListener("securitypolicyviolation", event =>
    console.error(`content policy: ${event.violatedDirective} ${event.blockedURI}`));"""


@pytest.fixture
def everybody(transactional_db: None) -> User:
    """Somebody with every role, who therefore sees every page."""
    return User.objects.create_user("alle@laden.example", name="Alma Allrecht", roles=list(Role.NAMES))


@pytest.fixture
def complaints() -> list[str]:
    """Every error that a watched page's console has shown."""
    return []


@pytest.fixture
def watched(browser_context: BrowserContext, complaints: list[str]) -> Page:
    """A tab whose console errors, faults of scripts and broken rules of the content policy are collected."""
    browser_context.add_init_script(REPORT_VIOLATIONS)
    page = browser_context.new_page()
    watch(page, complaints)
    return page


def watch(page: Page, complaints: list[str]) -> None:
    """Collect what this page complains about, with its address."""

    def heard(message: Any) -> None:
        # The browser says of every page with an error status that it has one: that is the page's business.
        if message.type == "error" and not message.text.startswith("Failed to load resource: the server"):
            complaints.append(f"{page.url}: {message.text}")

    def failed(request: Request) -> None:
        # Whoever leaves a page before it has all of its scripts has the browser let go of the rest: that is no fault.
        if request.failure != "net::ERR_ABORTED":
            complaints.append(f"{request.url}: {request.failure}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("requestfailed", failed)


@pytest.fixture
def enter(live_server: LiveServer) -> Callable[[BrowserContext, User], Client]:
    """Signs a user in, just now and without the pages for it; answers the client whose session the browser shares."""

    def go(context: BrowserContext, user: User) -> Client:
        client = Client()
        client.force_login(user)
        just_proved(client, user)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        return client

    return go


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker as in production, at the real broker, with a queue that only this test uses."""
    queue = f"obhut-{connection.settings_dict['NAME']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.browser.worker_settings",
        "DEBUG": "1",
        "OBHUT_DB_ROLE": "owner",
        "WORKER_DATABASE": json.dumps({"NAME": connection.settings_dict["NAME"]}),
        "WORKER_SEALED_ROOT": str(settings.SEALED_ROOT),
        "WORKER_QUEUE": queue,
    }
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency=1", "--loglevel=info"]
    log = tmp_path / "worker.log"
    before = _use_queue(app, queue)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, f"--queues={queue}", "--without-gossip", "--without-mingle"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        with app.connection_for_write() as broker:
            broker.default_channel.queue_delete(queue)
        _use_queue(app, before)


def _use_queue(celery: Celery, queue: str) -> str:
    """Send this process's tasks to that queue; answers the queue before."""
    before = celery.conf.task_default_queue
    celery.conf.task_default_queue = queue
    celery.__dict__.pop("amqp", None)  # it has read the old name
    return before


@pytest.fixture(autouse=True)
def _no_rate_limits_of_the_test_before() -> None:
    cache.clear()
