"""Wires the people: what happened with a customer, as far as this app knows it."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """The person and everything that identifies them."""

    name = "customers"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.utils.translation import gettext_lazy as _

        from customers import claims, indexing, suppression, tombstones
        from customers.timeline import TimelineSource, register_source
        from datamap import erasing
        from datamap.ending import register_ending
        from datamap.journal import register_replay
        from vault.columns import register_list_column

        register_replay("suppression", many=suppression.replay)
        # It loosens: an end that was perhaps rolled back ends nothing.
        register_replay("suppression_ended", many=suppression.replay_ends, loosens=True)
        register_replay("tombstone", many=tombstones.replay)

        register_source(
            TimelineSource(
                key="note",
                label=_("Notes"),
                icon="edit",
                sql="SELECT 'note'::text, n.created_at, n.id, jsonb_build_object('author', n.author_id) "
                "FROM customers_note n WHERE n.customer_id = %(customer)s",
                at="n.created_at",
                id="n.id",
            )
        )
        erasing.register_before("customers", indexing.forget_words)
        register_ending("customers.OptInClaim", claims.end_claims)
        for model, column in (("Suppression", "endpoint"), ("Tombstone", "mark"), ("HeldIntake", "fingerprint")):
            register_list_column(f"customers.{model}", column)
