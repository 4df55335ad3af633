"""What templates need to look like the rest of the house: icons, money, dates, chips, the rail."""

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
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
    css = f"icon {css}".strip()
    href = f"{static('obhut/icons.svg')}#{name}"
    if label:
        svg = '<svg class="{}" width="16" height="16" role="img" aria-label="{}"><use href="{}"/></svg>'
        return format_html(svg, css, label, href)
    svg = '<svg class="{}" width="16" height="16" aria-hidden="true" focusable="false"><use href="{}"/></svg>'
    return format_html(svg, css, href)


@register.simple_tag
def chip(text: Any, tone: str = "") -> SafeString:
    """A status chip; tones: empty, plain, warn, stop, info."""
    return format_html('<span class="{}">{}</span>', f"chip {tone}".strip(), text)


@register.filter
def money(value: Any, currency: str = "EUR") -> str:
    """1482.9 as "1.482,90 €" in German, "€1,482.90" in English; nothing stays nothing."""
    if value is None or value == "":
        return ""
    try:
        amount = Decimal(value).quantize(Decimal("0.01"))
    except (InvalidOperation, TypeError, ValueError):
        return ""
    figures = formats.number_format(abs(amount), decimal_pos=2, use_l10n=True, force_grouping=True)
    minus = "\u2212" if amount < 0 else ""
    sign = SIGNS.get(currency or "EUR", currency)
    if (get_language() or "de").startswith("de"):
        return f"{minus}{figures}\u00a0{sign}"
    return f"{minus}{sign}{figures}" if len(sign) == 1 else f"{minus}{sign}\u00a0{figures}"


@register.filter
def day(value: Any) -> str:
    """A date as staff say it: today, yesterday, tomorrow, otherwise 18.11.2026."""
    on = local_date(value)
    if on is None:
        return ""
    named = {-1: gettext("yesterday"), 0: gettext("today"), 1: gettext("tomorrow")}
    return named.get((on - timezone.localdate()).days) or formats.date_format(on, "SHORT_DATE_FORMAT")


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


@register.inclusion_tag("partials/rail.html", takes_context=True)
def rail(context: template.Context) -> dict[str, Any]:
    """The main menu of the person signed in; the entry of the longest matching address is current."""
    request = context["request"]
    entries = entries_for(request.user)
    fits = [entry.url for entry in entries if request.path.startswith(entry.url)]
    current = max(fits, key=len, default="")
    if current == "/" and request.path != "/":
        current = ""
    return {"groups": grouped(entries), "current": current}


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
