"""The usual way to import customers: django-import-export with a Resource that stores what ours stores."""

from __future__ import annotations

from typing import Any

from import_export import resources
from tablib import Dataset

from benchmarks.people import HEADER
from customers import indexing, numbering, reading
from customers.models import Address, ContactPoint, Customer, ExternalId, SearchEntry, Summary

PLATFORM = "bench-usual"


class CustomerResource(resources.ModelResource):
    """One customer a row, found by external id or by e-mail; related rows are saved after it, each with its history."""

    class Meta:
        model = Customer
        fields = ("salutation", "first_name", "last_name", "birthday_day", "birthday_month", "registered_at")
        import_id_fields = ()

    def before_import_row(self, row: dict[str, Any], **kwargs: Any) -> None:
        row["salutation"] = reading.read_salutation(row["salutation"]) or ""
        row["birthday_day"], row["birthday_month"] = reading.read_birthday(row["birthday"]) or (None, None)
        row["registered_at"] = row["registered_at"].replace("T", " ")[:19]

    def get_instance(self, instance_loader: Any, row: dict[str, Any]) -> Customer | None:
        known = (
            ExternalId.objects.filter(platform=PLATFORM, value=row["external_id"]).select_related("customer").first()
        )
        if known:
            return known.customer
        accounts = Customer.objects.filter(
            status="account", contact_points__whole_index=row["email"], contact_points__kind="email"
        ).exclude(external_ids__platform=PLATFORM)
        found = list(accounts.distinct()[:2])
        return found[0] if len(found) == 1 else None

    def before_save_instance(self, instance: Customer, row: dict[str, Any], **kwargs: Any) -> None:
        instance.number = instance.number or numbering.next_number()

    def after_save_instance(self, instance: Customer, row: dict[str, Any], **kwargs: Any) -> None:
        """The address, contact points, id, search entry and summary."""
        ExternalId.objects.get_or_create(customer=instance, platform=PLATFORM, value=row["external_id"])
        address = instance.addresses.filter(kind="billing").first() or Address(customer=instance)
        country = reading.read_country(row["country"]) or ""
        address.street, address.city, address.country = row["street"], row["city"], country
        address.postcode = reading.pad_postcode(row["postcode"], country)
        address.full_clean(validate_unique=False)
        address.save()
        for kind, value in (
            ("email", row["email"]),
            ("phone", reading.read_phone(row["phone"]) or row["phone"]),
        ):
            point = instance.contact_points.filter(kind=kind).first() or ContactPoint(customer=instance, kind=kind)
            point.value, point.is_primary = value, True
            point.full_clean(validate_unique=False)
            point.save()
        entry = indexing.entry_for(
            instance.number,
            "person",
            instance.first_name,
            instance.last_name,
            "",
            [(address.postcode, address.city)],
        )
        SearchEntry.objects.update_or_create(
            customer=instance,
            defaults={"text": entry.text, "phonetic": entry.phonetic, "postcode": entry.postcode},
        )
        Summary.objects.get_or_create(customer=instance, defaults={"last_activity": instance.registered_at})
        indexing.add_words([entry.text])


def dataset(rows: list[list[str]]) -> Dataset:
    """The rows of the file as import-export reads them."""
    return Dataset(*rows, headers=HEADER)
