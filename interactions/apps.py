"""Wires contacts into the floors below: the timeline, and the work a leaving colleague hands over."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InteractionsConfig(AppConfig):
    """Every call, mail, chat, visit and letter."""

    name = "interactions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from customers.timeline import TimelineSource, register_source
        from datamap import holds
        from interactions import complaining
        from interactions.followups import hand_over_all, open_work
        from staff import handover

        handover.register("followups", _("follow-ups"), open_work, hand_over_all, "interactions.log")
        handover.register(
            "complaints",
            _("open complaints"),
            complaining.open_work,
            complaining.hand_over_all,
            "interactions.log",
        )
        register_source(
            TimelineSource(
                key="contact",
                label=_("Contacts"),
                icon="chat",
                sql="SELECT 'contact'::text, i.occurred_at, i.id, jsonb_build_object('kind', i.kind) "
                "FROM interactions_interaction i WHERE i.customer_id = %(customer)s AND i.blocked_at IS NULL",
                at="i.occurred_at",
                id="i.id",
                permission="interactions.view",
            )
        )
        register_source(
            TimelineSource(
                key="complaint",
                label=_("Complaints"),
                icon="warning",
                sql="SELECT 'complaint'::text, c.opened_at, c.id, jsonb_build_object('state', c.state) "
                "FROM interactions_complaint c WHERE c.customer_id = %(customer)s AND c.blocked_at IS NULL",
                at="c.opened_at",
                id="c.id",
                permission="interactions.view",
            )
        )
        holds.register_case_source(
            "claim",
            _("Open complaint"),
            complaining.OPEN_CASES,
            _("A complaint is not settled (Art. 17(3)(e) GDPR)."),
            kind="claim_hold",
            everyone=complaining.EVERY_OPEN_CASE,
        )
        holds.register_case_link("interactions.Complaint", order="order_number", complaint="self")
        holds.register_case_link("interactions.Interaction", order="order_number", complaint="complaint")
