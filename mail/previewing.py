"""Fills a template with sample values, for staff who want to know what people read."""

from __future__ import annotations

from django.utils import translation

from customers.models import Customer
from datamap.controlling import controller
from mail.composing import Text, fill
from mail.headers import sample_values
from mail.templates import MailTemplate


def preview(template: MailTemplate, language: str) -> Text:
    """The words of a template for an invented customer; a name stands for every field without a sample."""
    customer = Customer(number="10001", first_name="Alex", last_name="Muster", language=language)
    values = {name: f"[{name}]" for name in template.fields} | sample_values(template.message_class)
    with translation.override(language):  # samples may be lazy texts
        return fill(template, {"customer": customer, "controller": controller(), **values, **template.sample}, language)
