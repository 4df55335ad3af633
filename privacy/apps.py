"""Wires the rights of people over everything the floors below hold."""

from datetime import date

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    """Requests, erasure, packages, retention runs, accountability."""

    name = "privacy"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        self._wire_the_desk()
        self._wire_accountability()
        self._wire_erasure()

    def _wire_the_desk(self) -> None:
        """Requests, restrictions and objections: to the timeline, the holds, the journal, the outbox."""
        from django.db.models.signals import post_save

        from customers import objecting as objections
        from customers.timeline import TimelineSource, register_source
        from datamap.holds import register_case_source
        from datamap.journal import register_replay
        from datamap.models import Controller
        from mail import templates
        from privacy import (
            board,
            clock,
            closing,
            handling,
            letters,
            objecting,
            opencases,
            rectifying,
            restricting,
            returning,
        )
        from staff import handover

        register_source(
            TimelineSource(
                key="request",
                label=_("Privacy requests"),
                icon="shield",
                sql="SELECT 'request'::text, r.received_at, r.id, jsonb_build_object('kind', r.kind) "
                "FROM privacy_request r WHERE r.customer_id = %(customer)s",
                at="r.received_at",
                id="r.id",
                permission="privacy.view",
            )
        )
        register_case_source(
            "art18",
            _("Restriction"),
            opencases.ART18,
            _("The data are restricted (Art. 18 GDPR)."),
            night_only=True,
            kind="art18_hold",
            everyone=opencases.EVERY_ART18,
        )
        register_case_source(
            "art18_claims",
            _("Restriction"),
            opencases.ART18_CLAIMS,
            _("The person needs the data for claims and has had them restricted (Art. 18(1)(c) GDPR)."),
            kind="art18_hold",
            everyone=opencases.EVERY_ART18_CLAIMS,
        )
        register_case_source(
            "art18_speaker",
            _("Restriction"),
            opencases.ART18_SPEAKER,
            _("A contact person has had their data restricted (Art. 18 GDPR); they stand in this file."),
            kind="art18_hold",
            everyone=opencases.EVERY_ART18_SPEAKER,
        )
        register_case_source(
            "open_request",
            _("Open request"),
            opencases.OPEN_REQUEST,
            _("A request is not closed; its answer needs the data (Art. 12(3) GDPR)."),
            night_only=True,
        )
        register_case_source(
            "open_copy",
            _("Open request"),
            opencases.OPEN_COPY,
            _("A copy was asked for and has not been handed over: that comes before the erasure (Art. 15 GDPR)."),
            kind="open_request",
        )
        register_case_source(
            "open_request_speaker",
            _("Open request"),
            opencases.OPEN_REQUEST_SPEAKER,
            _("A request of a contact person is not closed; they stand in this file (Art. 12(3) GDPR)."),
            night_only=True,
            kind="open_request",
        )
        register_case_source(
            "open_copy_speaker",
            _("Open request"),
            opencases.OPEN_COPY_SPEAKER,
            _("A contact person has asked for a copy and does not have it yet (Art. 15 GDPR)."),
            kind="open_request",
        )
        register_replay("restriction_set", restricting.replay_set)
        register_replay("restriction_lifted", restricting.replay_lifted, loosens=True)
        register_replay("objection", objecting.replay)
        register_replay("objection_taken_back", objecting.replay_taken_back, loosens=True)
        objections.register_objecting(objecting.object_on_page)
        closing.register_open_point("letters", _("Letters"), returning.returned, returning.undelivered)
        closing.register_open_point("rest", _("Answer"), handling.rest_owed, handling.answered_in_part)
        closing.register_open_point(
            "rectification", _("Rectification"), rectifying.decisions_open, rectifying.undecided
        )
        closing.register_open_point(
            "restriction", _("Restriction"), restricting.undecided, restricting.decided_and_restricted
        )
        board.register_tasks()
        post_save.connect(clock.follow_calendar, sender=Controller, dispatch_uid="privacy.follow_calendar")
        letters.register_paragraphs("rectification", rectifying.told)
        handover.register(
            "privacy_requests", _("privacy requests"), board.open_work, board.hand_over_all, "privacy.requests"
        )
        templates.register(
            letters.TEMPLATE,
            _("Letter about a privacy request"),
            "letter",
            ("letter",),
            load=letters.load,
            sample={"letter_subject": _("Our answer to your request"), "letter_body": _("Dear Sir or Madam,")},
        )

    def _wire_accountability(self) -> None:
        """Holds that people set, recipients and what they are told, the tasks of the privacy role."""
        from datamap import erasing, standing
        from datamap.journal import register_replay
        from mail.delivering import register_sent
        from mail.events import register_reported
        from privacy import holds_again, notices, notifying, rectifying, remembering, returning
        from privacy.alerts import register_alerts
        from privacy.holding import holds_on, register_sources

        standing.register_holds(holds_on)
        register_sources()
        rectifying.register_after_rectification("notices", notices.after_rectification)
        erasing.register_restriction("privacy", notices.after_restriction)
        notifying.register_template()
        register_sent(notifying.follow_mails)
        register_reported(notifying.follow_mails)
        register_sent(returning.follow_mails)
        register_reported(returning.follow_mails)
        register_replay(remembering.KIND, remembering.replay)
        register_replay(holds_again.SET, holds_again.replay_set)
        register_replay(holds_again.RELEASED, holds_again.replay_released, loosens=True)
        register_alerts()

    def _wire_erasure(self) -> None:
        """Erasures: to the journal, the outbox, the desk; the notice before an account ends."""
        from datamap.diagnosis import register_check
        from datamap.holds import register_case_link
        from datamap.journal import register_replay
        from mail import gates, templates
        from privacy import invariants, reapplying, telling, warning

        register_check("erased", invariants.check_erased)

        register_replay("erasure", reapplying.replay_erasure)
        register_replay("contact_erasure", reapplying.replay_contact)
        # In doubt as well: whom the shop keeps can still be erased, and nobody can be brought back.
        register_replay("erasure_taken_back", reapplying.replay_taken_back)
        gates.register_gate(gates.EVERY_CLASS, reapplying.refuse_while_erasing)
        gates.register_gate("notice", warning.refuse_untrue)
        telling.register()
        templates.register(
            warning.TEMPLATE,
            _("Notice that an account ends"),
            "notice",
            ("since",),
            load=warning.load,
            sample={"since": date(2024, 11, 30), "period": ""},
        )
        register_case_link("privacy.Hold", order="order_number")
