"""Wires consents into the floors below: what ends with a person, what the journal brings back, what doctor asks."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _


class ConsentsConfig(AppConfig):
    """Purposes, wordings, and the ledger of consents."""

    name = "consents"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.db.models.signals import post_migrate

        from consents import (
            birthdays,
            checks,
            ending,
            gates,
            invariants,
            opening,
            opt_in_mail,
            opting_in,
            receipting,
            sale_ends,
            sales,
            seed,
            storing,
            texts,
            undoing,
            unsubscribing,
            withdrawing,
        )
        from consents.reacting import register_change
        from customers import placing, selling, summary, withdrawals
        from customers.timeline import TimelineSource, register_source
        from datamap import erasing
        from datamap.diagnosis import register_check
        from datamap.journal import register_replay
        from mail.delivering import register_sent
        from vault.columns import register_list_column

        register(checks.check_links, Tags.security, deploy=True)
        post_migrate.connect(opening.install, sender=self, dispatch_uid="consents.opening")
        post_migrate.connect(storing.install, sender=self, dispatch_uid="consents.storing")
        post_migrate.connect(seed.plant, sender=self, dispatch_uid="consents.seed")
        register_change(birthdays.PURPOSE, "consents", birthdays.follow_consents)
        erasing.register_first("consents", ending.end_with_person)
        summary.register_contact(ending.note_calls)
        register_list_column("consents.State", "mark")
        register_replay("consent_withdrawal", many=withdrawing.replay)
        withdrawals.register_withdrawals(withdrawing.has_withdrawn)
        undoing.register()
        receipting.register()
        selling.register_sales(sales.note_sales)
        selling.register_undone(sale_ends.note_undone)
        register_check("ledger", invariants.check_ledger)
        register_check("consent_states", invariants.check_states)
        erasing.register_before("consents", opting_in.forget_pending)
        gates.register_gates()
        register_sent(gates.note_sent)
        unsubscribing.register_ways_out()
        opt_in_mail.register_mail()
        placing.register_keeper(placing.TextKeeper(texts.due_here, texts.keep_passage, texts.kept_of_order))
        register_source(
            TimelineSource(
                key="consent",
                label=_("Consents"),
                icon="check",
                sql="SELECT 'consent'::text, r.occurred_at, r.entry_id, jsonb_build_object('kind', r.kind) "
                "FROM consents_record r WHERE r.customer_id = %(customer)s AND r.blocked_at IS NULL",
                at="r.occurred_at",
                id="r.entry_id",
                permission="consents.view",
            )
        )
