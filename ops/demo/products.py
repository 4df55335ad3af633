"""What the demo shop sells, and baskets of it with totals and tax as the house computes them."""

from __future__ import annotations

import json
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from orders.documents import tax_by_rate
from orders.models import Order, OrderLine

FOOD, GOODS = Decimal("7.00"), Decimal("19.00")
FREE_SHIPPING = Decimal(49)
SHIPPING = Decimal("4.90")
_COFFEES = """
Hausmischung Alster;Espresso Elbe;Espresso Speicherstadt;Filterkaffee Deichgold;Äthiopien Yirgacheffe
Kolumbien Huila;Brasilien Cerrado;Guatemala Antigua;Kenia AA;Sumatra Mandheling;Peru Bio Fairtrade
Honduras Marcala;Entkoffeiniert Nachtruhe;Ristretto Michel;Crema Landungsbrücken;Winterröstung;Frühlingsröstung
Costa Rica Tarrazú
"""
_GOODS = """
HM-01;Handmühle Buche;Mühlen;79.00|HM-02;Handmühle Edelstahl;Mühlen;119.00
EM-01;Elektrische Mühle Kegel 40;Mühlen;229.00|EM-02;Elektrische Mühle Scheibe 64;Mühlen;449.00
SM-01;Siebträger Kompakt;Espressomaschinen;649.00|SM-02;Siebträger Zweikreis;Espressomaschinen;1390.00
VA-01;Vollautomat Küche 5;Espressomaschinen;799.00|FP-01;French Press 0,35 l;Zubereitung;24.90
FP-02;French Press 1 l;Zubereitung;34.90|HF-01;Handfilter Porzellan Gr. 2;Zubereitung;18.50
HF-02;Handfilter Glas mit Kanne;Zubereitung;42.00|MK-01;Mokkakanne 3 Tassen;Zubereitung;29.90
MK-02;Mokkakanne 6 Tassen;Zubereitung;36.90|CB-01;Cold-Brew-Flasche 0,75 l;Zubereitung;27.50
WK-01;Schwanenhalskessel 0,9 l;Zubereitung;64.00|WG-01;Kaffeewaage 0,1 g;Zubehör;39.90
TA-01;Tamper 58 mm Nussholz;Zubehör;34.50|MS-01;Milchkännchen 350 ml;Zubehör;16.90
MA-01;Milchaufschäumer;Zubehör;49.90|PF-01;Papierfilter Gr. 4, 100 Stück;Verbrauch;3.49
PF-02;Papierfilter Handfilter 02, 100 Stück;Verbrauch;7.90|ET-01;Entkalker flüssig 500 ml;Verbrauch;8.90
RT-01;Reinigungstabletten 40 Stück;Verbrauch;12.90|WF-01;Wasserfilter 3er-Pack;Verbrauch;24.90
TS-01;Espressotassen 6er-Set;Geschirr;32.00|TS-02;Cappuccinotassen 4er-Set;Geschirr;36.00
BE-01;Becher Steingut 300 ml;Geschirr;14.90|TB-01;Thermobecher 0,4 l;Geschirr;27.90
VD-01;Vorratsdose 500 g;Aufbewahrung;19.90|VD-02;Vakuumdose 1 kg;Aufbewahrung;34.90
KM-01;Kochmesser 20 cm;Küche;89.00|GP-01;Gusspfanne 28 cm;Küche;59.00|SB-01;Schneidebrett Eiche;Küche;45.00
KB-01;Backform Gugelhupf;Küche;24.90|GS-25;Geschenkset Probierstube;Geschenke;34.90
GS-50;Geschenkset Röstmeister;Geschenke;59.90|KU-01;Barista-Kurs Gutschein;Geschenke;99.00
"""


class Product(NamedTuple):
    """One article; prices include tax."""

    sku: str
    name: str
    category: str
    price: Decimal
    rate: Decimal


class Piece(NamedTuple):
    """Lines of a basket as papers show them, what they cost, and the tax within."""

    papers: str
    goods: str
    gross: Decimal
    net: Decimal
    tax: Decimal
    rates: str


class Basket(NamedTuple):
    """What somebody bought at once: an order's figures, its lines ready for COPY, its papers."""

    lines: tuple[str, ...]
    total: Decimal
    shipping: Decimal
    tax: Decimal
    sale: Piece
    # Cancelled after the invoice; sent back: everything, or the first line only.
    void: Piece
    back_all: Piece
    back_first: Piece
    first_quantity: Decimal
    quantities: tuple[Decimal, ...]
    names: tuple[str, ...]


def catalogue() -> list[Product]:
    """Every article of the shop."""
    found = []
    for n, name in enumerate(_COFFEES.strip().replace("\n", ";").split(";")):
        for size, factor in (("250 g", Decimal(1)), ("500 g", Decimal("1.85")), ("1 kg", Decimal("3.4"))):
            price = ((Decimal("7.40") + n * Decimal("0.35")) * factor).quantize(Decimal("0.1")) + Decimal("0.00")
            sku = f"K{n:02d}-{size.replace(' ', '').upper()}"
            found.append(Product(sku, f"{name}, {size}", "Kaffee", price, FOOD))
    for entry in _GOODS.strip().replace("\n", "|").split("|"):
        sku, name, category, cost = entry.split(";")
        found.append(Product(sku, name, category, Decimal(cost), GOODS))
    return found


def _lines(rng: Random, products: list[Product]) -> list[OrderLine]:
    count = rng.choice((1, 1, 1, 2, 2, 2, 2, 3, 3, 4))
    lines = []
    for position in range(1, count + 1):
        coffee = rng.random() < 0.62
        product = rng.choice(products[:54] if coffee else products[54:])
        quantity = Decimal(rng.choice((1, 1, 1, 2, 2, 3) if coffee else (1, 1, 1, 1, 2)))
        discount = Decimal("0.00")
        if rng.random() < 0.06:
            discount = (product.price * quantity / 10).quantize(Decimal("0.01"))
        lines.append(
            OrderLine(
                position=position,
                sku=product.sku,
                name=product.name,
                category=product.category,
                quantity=quantity,
                unit_price=product.price.quantize(Decimal("0.0001")),
                discount=discount,
                tax_rate=product.rate,
            )
        )
    return lines


def _copied(line: OrderLine) -> str:
    cells = (line.position, line.sku, line.name, line.category, line.quantity, line.unit_price, line.discount)
    return "\t".join(map(str, (*cells, line.tax_rate)))


def _paper(line: OrderLine) -> dict[str, Any]:
    return {
        "position": line.position,
        "sku": line.sku,
        "name": line.name,
        "quantity": f"{line.quantity.normalize():f}",
        "unit_price": str(line.unit_price),
        "discount": str(line.discount),
        "tax_rate": str(line.tax_rate),
        "amount": str(line.amount),
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _piece(order: Order, lines: list[OrderLine], extras: list[dict[str, str]], papers: Any = None) -> Piece:
    rates = tax_by_rate(order, lines)
    tax = sum((Decimal(rate["tax"]) for rate in rates), Decimal(0))
    shown = [_paper(line) for line in lines]
    goods = [{k: line[k] for k in ("position", "sku", "name", "quantity")} for line in shown]
    papers = papers or [*shown, *extras]
    return Piece(_json(papers), _json(goods), order.total, order.total - tax, tax, _json(rates))


def _back(lines: list[OrderLine]) -> Piece:
    gross = sum((line.amount for line in lines), Decimal(0))
    return _piece(Order(total=gross), lines, [], [{"name": "Rücksendung", "amount": str(gross)}])


def make_basket(rng: Random, products: list[Product]) -> Basket:
    """One basket, with shipping where it is small."""
    lines = _lines(rng, products)
    goods = sum((line.amount for line in lines), Decimal(0))
    shipping = Decimal("0.00") if goods >= FREE_SHIPPING else SHIPPING
    order = Order(total=goods + shipping)
    extras = [{"name": "Versand", "amount": str(shipping)}] if shipping else []
    sale = _piece(order, lines, extras)
    return Basket(
        tuple(_copied(line) for line in lines),
        order.total,
        shipping,
        sale.tax,
        sale,
        _piece(order, lines, [], [{"name": "Stornierung", "amount": str(order.total)}]),
        _back(lines),
        _back(lines[:1]),
        lines[0].quantity,
        tuple(line.quantity for line in lines),
        tuple(line.name for line in lines),
    )


def make_baskets(seed: int, count: int) -> list[Basket]:
    """So many different baskets; orders draw from them."""
    rng, products = Random(f"{seed} baskets"), catalogue()  # noqa: S311 - a demo, nothing secret
    return [make_basket(rng, products) for _ in range(count)]
