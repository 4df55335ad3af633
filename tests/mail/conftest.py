"""A real mail server, and a registry that forgets what a test put into it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pytest_django.fixtures import Settings

from mail.gates import ASKED_FIRST, gates_temporarily
from mail.models import Enclosure
from mail.templates import templates_temporarily

TEMPLATES = Path(__file__).parent / "templates"


class Handler:
    """Takes every mail unless told otherwise; what it has taken stands in `accepted`."""

    def __init__(self) -> None:
        self.accepted: list[tuple[str, EmailMessage]] = []
        self.answers: dict[str, list[str]] = {}  # to an address, one after the other
        self.to_data = "250 2.0.0 taken"
        self.when_taken: Callable[[], None] = lambda: None
        self.breaks_at = ""

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.breaks_at == "MAIL":
            server.transport.abort()
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        waiting = self.answers.get(address)
        if waiting:
            return waiting.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.to_data.startswith("2"):
            mail: Any = message_from_bytes(envelope.content, policy=policy.default)
            self.accepted.append((envelope.rcpt_tos[0], mail))
        self.when_taken()
        if self.breaks_at == "DATA":
            server.transport.abort()
        return self.to_data

    @property
    def recipients(self) -> list[str]:
        """Whom the accepted mails were for, in order."""
        return [to for to, _mail in self.accepted]


class MailServer(Handler):
    """A handler with the thread it runs in."""

    def __init__(self) -> None:
        super().__init__()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, decode_data=False)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    """A mail server that this test's mails go to."""
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "mail.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield server
    server.stop()


@pytest.fixture
def _probes(settings: Settings) -> Iterator[None]:
    """Templates and gates of a test are forgotten afterwards."""
    templates = [settings.TEMPLATES[0] | {"DIRS": [*settings.TEMPLATES[0]["DIRS"], TEMPLATES]}]
    settings.TEMPLATES = templates
    with gates_temporarily(), templates_temporarily():
        yield


@pytest.fixture(autouse=True)
def _alone(_probes: None) -> Iterator[None]:
    """This app by itself: whether advertising is allowed is known by apps above."""
    with gates_temporarily(without=ASKED_FIRST):
        yield


@pytest.fixture(autouse=True)
def sealed_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Enclosures of a test stay in its own folder."""
    root = tmp_path / "sealed"
    storage = Enclosure._meta.get_field("file").storage
    for kept in ("location", "base_location"):
        monkeypatch.setitem(storage.__dict__, kept, str(root / storage.label))
    return root
