"""No form of the house answers with a fault, whatever text stands in its fields."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client

from staff.models import Role, User
from tests.house import just_proved, shown_pages
from tests.shop import open_shop

pytestmark = pytest.mark.django_db

ODD = [
    "9" * 400, "x" * 30_000, "-1", "99999999999999999999", "1e999", "NaN", "2026-02-30", "9999-12-31", "0001-01-01",
    "\u202e", "٣", "²", "a\0b", "田中",
]  # fmt: skip
TYPED = {"text", "search", "email", "tel", "url", "password", "number", "date", "datetime-local", "time", "textarea"}


@dataclass
class Field:
    """A field as a page shows it: its kind, its name, what stands in it, and what may be chosen."""

    kind: str
    name: str
    value: str = ""
    ticked: bool = False
    options: list[str] = field(default_factory=list)


@dataclass
class Form:
    """A form of a page."""

    action: str
    method: str
    fields: list[Field] = field(default_factory=list)

    def filled(self, dice: random.Random, texts: list[str], *, odd: float) -> dict[str, Any]:
        """What a browser would send; `odd` is the share of typed fields that hold one of the texts."""
        data: dict[str, Any] = {}
        for one in self.fields:
            if one.kind in TYPED:
                data[one.name] = dice.choice(texts) if dice.random() < odd else one.value
            elif one.kind in ("checkbox", "radio"):
                if one.ticked or dice.random() < 0.4:
                    data.setdefault(one.name, []).append(one.value or "on")
            elif one.kind == "select":
                data[one.name] = dice.choice([*one.options, *([dice.choice(texts)] if odd == 1 else [])] or [""])
            elif one.kind == "file":
                content = dice.choice(texts).encode("utf-8", "surrogatepass")
                # A browser sends the last part of a path, and Django takes no file without one.
                name = dice.choice(texts)[:80].rpartition("/")[2]
                data[one.name] = SimpleUploadedFile(name if name.strip(".") else "x", content)
            elif one.kind == "hidden" or dice.random() < 0.5:  # one of several buttons
                data[one.name] = one.value
        data.pop("csrfmiddlewaretoken", None)
        return data


class Forms(HTMLParser):
    """Reads the forms of a page."""

    def __init__(self, url: str, page: str) -> None:
        super().__init__()
        self.url = url
        self.forms: list[Form] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(said.get("action") or self.url, said.get("method", "get").lower()))
        elif tag == "option" and self.forms and self.forms[-1].fields:
            self.forms[-1].fields[-1].options.append(said.get("value", ""))
        elif tag in ("input", "select", "textarea", "button") and self.forms and said.get("name"):
            kind = said.get("type", "text") if tag == "input" else tag
            self.forms[-1].fields.append(Field(kind, said["name"], said.get("value", ""), "checked" in said))


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> tuple[Client, User]:
    """A shop with its days, and somebody who may do everything; a fault is an answer here."""
    # Whoever closes an answer would close the connection, and with it the transaction of the test.
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    user = User.objects.create_user("alle@laden.example", name="Alma", roles=list(Role.NAMES))
    client = Client()
    open_shop(client, user, customers=30)
    client.raise_request_exception = False
    return client, user


def forms_of(client: Client) -> dict[tuple[str, ...], Form]:
    """The forms of all pages, each once however many pages show it."""
    found: dict[tuple[str, ...], Form] = {}
    for _name, url in list(shown_pages(client)):
        for form in Forms(url, client.get(url).content.decode()).forms:
            names = (one.name for one in form.fields)
            found.setdefault((form.action.split("?")[0], form.method, *names), form)
    return {key: form for key, form in found.items() if "logout" not in form.action}


def test_no_text_in_any_form_is_answered_with_a_fault(shop: tuple[Client, User], shared_data: Path) -> None:
    client, user = shop
    texts = json.loads((shared_data / "sets" / "blns.json").read_text()) + ODD
    dice, faults = random.Random(1), []
    forms = forms_of(client)
    for form in forms.values():
        for odd in (1, 0.3):
            data = form.filled(dice, texts, odd=odd)
            with transaction.atomic():
                here = transaction.savepoint()
                answer = _send(client, form, data)
                transaction.savepoint_rollback(here)
            if answer.status_code >= 500:
                faults.append((form.action, repr(answer.exc_info[1] if answer.exc_info else "")[:200], data))
            client.force_login(user)
            just_proved(client, user)
    assert len(forms) > 100
    assert not faults


def _send(client: Client, form: Form, data: dict[str, Any]) -> Any:
    if form.method == "post":
        return client.post(form.action, data)
    return client.get(form.action, {name: value for name, value in data.items() if not hasattr(value, "read")})


def test_no_choice_is_a_row_of_dashes(shop: tuple[Client, User]) -> None:
    """Whoever looks at a choice that is still to be made reads so, or what it means to make none."""
    client, _user = shop
    mute = [url for _name, url in list(shown_pages(client)) if "---------" in client.get(url).content.decode()]
    assert mute == []
