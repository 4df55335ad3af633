"""How service figures are written: spans of time, shares, names of contact types."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils.translation import gettext as _

from interactions.models import Interaction

register = template.Library()


@register.filter
def span(value: timedelta | None) -> str:
    """A span as staff say it: minutes, hours, then days; a dash for none."""
    if value is None:
        return "–"
    minutes = round(value.total_seconds() / 60)
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)d h") % {"n": round(minutes / 60)}
    return _("%(n)d days") % {"n": round(minutes / 60 / 24)}


@register.filter
def kind_label(value: str) -> str:
    """The name of a contact type."""
    return str(dict(Interaction.Kind.choices).get(value, value))


@register.filter
def figure(counts: dict[str, int], key: str) -> int:
    """The count under a key, 0 where there is none."""
    return counts.get(key, 0)


@register.filter
def share(value: int, most: int) -> int:
    """A hundredth of the largest value, for the length of a bar."""
    return round(100 * value / most) if most else 0
