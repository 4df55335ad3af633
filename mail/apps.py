"""Wires mail: what providers report, and what the timeline of a customer tells of it."""

from django.apps import AppConfig
from django.core import checks


class MailConfig(AppConfig):
    """The outbox and the letters kept as sent."""

    name = "mail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from anymail.signals import tracking

        from customers.timeline import register_source
        from datamap import erasing, quarantine
        from datamap.diagnosis import register_check
        from mail.delivering import doubt_waiting
        from mail.erasing import before_erasure
        from mail.happenings import SOURCES
        from mail.invariants import check_once
        from mail.own_templates import register_own
        from mail.providers import check_provider
        from mail.receiving import receive

        checks.register(check_provider)
        tracking.connect(receive, dispatch_uid="mail.receive")
        for source in SOURCES:
            register_source(source)
        register_own()
        erasing.register_before("mail", before_erasure)
        register_check("mails_once", check_once)
        quarantine.register_restored("mail", doubt_waiting)
