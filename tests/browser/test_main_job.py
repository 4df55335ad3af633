"""The main job of the shop's staff in one walk: sign in, bring customers, find one, note a call, see what is due."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from customers.models import Customer
from intake.models import Batch
from interactions.models import FollowUp
from staff.models import Role, User
from tests.staff.conftest import PASSWORD, SECRET, totp_code

SLOW = 60_000  # a machine that starts a worker and a browser at once
FILE = """Kundennummer;Vorname;Nachname;E-Mail;Telefon;Straße;PLZ;Ort;Land
A-1;Jürgen;Größenwahn-Lüders;juergen.lueders@laden.example;+49 40 1234567;Große Bleichen 8;20354;Hamburg;DE
A-2;Zoë;Brandt;zoe.brandt@laden.example;;Am Deich 4;28195;Bremen;DE
A-3;Anna;Weiß;anna.weiss@laden.example;;Hauptstraße 1;50667;Köln;DE
"""


@pytest.fixture
def nora(transactional_db: None, settings: Any) -> User:
    """The manager, with password and authenticator app as production asks for."""
    settings.STAFF_MFA_REQUIRED = True
    roles = [Role.MANAGER, Role.SERVICE]
    user = User.objects.create_user("nora@laden.example", PASSWORD, name="Nora Nilsson", roles=roles)
    TOTP.activate(user, SECRET)
    return user


def test_from_sign_in_to_the_call_that_is_due(
    live_server: LiveServer,
    watched: Page,
    nora: User,
    worker: subprocess.Popen[bytes],
    complaints: list[str],
    tmp_path: Path,
) -> None:
    page = watched
    expect.set_options(timeout=SLOW)
    page.goto(live_server.url)
    sign_in(page, nora)
    import_customers(page, tmp_path)
    find(page, "größenwahn")
    note_a_call(page, "Fragt nach Espressobohnen für das Büro.", "Angebot schicken")
    see_what_is_due(page, "Angebot schicken")
    assert complaints == []
    assert worker.poll() is None


def sign_in(page: Page, user: User) -> None:
    page.fill("[name=login]", user.email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.fill("[name=code]", totp_code())
    page.press("[name=code]", "Enter")
    expect(page.locator("#ob-search")).to_be_visible()


def import_customers(page: Page, folder: Path) -> None:
    file = folder / "kunden.csv"
    file.write_text(FILE, encoding="utf-8")
    page.click(f'.ob-rail a[href="{reverse("intake:list")}"]')
    page.locator(f'main a[href="{reverse("intake:upload")}"]').first.click()
    page.set_input_files("[name=file]", file)
    page.click("main form .btn-primary")
    # The columns are recognized by their German names and only need a nod.
    expect(page.locator("select[name^=column]").first).to_be_visible()
    page.click("main form[method=post] .btn-primary")
    batch = Batch.objects.get()
    start = page.locator(f'form[action="{reverse("intake:start", args=[batch.pk])}"] .btn-primary')
    expect(start).to_be_visible()  # the preview, made by the worker
    assert Customer.objects.count() == 0
    start.click()
    expect(page.locator(f'a[href="{reverse("intake:undo", args=[batch.pk])}"]')).to_be_visible()
    batch.refresh_from_db()
    assert (batch.state, batch.counts["created"]) == (Batch.State.DONE, 3)


def find(page: Page, words: str) -> None:
    page.keyboard.press("/")
    expect(page.locator("#ob-search")).to_be_focused()
    page.keyboard.type(words)
    page.keyboard.press("Enter")
    page.locator("main a", has_text="Größenwahn-Lüders").click()
    assert words not in page.url
    expect(page.locator("h1")).to_contain_text("Jürgen")
    expect(page.locator("main")).to_contain_text("juergen.lueders@laden.example")


def note_a_call(page: Page, content: str, step: str) -> None:
    page.locator('main a[href*="kind=call"]').click()
    page.fill("[name=content]", content)
    page.fill("[name=next_step]", step)
    page.fill("[name=due_on]", timezone.localdate().isoformat())
    page.click("main form .btn-primary")
    expect(page.locator(".timeline")).to_contain_text(content)
    assert FollowUp.objects.get().due_on == timezone.localdate()


def see_what_is_due(page: Page, step: str) -> None:
    page.click(f'.ob-rail a[href="{reverse("interactions:followups")}"]')
    row = page.locator("tbody tr", has_text=step)
    expect(row).to_contain_text("Größenwahn-Lüders")
    page.click(f'.ob-rail a[href="{reverse("portal:dashboard")}"]')
    expect(page.locator("main li", has_text=step)).to_be_visible()
