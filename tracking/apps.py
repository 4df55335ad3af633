"""Wires visits into the floors below: what a withdrawal cuts, what ends with a person, what the journal brings back."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrackingConfig(AppConfig):
    """Devices and visits, with consent only."""

    name = "tracking"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from consents.reacting import register_change
        from customers.timeline import TimelineSource, register_source
        from datamap import erasing
        from datamap.diagnosis import register_check
        from datamap.ending import register_ending
        from datamap.journal import register_replay
        from tracking import cutting, invariants, showing
        from tracking.permitting import PURPOSE
        from vault.columns import register_list_column

        register_change(PURPOSE, "tracking", cutting.follow_consents)
        erasing.register_before("tracking", cutting.end_consents_of)
        erasing.register_objection("tracking", cutting.follow_objections)
        register_ending("tracking.Device", cutting.end_devices)
        register_replay("tracking_withdrawal", many=cutting.replay)
        register_list_column("tracking.Device", "key")
        register_list_column("tracking.DeviceConsent", "key")
        register_check("tracking", invariants.check_tracking)
        register_source(
            TimelineSource(
                key="web",
                label=_("Page visits"),
                icon="device",
                sql=showing.DAYS,
                at="w.at",
                id="w.id",
                permission="tracking.view",
                words=showing.day_words,
            )
        )
