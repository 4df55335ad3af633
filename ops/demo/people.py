"""Who the customers of the demo are: each a pure function of seed and index, so that nobody need be remembered."""

from __future__ import annotations

from dataclasses import dataclass

from ops.demo import words
from ops.demo.places import ABROAD, HOME, City, phone_number
from ops.demo.seasons import WHOLE, Clock, Draws, drawing

ACCOUNT, GUEST, PROSPECT, RECIPIENT = "account", "guest", "prospect", "recipient"
_GUESTS, _PROSPECTS = int(0.155 * WHOLE), int(0.215 * WHOLE)
_RECIPIENT_EVERY, _RECIPIENT_AT = 33, 7
_DOMAINS = ("post.example", "mail.example", "web.example", "brief.example", "inbox.example", "elektropost.example",
    "freie-post.example", "netz.example", "familie.example", "uni-nord.example", "stadtnetz.example")  # fmt: skip


@dataclass(slots=True)
class Person:
    """What identifies one customer."""

    index: int
    category: str
    draws: Draws
    company: str
    salutation: str
    title: str
    first_name: str
    last_name: str
    city: City
    street: str
    email: str
    phone: str

    @property
    def name(self) -> str:
        """First name and surname."""
        return f"{self.first_name} {self.last_name}".strip()

    def snapshot(self) -> dict[str, str]:
        """The contact lines an order keeps."""
        found = {
            "name": self.name,
            "company": self.company,
            "street": self.street,
            "postcode": self.city.postcode,
            "city": self.city.name,
            "country": self.city.country,
            "email": self.email,
            "phone": self.phone,
        }
        return {key: value for key, value in found.items() if value}


class People:
    """All customers of one demo, by index in the order in which they came."""

    def __init__(self, seed: int, count: int, clock: Clock) -> None:
        self.count = count
        self.clock = clock
        self._draw = drawing(seed, "people")

    def came_at(self, index: int) -> int:
        """When somebody became known to the shop."""
        return self.clock.at((index + 0.5) / self.count)

    def category(self, index: int) -> str:
        """Account, guest of one order, prospect, or somebody who got a present."""
        if index % _RECIPIENT_EVERY == _RECIPIENT_AT:
            return RECIPIENT
        first = self._draw(index)[0]
        return GUEST if first < _GUESTS else PROSPECT if first < _PROSPECTS else ACCOUNT

    def left_early(self, index: int) -> bool:
        """Whether this account was closed later on and bought only once."""
        return index % 101 == 5

    def buyer_before(self, index: int) -> int | None:
        """An account that buys again, at or before this index."""
        while index >= 0 and (self.category(index) != ACCOUNT or self.left_early(index)):
            index -= 1
        return index if index >= 0 else None

    def recipient_before(self, index: int, draw: int) -> int | None:
        """Somebody known by then who gets presents."""
        known = (index - _RECIPIENT_AT + _RECIPIENT_EVERY) // _RECIPIENT_EVERY
        return _RECIPIENT_AT + _RECIPIENT_EVERY * (draw * known // WHOLE) if known > 0 else None

    def person(self, index: int) -> Person:
        """One customer in full."""
        own = draws = self._draw(index)
        same, double = index, own[29] < WHOLE // 250 and index > 200
        if double:
            # Comes a second time with the same address and e-mail, the name spelt another way.
            same = index - 100 - own[28] % 40
            draws = self._draw(same)
        category = self.category(index)
        first, last, woman = _name(draws)
        if double:
            last = last.replace("ü", "ue").replace("ö", "oe").replace("ä", "ae").replace("ß", "ss")
        company = _company(draws, last) if category in (ACCOUNT, GUEST) and _pick(draws[30], 1000) < 104 else ""
        city = (ABROAD if draws[9] < WHOLE // 25 else HOME)[
            _pick(draws[10], 15 if draws[9] < WHOLE // 25 else len(HOME))
        ]
        return Person(
            index=index,
            category=category,
            draws=own,
            company=company,
            salutation=_salutation(own[7], woman),
            title=words.TITLES[own[8] % 6] if own[8] < WHOLE // 40 else "",
            first_name=first,
            last_name=last,
            city=city,
            street=_street(draws),
            email="" if category == RECIPIENT else _email(draws, first, last, company, same),
            phone="" if category == RECIPIENT or draws[15] > 0.42 * WHOLE else phone_number(same),
        )

    def second_place(self, person: Person) -> tuple[City, str] | None:
        """Another address for parcels, where somebody has one."""
        draws = person.draws
        if draws[19] > 0.12 * WHOLE or person.category != ACCOUNT:
            return None
        return HOME[_pick(draws[20], len(HOME))], _street(draws[::-1])


def _pick(draw: int, size: int) -> int:
    return draw * size // WHOLE


def _name(draws: Draws) -> tuple[str, str, bool]:
    woman = draws[1] % 100 < 54
    pool = words.WOMEN if woman else words.MEN
    first = pool[_pick(draws[2], len(pool))]
    if draws[3] < 0.05 * WHOLE:
        first = f"{first}-{pool[_pick(draws[23], len(pool))]}" if draws[3] % 2 else f"{first} {pool[draws[23] % 40]}"
    return first, _surname(draws), woman


def _surname(draws: Draws) -> str:
    kind = draws[4] / WHOLE
    if kind < 0.27:
        # Few names are very common: squared, so that Müller comes before Süß.
        last = words.COMMON[draws[5] * draws[5] * len(words.COMMON) // (WHOLE * WHOLE)]
    elif kind < 0.85:
        last = words.COMPOSED[_pick(draws[5], len(words.COMPOSED))]
    else:
        pool = (words.SLAVIC, words.TURKISH, words.ROMANCE)[draws[6] % 3]
        last = pool[_pick(draws[5], len(pool))]
    if draws[24] < 0.012 * WHOLE:
        return words.PARTICLES[draws[6] % len(words.PARTICLES)] + last
    if draws[24] > 0.96 * WHOLE:
        return f"{last}-{words.COMMON[_pick(draws[6], len(words.COMMON))]}"
    return last


def _company(draws: Draws, last: str) -> str:
    return f"{words.FIRM_HEADS[draws[31] % 17]} {last} {words.FIRM_TAILS[draws[6] % 10]}"


def _salutation(draw: int, woman: bool) -> str:
    share = draw / WHOLE
    if share < 0.62:
        return ""
    return "neutral" if share < 0.68 else "ms" if woman else "mr"


def _street(draws: Draws) -> str:
    number = 1 + draws[12] % 97 if draws[12] % 4 else 1 + draws[12] % 23
    letter = "abc"[draws[13] % 3] if draws[13] % 11 == 0 else ""
    return f"{words.STREET_NAMES[_pick(draws[11], len(words.STREET_NAMES))]} {number}{letter}"


def _email(draws: Draws, first: str, last: str, company: str, index: int) -> str:
    if company:
        return f"einkauf{index + 1}@{words.latin(last).strip('-')}.example"
    name, family = words.latin(first), words.latin(last)
    style = draws[13] % 5
    local = (f"{name}.{family}", f"{name[0]}.{family}", f"{family}.{name}", f"{name}{family}", f"{name}_{family}")[
        style
    ]
    return f"{local}{index + 1}@{_DOMAINS[_pick(draws[14], len(_DOMAINS))]}"
