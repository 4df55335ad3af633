from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InteractionsConfig(AppConfig):
    name = "interactions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from interactions.followups import hand_over_all, open_work
        from staff import handover

        handover.register("followups", _("follow-ups"), open_work, hand_over_all)
