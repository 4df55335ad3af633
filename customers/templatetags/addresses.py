"""How addresses and phone numbers are written for people."""

from __future__ import annotations

from django import template
from django.utils.translation import get_language

from customers.countries import country_name
from customers.reading import spaced

register = template.Library()
register.filter(spaced)


@register.filter
def country(code: str | None) -> str:
    """What people call the country NL: "Niederlande"; nothing stays nothing."""
    return country_name(code, (get_language() or "de")[:2]) if code else ""
