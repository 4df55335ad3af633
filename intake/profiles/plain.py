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

from intake.profiles.declaring import CUSTOMERS, ORDERS, Profile

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
GUESSES = {
    "external_id": ("id", "customer id", "customerid", "kunden-id", "order id", "orderid", "bestell-id"),
    "number": (
        "kundennummer",
        "kundennr",
        "kunden-nr",
        "kdnr",
        "kd-nr",
        "customer number",
        "nummer",
        "number",
        "nr",
        "bestellnummer",
        "order number",
    ),
    "salutation": ("anrede", "salutation"),
    "title": ("titel", "title"),
    "first_name": ("vorname", "first name", "firstname", "first", "given name"),
    "last_name": ("nachname", "last name", "lastname", "last", "surname", "family name"),
    "full_name": ("name", "full name", "contactname", "contact name", "ansprechpartner"),
    "company": ("firma", "company", "company name", "companyname", "unternehmen"),
    "vat_id": ("ust-id", "ustid", "ust-idnr", "vat id", "vat number"),
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
    "birthday": ("geburtstag", "geburtsdatum", "geb", "geb.", "birthday", "date of birth"),
    "tags": ("tags", "schlagworte", "schlagwörter"),
    "note": ("notiz", "bemerkung", "note", "notes"),
    "newsletter": ("newsletter",),
    "customer_external_id": ("customer id", "customerid", "kunden-id", "kundennummer"),
    "placed_at": ("datum", "bestelldatum", "order date", "orderdate", "created at"),
    "paid_at": ("bezahlt am", "paid at"),
    "delivered_at": ("geliefert am", "delivered at", "shippeddate"),
    "currency": ("währung", "currency"),
    "total": ("summe", "gesamt", "betrag", "total", "amount"),
    "order_external_id": ("order id", "orderid", "bestell-id", "bestellnummer"),
    "sku": ("artikelnummer", "sku", "productid", "product id"),
    "name": ("artikel", "name", "product name"),
    "category": ("kategorie", "category"),
    "quantity": ("menge", "anzahl", "quantity"),
    "unit_price": ("einzelpreis", "preis", "unit price", "unitprice"),
    "discount": ("rabatt", "discount"),
}
