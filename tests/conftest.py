"""Fixtures of the whole house: servers, sample data, the three people, the browser."""

import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from datamap import quarantine
from ops.embedded import start_services
from staff.models import Role, User
from tests.house import just_proved

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Debian's chromium in a container: no sandbox, no display, and no calls home.
BROWSER_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Start the embedded servers when no DATABASE_URL names others; they stay, as `make stop` ends them."""
    start_services()


@pytest.fixture(autouse=True)
def journal_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal of its own for every test, and for the processes it starts: databases are emptied between tests."""
    folder = tmp_path_factory.getbasetemp() / "journals" / secrets.token_hex(8)
    monkeypatch.setenv("JOURNAL_URL", folder.as_uri())
    monkeypatch.setattr(settings, "JOURNAL_URL", folder.as_uri())
    # Known to be no quarantine for the length of a test; what tests the quarantine asks anew.
    monkeypatch.setattr(quarantine, "watch", quarantine.Watch(until=math.inf))
    return folder


@pytest.fixture(autouse=True)
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test signs: what another has signed was of another ledger."""
    path = tmp_path_factory.getbasetemp() / "checkpoints" / f"{secrets.token_hex(8)}.txt"
    path.parent.mkdir(exist_ok=True)
    monkeypatch.setattr(settings, "CHECKPOINT_FILE", str(path))
    return path


@pytest.fixture(autouse=True)
def no_language_stays() -> None:
    """Begin in the language of the house: a page leaves the thread in that of its reader until the next request."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def no_files_stay() -> Iterator[None]:
    """Remove the files of a test with the rows that name them, as a database is emptied between tests."""
    yield
    for root in (settings.SEALED_ROOT, settings.MEDIA_ROOT):
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real payloads and data sets that lie beside a developer's checkout, not in it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("The sample data of ../shared/data is not on this machine.")
    return folder


@pytest.fixture
def manager(db: None) -> User:
    """Someone with the role that may do most of what the desk does."""
    return User.objects.create_user("manager@obhut.example", name="Manager", roles=[Role.MANAGER])


@pytest.fixture
def agent(db: None) -> User:
    """Someone of the customer service."""
    return User.objects.create_user("agent@obhut.example", name="Agent", roles=[Role.SERVICE])


@pytest.fixture
def outsider(db: None) -> User:
    """Someone who works here, has signed in and has no role at all."""
    return User.objects.create_user("outsider@obhut.example", name="Outsider")


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """Makes a client in which this user has signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def fresh(signed_in: Callable[[User], Client]) -> Callable[[User], Client]:
    """Makes a client in which this user gave the password a moment ago."""
    return lambda user: just_proved(signed_in(user), user)


@pytest.fixture
def manager_client(manager: User, signed_in: Callable[[User], Client]) -> Client:
    """The manager's browser, signed in."""
    return signed_in(manager)


@pytest.fixture
def agent_client(agent: User, signed_in: Callable[[User], Client]) -> Client:
    """The agent's browser, signed in."""
    return signed_in(agent)


@pytest.fixture
def outsider_client(outsider: User, signed_in: Callable[[User], Client]) -> Client:
    """The outsider's browser, signed in."""
    return signed_in(outsider)


def _browser_path() -> str:
    for name in BROWSERS:
        if found := shutil.which(name):
            return found
    downloads = Path.home() / ".cache" / "ms-playwright"
    for found in sorted(downloads.glob("chromium*/chrome-linux*/*")):
        if found.name in ("chrome", "headless_shell", "chrome-headless-shell"):
            return str(found)
    reason = "No Chromium or Chrome was found (Debian: apt-get install chromium)."
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run; its absence is a failure in CI."""
    path = _browser_path()
    # Playwright's loop runs in this thread, and Django would refuse every query of the test beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def browser_context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh profile: no cookies, German, the size of a desk screen."""
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield context
    context.close()


@pytest.fixture
def page(browser_context: BrowserContext) -> Page:
    """One empty tab."""
    return browser_context.new_page()
