"""The look: contrast of the tokens, no inline style or script, icons that exist, figures and dates."""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext

from datamap.navigation import ICONS
from staff.models import User
from staff.templatetags.look import day, icon, money, short_date

ROOT = Path(__file__).resolve().parent.parent
CSS = ROOT / "static" / "obhut"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# Text on ground, as the classes pair them.
PAIRS = [
    ("ink", "ground"),
    ("ink", "paper"),
    ("ink", "tint"),
    ("soft", "ground"),
    ("soft", "paper"),
    ("soft", "tint"),
    ("brand", "paper"),
    ("brand", "ground"),
    ("brand", "tint"),
    ("brand-ink", "brand"),
    ("amber", "amber-tint"),
    ("amber", "paper"),
    ("red", "red-tint"),
    ("red", "paper"),
    ("red", "ground"),
    ("paper", "red"),
    ("blue", "blue-tint"),
    ("blue", "paper"),
    ("rail-ink", "rail"),
    ("rail-ink", "rail-on"),
]


def tokens(name: str) -> dict[str, str]:
    """The colors of the first block of tokens of a stylesheet."""
    return dict(re.findall(r"--ob-([a-z-]+):\s*(#[0-9a-f]{6});", (CSS / name).read_text()))


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2.2."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_contrast_formula_is_that_of_wcag() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("sheet", ["obhut.css", "dark.css"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_is_readable_in_both_themes(sheet: str, text: str, ground: str) -> None:
    colors = tokens(sheet)
    assert contrast(colors[text], colors[ground]) >= 4.5


@pytest.mark.parametrize("sheet", ["obhut.css", "dark.css"])
@pytest.mark.parametrize("ground", ["paper", "ground"])
def test_the_border_of_a_field_is_seen(sheet: str, ground: str) -> None:
    colors = tokens(sheet)
    assert contrast(colors["field"], colors[ground]) >= 3  # WCAG 1.4.11


def test_dark_sets_every_color_that_light_sets() -> None:
    assert set(tokens("obhut.css")) == set(tokens("dark.css"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_carries_inline_style_or_script(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "javascript:" not in text
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in tag or 'type="application/json"' in tag


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_icon_of_a_template_is_in_the_sprite(template: Path) -> None:
    sprite = (CSS / "icons.svg").read_text()
    for name in re.findall(r"{%\s*icon\s+[\"']([a-z-]+)[\"']", template.read_text()):
        assert f'id="{name}"' in sprite


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(ROOT / "templates").as_posix())
def test_the_way_back_is_drawn_with_an_arrow(template: Path) -> None:
    links = re.findall(r'<a class="back[^>]*>(.{0,30})', template.read_text())
    assert [link for link in links if 'icon "arrow-left"' not in link] == []


def test_every_icon_of_the_menu_is_in_the_sprite() -> None:
    sprite = (CSS / "icons.svg").read_text()
    assert [name for name in sorted(ICONS) if f'id="{name}"' not in sprite] == []


def test_a_name_put_into_the_kept_bar_is_escaped_and_kept_for_nobody_else(rf) -> None:
    bar = Template("{% load look %}{% bar %}")

    def shown(name: str, path: str = "/") -> str:
        request = rf.get(path)
        request.user = User(name=name)
        return bar.render(Context({"request": request, "csrf_token": "tokentoken"}))

    assert "&lt;b&gt;Anna" in shown("<b>Anna")
    other = shown("Zoë", "/\0name\0/")
    assert "Zoë" in other
    assert "Anna" not in other
    assert other.count("tokentoken") == shown("Anna").count("tokentoken") > 0


@pytest.mark.parametrize(("language", "written"), [("de", "09.03.2026"), ("en", "09/03/2026")])
def test_a_short_date_is_written_as_the_language_is_written_in_europe(language: str, written: str) -> None:
    on = date(2026, 3, 9)
    with translation.override(language):
        assert short_date(on) == date_format(on, "SHORT_DATE_FORMAT") == written


def test_an_icon_without_a_label_is_silent_and_with_one_it_speaks() -> None:
    assert 'aria-hidden="true"' in icon("home")
    assert 'aria-label="&lt;b&gt;"' in icon("home", "<b>")


@pytest.mark.parametrize(
    ("language", "amount", "currency", "shown"),
    [
        ("de", Decimal("1482.90"), "EUR", "1.482,90\u00a0€"),
        ("de", Decimal("-39.9"), "EUR", "\u221239,90\u00a0€"),
        ("de", Decimal("5"), "CHF", "5,00\u00a0CHF"),
        ("en", Decimal("18930"), "EUR", "€18,930.00"),
        ("en", Decimal("5"), "CHF", "CHF\u00a05.00"),
        ("de", None, "EUR", ""),
        ("de", "abc", "EUR", ""),
    ],
)
def test_money_is_written_as_in_the_language(language: str, amount: object, currency: str, shown: str) -> None:
    with translation.override(language):
        assert money(amount, currency) == shown


def test_days_near_today_have_names() -> None:
    today = timezone.localdate()
    assert day(today) == gettext("today")
    assert day(today - timedelta(days=1)) == gettext("yesterday")
    with translation.override("de"):
        assert day(today.replace(year=2019, month=3, day=14)) == "14.03.2019"


def test_messages_show_with_their_tone() -> None:
    class Message:
        level_tag = "error"

        def __str__(self) -> str:
            return "<b>no</b>"

    page = Template('{% include "partials/messages.html" %}').render(Context({"messages": [Message()]}))
    assert "alert-danger" in page
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("code", ["500", "503"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_error_pages_need_neither_request_nor_database(code: str, language: str) -> None:
    with translation.override(language):
        page = render_to_string(f"{code}.html")
    assert f'lang="{language}"' in page
    assert "ob-plain" in page


def test_a_form_without_its_token_gets_a_page_of_the_house(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x", "password": "y"})
    assert answer.status_code == 403
    assert "ob-plain" in answer.text
