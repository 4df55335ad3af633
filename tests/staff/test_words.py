"""Nobody is addressed with "du", also where the words are those of a package."""

from __future__ import annotations

import re
from pathlib import Path

import allauth
import polib
import pytest
from django.core import mail
from django.urls import reverse
from django.utils import translation

from staff.words import SAID_OTHERWISE

FAMILIAR = re.compile(r"\b(?:[Dd]u|[Dd]ich|[Dd]ir|[Dd]ein\w*|[Gg]ib|[Ll]ass)\b|[Bb]itte (?:kontaktiere|bestätige)\b")
CATALOG = Path(allauth.__file__).parent / "locale" / "de" / "LC_MESSAGES" / "django.po"
# Signing in with another service, or being one, is not installed.
ELSEWHERE = ("socialaccount/", "idp/")


def texts_of_allauth() -> list[str]:
    """What the parts of allauth that are installed say."""
    found = []
    for entry in polib.pofile(str(CATALOG)):
        places = [place for place, _line in entry.occurrences]
        if not entry.obsolete and any(not any(other in place for other in ELSEWHERE) for place in places):
            found.append(entry.msgid)
    return found


def test_no_text_of_the_sign_in_is_familiar_with_its_reader() -> None:
    texts = texts_of_allauth()
    assert len(texts) > 150
    with translation.override("de"):
        said = {text: translation.gettext(text) for text in texts}
    assert {text: german for text, german in said.items() if FAMILIAR.search(german)} == {}


def test_no_wording_is_kept_of_a_text_that_allauth_no_longer_has() -> None:
    assert set(SAID_OTHERWISE) <= set(texts_of_allauth())


@pytest.mark.django_db
def test_whoever_forgot_the_password_is_addressed_as_everywhere(client, agent) -> None:
    asked = client.get(reverse("account_reset_password")).content.decode()
    answer = client.post(reverse("account_reset_password"), {"email": agent.email}, follow=True).content.decode()
    (sent,) = mail.outbox
    for said in (asked, answer, sent.subject, sent.body):
        assert not FAMILIAR.search(said)
    assert "Geben Sie Ihre E-Mail-Adresse ein" in asked
    assert "Über den folgenden Link setzen Sie Ihr Passwort zurück." in sent.body
