"""Any CSV or XLSX file, read by a mapping of columns that a person gives.

Who a row of customers is about: its `external_id`; where no column gives one, its `number` is the id of its source.
A row of the same source with the same number is the same customer, whatever else of it has changed.

The portal's own export comes back by the numbers of this house instead: where `number` is read from a column named as
the export names it ("Nummer", "Number"), or the mapping says `"numbers": "own"` (`"foreign"` where such a column
holds the numbers of another system), the customer with that number is updated; what a number does not find is new. A
row none of whose names agrees with the customer of its number is rejected: it comes from elsewhere. Its address is the
one the list shows, of whatever kind that is, and an apostrophe that kept a spreadsheet from computing a cell goes.
"""

from django.utils.translation import gettext_lazy as _

from intake.profiles.declaring import CUSTOMERS, LINES, ORDERS, SNAPSHOT_TARGETS, Profile

CUSTOMERS_PROFILE = Profile(
    key="plain",
    label=_("Own columns: customers"),
    kind=CUSTOMERS,
    platform="plain",
    opt_ins={"email": "newsletter"},
    keys=("external_id", "number", "email"),
)
ORDERS_PROFILE = Profile(
    key="plain", label=_("Own columns: orders"), kind=ORDERS, platform="plain", keys=("external_id", "number")
)
PROFILES = (CUSTOMERS_PROFILE, ORDERS_PROFILE)

OWN_NUMBER = frozenset({"nummer", "number"})
"""What the portal's export calls the customer number, in each of its languages."""

# What columns are usually called; only a suggestion for the mapping page, never applied unseen.
_OF_PEOPLE = {
    "title": ("titel", "title"),
    "first_name": ("vorname", "first name", "firstname", "first", "given name"),
    "last_name": ("nachname", "last name", "lastname", "last", "surname", "family name"),
    "full_name": ("name", "full name", "contactname", "contact name", "ansprechpartner"),
    "company": ("firma", "company", "company name", "companyname", "unternehmen"),
    "email": ("e-mail", "email", "mail", "e-mail-adresse", "emailadresse", "mailadresse", "email address"),
    "phone": ("telefon", "phone", "tel", "tel.", "telefonnummer", "rufnummer", "mobil", "handy"),
    "street": (
        "straße",
        "strasse",
        "street",
        "address",
        "adresse",
        "straße und hausnummer",
        "straße, hausnummer",
        "anschrift",
    ),
    "postcode": ("plz", "postleitzahl", "postcode", "postal code", "postalcode", "zip"),
    "city": ("ort", "stadt", "city", "town"),
    "country": ("land", "country"),
}
_THEIR_ID = ("customer id", "customerid", "kunden-id")
_THEIR_NUMBER = ("kundennummer", "kundennr", "kunden-nr", "kdnr", "kd-nr", "customer number")
_ANY_NUMBER = ("nummer", "number", "nr")
_ORDER_ID = ("order id", "orderid", "bestell-id")
_ORDER_NUMBER = ("bestellnummer", "bestellnr", "bestell-nr", "auftragsnummer", "order number")
_CUSTOMER_GUESSES = _OF_PEOPLE | {
    "external_id": ("id", *_THEIR_ID),
    "number": (*_THEIR_NUMBER, *_ANY_NUMBER),
    "salutation": ("anrede", "salutation"),
    "vat_id": ("ust-id", "ustid", "ust-idnr", "vat id", "vat number"),
    "birthday": ("geburtstag", "geburtsdatum", "geb", "geb.", "birthday", "date of birth"),
    "tags": ("tags", "schlagworte", "schlagwörter"),
    "note": ("notiz", "bemerkung", "note", "notes"),
    "newsletter": ("newsletter",),
}
_LINE_GUESSES = {
    "order_external_id": (*_ORDER_ID, "bestellnummer"),
    "sku": ("artikelnummer", "sku", "productid", "product id"),
    "name": ("artikel", "name", "product name"),
    "category": ("kategorie", "category"),
    "quantity": ("menge", "anzahl", "quantity"),
    "unit_price": ("einzelpreis", "preis", "unit price", "unitprice"),
    "discount": ("rabatt", "discount"),
}
_SIDES = {
    "billing": ("rechnungs", "rechnung", "billing", "bill to", "bill", "invoice"),
    "shipping": ("liefer", "lieferungs", "lieferung", "versand", "shipping", "ship to", "ship", "delivery"),
}


def _of_side(side: str, name: str) -> tuple[str, ...]:
    """What a column of one of an order's two addresses is called: "Liefer-PLZ", "ShipCity", "Rechnung Ort"."""
    joined = (
        f"{prefix}{joint}{word}" for prefix in _SIDES[side] for word in _OF_PEOPLE[name] for joint in ("", " ", "-")
    )
    # Where an order has one address, it is the one on the invoice; "Titel" alone is rather that of a book.
    bare = _OF_PEOPLE[name] if side == "billing" and name != "title" else ()
    return (*joined, *bare)


_ORDER_GUESSES = {
    "external_id": (*_ORDER_ID, "id"),
    "number": (*_ORDER_NUMBER, *_ANY_NUMBER),
    "customer_external_id": (*_THEIR_ID, *_THEIR_NUMBER),
    "email": _OF_PEOPLE["email"],
    "placed_at": ("datum", "bestelldatum", "bestellt am", "order date", "orderdate", "created at"),
    "paid_at": ("bezahlt am", "paid at"),
    "delivered_at": ("geliefert am", "lieferdatum", "delivered at", "shippeddate"),
    "cancelled_at": ("storniert am", "cancelled at"),
    "currency": ("währung", "currency"),
    "total": ("summe", "gesamt", "betrag", "total", "amount"),
    **{f"{side}_{name}": _of_side(side, name) for side in _SIDES for name in SNAPSHOT_TARGETS},
}
GUESSES = {CUSTOMERS: _CUSTOMER_GUESSES, ORDERS: _ORDER_GUESSES, LINES: _LINE_GUESSES}
"""What a column is usually called, by what its rows are and what it is read as."""
