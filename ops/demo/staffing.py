"""The shop itself: its name, who works there, the kinds of order it takes, the words it sorts customers by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from customers.models import Origin, Tag
from datamap.controlling import controller
from ops.demo.seasons import Clock
from ops.demo.wordings import publish_texts
from ops.logins import demo_logins
from orders.documents import seller_of
from orders.models import FieldRule, OrderType
from staff.models import Role, User

TAGS = ("Stammkunde", "Gastronomie", "Barista-Kurs", "Großabnehmer", "Presse", "Messe Hamburg", "Kulanz", "Büro")
_TYPES = {
    "Onlinebestellung": {"gift_note": "optional", "delivery": "optional"},
    "Geschenkbestellung": {"gift_note": "optional", "gift_recipient": "required", "delivery": "required"},
    "Telefonbestellung": {"phone": "required", "email": "optional", "note": "optional"},
}
_SHOP = {
    "name": "Kaffeekontor Alster GmbH",
    "street": "Brooksweg 12",
    "postcode": "20457",
    "city": "Hamburg",
    "email": "kontor@kaffeekontor.example",
    "phone": "+49 40 66969 100",
    "vat_id": "DE999999999",
    "tax_number": "99/999/99999",
    "officer_name": "Dr. Miriam Stein",
    "officer_email": "datenschutz@kaffeekontor.example",
    "authority_name": "Der Hamburgische Beauftragte für Datenschutz und Informationsfreiheit",
}


@dataclass(frozen=True)
class Shop:
    """What every row of the demo refers to."""

    clock: Clock
    origin: int
    desk: tuple[int, ...]
    privacy: int
    types: tuple[int, int, int]
    tags: tuple[int, ...]
    seller: dict[str, str]


def employ() -> dict[str, list[int]]:
    """Make the people of `ops.logins` who are missing; their ids by role."""
    by_role: dict[str, list[int]] = {}
    for login in demo_logins():
        user = User.objects.filter(email=login.email).first() or User.objects.create_user(
            login.email, login.password, name=login.name, roles=[login.role]
        )
        by_role.setdefault(login.role, []).append(user.pk)
    return by_role


def furnish(clock: Clock) -> Shop:
    """Make what is missing of the shop and answer what rows refer to."""
    staff = employ()
    who = controller()
    if not who.name:
        for name, value in _SHOP.items():
            setattr(who, name, value)
        who.save()
    types = _types()
    publish_texts(types)
    now = datetime.fromtimestamp(clock.now, UTC)
    origin = Origin.objects.create(kind=Origin.Kind.PLATFORM, platform="demo", label="Vorführdaten", at=now)
    return Shop(
        clock,
        origin.pk,
        (*staff[Role.SERVICE] * 3, *staff[Role.MANAGER]),
        staff[Role.PRIVACY][0],
        types,
        tuple(Tag.objects.get_or_create(name=name)[0].pk for name in TAGS),
        seller_of(who),
    )


def _types() -> tuple[int, int, int]:
    made = []
    for position, (name, rules) in enumerate(_TYPES.items(), start=1):
        kind, new = OrderType.objects.get_or_create(name=name, defaults={"position": position})
        if new:
            FieldRule.objects.bulk_create(FieldRule(type=kind, field=f, rule=r) for f, r in rules.items())
        made.append(kind.pk)
    return made[0], made[1], made[2]
