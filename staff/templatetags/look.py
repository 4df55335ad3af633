"""What templates need to look like the rest of the house: icons, money, dates, chips, the frame of a page."""

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from datamap.navigation import MenuEntry, entries_for

register = template.Library()

GROUPS: tuple[str, ...] = ("", "privacy", "marketing", "settings")
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF"}
ALERTS = {"debug": "info", "error": "danger"}
ALERT_ICONS = {"success": "check", "warning": "warning", "danger": "warning"}


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """An icon of the sprite; without a label it is decoration and silent for screen readers."""
    if not label:
        return _decoration(name, css)
    svg = '<svg class="{}" width="16" height="16" role="img" aria-label="{}"><use href="{}"/></svg>'
    return format_html(svg, f"icon {css}".strip(), label, f"{_sprite()}#{name}")


# A page carries some thirty of these, the same ones every time. `typed`, because a safe string equals a plain one.
@lru_cache(maxsize=256, typed=True)
def _decoration(name: str, css: str) -> SafeString:
    svg = '<svg class="{}" width="16" height="16" aria-hidden="true" focusable="false"><use href="{}"/></svg>'
    return format_html(svg, f"icon {css}".strip(), f"{_sprite()}#{name}")


@lru_cache(maxsize=1)
def _sprite() -> str:
    """Asked once: the name of a static file with its digest does not change while the process lives."""
    return static("obhut/icons.svg")


@register.simple_tag
def chip(text: Any, tone: str = "") -> SafeString:
    """A status chip; tones: empty, plain, warn, stop, info."""
    return format_html('<span class="{}">{}</span>', f"chip {tone}".strip(), text)


@register.filter
def in_fours(text: str) -> str:
    """A long key as it is typed off: JBSW Y3DP EHPK 3PXP."""
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


@register.filter
def money(value: Any, currency: str = "EUR") -> str:
    """1482.9 as "1.482,90 €" in German, "€1,482.90" in English; nothing stays nothing."""
    if value is None or value == "":
        return ""
    try:
        amount = Decimal(value).quantize(Decimal("0.01"))
    except (InvalidOperation, TypeError, ValueError):
        return ""
    language = get_language()
    figures = _figures(abs(amount), language)
    minus = "\u2212" if amount < 0 else ""
    sign = SIGNS.get(currency or "EUR", currency)
    if (language or "de").startswith("de"):
        return f"{minus}{figures}\u00a0{sign}"
    return f"{minus}{sign}{figures}" if len(sign) == 1 else f"{minus}{sign}\u00a0{figures}"


def _figures(amount: Decimal, language: str | None) -> str:
    """An amount with two places as the language writes it: a page of prices would wait for Django's formatter."""
    point, thousands, grouping = _signs(language)
    if grouping != 3:
        return formats.number_format(amount, decimal_pos=2, use_l10n=True, force_grouping=True)
    whole, _point, places = f"{amount:,.2f}".partition(".")
    return f"{whole.replace(',', thousands)}{point}{places}"


@lru_cache(maxsize=16)
def _signs(_language: str | None) -> tuple[str, str, int]:
    """Decimal point, sign between thousands, and how many figures stand between two of them."""
    wanted = ("DECIMAL_SEPARATOR", "THOUSAND_SEPARATOR", "NUMBER_GROUPING")
    point, thousands, grouping = (formats.get_format(name) for name in wanted)
    return point, thousands, grouping


@register.filter
def day(value: Any) -> str:
    """A date as staff say it: today, yesterday, tomorrow, otherwise 18.11.2026."""
    on = local_date(value)
    if on is None:
        return ""
    away = (on - timezone.localdate()).days
    if -1 <= away <= 1:
        return (gettext("yesterday"), gettext("today"), gettext("tomorrow"))[away + 1]
    return short_date(on)


@register.filter
def short_date(on: date, language: str | None = None) -> str:
    """18.11.2026 or 18/11/2026; a list of fifty of them would wait for Django's formatter longer than for the rest,
    and for asking which language is spoken."""
    pattern = _day_pattern(language or get_language())
    if not pattern:
        return formats.date_format(on, "SHORT_DATE_FORMAT")
    return pattern.format(d=on.day, m=on.month, y=on.year)


@lru_cache(maxsize=16)
def _day_pattern(_language: str | None) -> str:
    """The language's short date as a pattern of Python's; "" where it holds more than day, month and year."""
    wanted = formats.get_format("SHORT_DATE_FORMAT")
    if re.search(r"[^dmjnY.,/ -]", wanted):
        return ""
    figures = {"d": "{d:02}", "m": "{m:02}", "j": "{d}", "n": "{m}", "Y": "{y:04}"}
    return "".join(figures.get(sign, sign) for sign in wanted)


@register.filter
def moment(value: Any) -> str:
    """An instant with its time of day: "today 10:12", "19.11.2026 10:12"."""
    if not isinstance(value, datetime):
        return day(value)
    return f"{day(value)} {formats.time_format(timezone.localtime(value), 'H:i')}"


def local_date(value: Any) -> date | None:
    """The calendar day of a date or instant in the shop's time zone."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value if isinstance(value, date) else None


@register.filter
def alert_tone(tag: str) -> str:
    """Bootstrap's name for the level of a message."""
    return ALERTS.get(tag, tag or "info")


@register.filter
def alert_icon(tag: str) -> str:
    """The icon that goes with the level of a message."""
    return ALERT_ICONS.get(alert_tone(tag), "info")


def kept_html(size: int) -> Any:
    """An lru_cache for rendered pieces, but not while templates are being worked on. Never for what is personal."""
    return lru_cache(maxsize=0 if settings.DEBUG else size)


@register.simple_tag
def head(theme: str = "") -> SafeString:
    """Metadata and stylesheets, which differ by theme alone."""
    return _head(theme or "")


@kept_html(8)
def _head(theme: str) -> SafeString:
    return SafeString(render_to_string("partials/head.html", {"theme": theme}))


@register.simple_tag(takes_context=True)
def rail(context: template.Context) -> SafeString:
    """The main menu of the person signed in; current is the entry whose argument the address has, else that of the
    longest matching address."""
    request = context["request"]
    entries = entries_for(request.user)
    arguments = request.resolver_match.kwargs if request.resolver_match else {}
    fits = [entry.url for entry in entries if request.path.startswith(entry.url)]
    current = next((entry.url for entry in entries if entry.argument in arguments), max(fits, key=len, default=""))
    if current == "/" and request.path != "/":
        current = ""
    return _rail(tuple(entries), current, get_language())


# Entries carry their words, address and figure: people with the same menu and the same figures share its HTML.
@kept_html(256)
def _rail(entries: tuple[MenuEntry, ...], current: str, _language: str | None) -> SafeString:
    return SafeString(render_to_string("partials/rail.html", {"groups": grouped(list(entries)), "current": current}))


@register.simple_tag(takes_context=True)
def bar(context: template.Context) -> SafeString:
    """Search box and personal menu. What belongs to one person or request is put in afterwards, never kept."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return _bar(None, get_language())[0]
    own = {_PATH: escape(request.path), _NAME: escape(user.name), _TOKEN: str(context.get("csrf_token", ""))}
    parts = _bar((user.theme, user.language), get_language())
    return SafeString("".join([own.get(part, part) for part in parts]))


# The places of what differs. The kept HTML is cut there once; nothing is ever looked for in what a person typed.
_PATH, _NAME, _TOKEN = "\0path\0", "\0name\0", "\0token\0"


@kept_html(32)
def _bar(chosen: tuple[str, str] | None, _language: str | None) -> list[SafeString]:
    """The bar's HTML, cut at the places of what differs by person."""
    theme, language = chosen or ("", "")
    user = {"name": _NAME, "theme": theme, "language": language, "is_authenticated": bool(chosen)}
    context = {"request": {"user": user, "path": _PATH}, "csrf_token": _TOKEN}
    html = render_to_string("partials/bar.html", context)
    return [SafeString(part) for part in re.split(f"({_PATH}|{_NAME}|{_TOKEN})", html)]


def grouped(entries: list[MenuEntry]) -> list[dict[str, Any]]:
    """Entries by group: daily work first and without a heading, unknown groups before the settings."""
    headings = {
        "privacy": gettext("Privacy"),
        "marketing": gettext("Marketing and more"),
        "settings": gettext("Settings"),
    }
    found = dict.fromkeys([*GROUPS, *map(known, entries)])
    names = [name for name in found if name != "settings"] + ["settings"]
    groups = [
        {"heading": headings.get(name, name), "entries": [entry for entry in entries if known(entry) == name]}
        for name in names
    ]
    return [group for group in groups if group["entries"]]


def known(entry: MenuEntry) -> str:
    """The group of an entry; "main" and "work" are the one without a heading."""
    return "" if entry.group in {"main", "work"} else entry.group
