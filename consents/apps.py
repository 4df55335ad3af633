"""Wires consents into the floors below: what ends with a person, what the journal brings back, what doctor asks."""

from django.apps import AppConfig


class ConsentsConfig(AppConfig):
    """Purposes, wordings, and the ledger of consents."""

    name = "consents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from consents import ending, intake, invariants, opening, undoing, withdrawing
        from consents.models import Record, State
        from customers import optins, summary
        from customers import undoing as imports
        from datamap import erasing
        from datamap.diagnosis import register_check
        from datamap.journal import register_replay
        from vault.columns import register_list_column

        post_migrate.connect(opening.install, sender=self, dispatch_uid="consents.opening")
        erasing.register_first("consents", ending.end_with_person)
        summary.register_contact(ending.note_calls)
        register_list_column("consents.State", "mark")
        register_replay("consent_withdrawal", many=withdrawing.replay)
        optins.register_ledger(
            optins.Ledger(
                judge=intake.judge,
                take=intake.take,
                overtaken=intake.overtaken,
                unsubscribed=intake.unsubscribed,
                touched=undoing.touched,
                take_back=undoing.take_back,
            )
        )
        imports.register(undoing.why_kept)
        imports.register_side_table(State)
        imports.register_side_table(Record)
        register_check("ledger", invariants.check_ledger)
        register_check("consent_states", invariants.check_states)
