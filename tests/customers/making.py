"""Plain functions that make rows and sources for the tests of customers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import connection

from customers.intake import write_customers
from customers.models import Customer, Origin
from customers.rows import AddressRow, CustomerRow, Outcome, Source


def make_source(platform: str = "shopify", **kw: Any) -> Source:
    """A new batch with its origin."""
    batch = uuid4()
    origin = Origin.objects.create(kind="file", platform=platform, label="test", batch=batch)
    return Source(batch, platform, origin.pk, **kw)


def make_row(line: int = 2, **kw: Any) -> CustomerRow:
    """A row with a name; address fields may be given flat."""
    place = {name: kw.pop(name) for name in ("street", "postcode", "city", "country") if name in kw}
    if place:
        kw["addresses"] = [AddressRow(**place)]
    return CustomerRow(line, **{"last_name": "Muster", **kw})


def bring_in(*rows: CustomerRow, platform: str = "shopify", **kw: Any) -> Outcome:
    """Write these rows as a batch of their own."""
    return write_customers(rows, make_source(platform), **kw)


def try_then_write(*rows: CustomerRow, platform: str = "shopify") -> Outcome:
    """Write these rows, and see that the dry run before it counted the same."""
    source = make_source(platform)
    tried = write_customers(rows, Source(source.batch, platform, None), dry_run=True)
    done = write_customers(rows, source)
    assert tried == done
    return done


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """Every row version of every table of customers: equal only if nothing was written in between."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_app_config("customers").get_models():
            if model is not Origin:
                cursor.execute(f"SELECT ctid::text, xmin::text FROM {model._meta.db_table} ORDER BY 1")
                found[model._meta.db_table] = cursor.fetchall()
    return found


def only_customer() -> Customer:
    """The one customer there is."""
    return Customer.objects.get()


def point(customer: Customer, kind: str = "email") -> str:
    """The value of the primary contact point of a kind."""
    return customer.contact_points.get(kind=kind, is_primary=True).value


def sheet_of(response: Any) -> dict[str, Any]:
    """What a browser would send back of the page on which a customer is changed, unchanged."""
    context = response.context
    sheet = context["sheet"]
    data = {"version": str(context["version"]), "base": context["base"]}
    forms = [sheet.master, *[form for rows in sheet.sets.values() for form in rows.forms]]
    forms += [rows.management_form for rows in sheet.sets.values()]
    for form in forms:
        for bound in form:
            value = bound.value()
            if bound.name in ("DELETE",) or value is False or value is None:
                continue
            if value is True:
                value = "on"
            if bound.name in ("tags", "interests") and isinstance(value, list):
                value = ", ".join(value)
            data[bound.html_name] = value
    return data
