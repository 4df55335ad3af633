"""Finds in a person's data what names somebody else, and blackens it unless a person has decided to show it.

Art. 15(4), 20(4) GDPR: a copy must not harm others. Free words are searched for names of colleagues, contact persons
and recipients, for e-mail addresses, phone and customer numbers that are not the person's; everything else is only
searched for addresses and numbers under which another customer is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from customers.models import ContactPoint
from customers.normalizing import email_key, phone_key
from datamap.preparing import ask
from privacy.models import Redaction

Why = Redaction.Why
Decision = Redaction.Decision

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.,:/-])(?:\+|00|\(?0)\d(?:[ ()/-]{0,3}\d){5,14}(?!\w)")
_PHONE_BEGINS = re.compile(r"(?<![\w.,:/-])(?:\+|00|\(?0)\d")
FEWEST_DIGITS, MOST_DIGITS = 3, 18
_NUMBER = re.compile(rf"(?<![\w.,@+-])[A-Za-z]{{0,10}}-?\d{{{FEWEST_DIGITS},{MOST_DIGITS}}}(?![\w@])")
_WORD = re.compile(r"[A-Z\u00c0-\u00de\u0100-\u024f\u0370-\u04ff][\w'’-]+")
_DIGITS = re.compile(r"\d{3}")
_FIGURES = re.compile(r"[0-9]+")
# "colleague M. Meier": who is named so works here, whether an account says so or not.
_COLLEAGUES = (
    "Kollege", "Kollegin", "Kollegen", "Mitarbeiter", "Mitarbeiterin", "Sachbearbeiter", "Sachbearbeiterin",
    "Colleague", "Coworker", "Employee",
)  # fmt: skip
_SMALL = ("colleague", "coworker", "employee")
_NAMED_COLLEAGUE = re.compile(
    r"\b(?i:kolleg(?:e|in|en)|(?:mit|sachbe)arbeiter(?:in)?|colleague|coworker|employee)\s+"
    r"(?:(?:Herrn?|Frau|Mr\.?|Mrs\.?|Ms\.?|Dr\.?)\s+)*"
    r"(?P<name>(?:[A-ZÄÖÜ]\.\s*)*[A-ZÄÖÜ][\w'’-]+(?:\s+[A-ZÄÖÜ][\w'’-]+)?)"
)
_BEFORE = r"(?:(?:Herrn?|Frau|Mr\.?|Mrs\.?|Ms\.?|Dr\.?)\s+)*(?:[A-ZÄÖÜ]\.\s*)*"
_NUMBERS = "SELECT number FROM customers_customer WHERE number = ANY(string_to_array(%s, ' '))"
# Whether a customer is numbered in a stretch, and which numbers are the next below and above it.
_AROUND = (
    "SELECT EXISTS (SELECT FROM customers_customer WHERE sort_number BETWEEN %(least)s AND %(greatest)s), "
    "(SELECT max(sort_number) FROM customers_customer WHERE sort_number < %(least)s), "
    "(SELECT min(sort_number) FROM customers_customer WHERE sort_number > %(greatest)s)"
)
_DIGITS_SORTED = 20  # `Customer.sort_number`
SHORTEST = 3
# So many words that name nobody are remembered, for free words and for others; so many numbers and addresses.
# And so many stretches of figures without a customer.
MOST_WORDS, MOST_NUMBERS, MOST_STRETCHES = 2_000, 5_000, 12


@dataclass(frozen=True)
class Cell:
    """One text of one row: where it stands, and whether it is free words."""

    model: str
    row: str
    field: str
    place: str
    text: str
    prose: bool = True


@dataclass(frozen=True)
class Passage:
    """Characters of a cell that name somebody else; without positions the whole cell does."""

    begins: int | None
    ends: int | None
    why: str


@dataclass
class Known:
    """What is the person's own, and which names belong to others."""

    emails: set[str] = field(default_factory=set)
    """Theirs and the shop's."""
    own_emails: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    number: str = ""
    customer_id: int | None = None
    own_words: set[str] = field(default_factory=set)
    staff: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)


class Screen:
    """The review of one package; `decided` answers the decisions about rows, `noted` takes new passages."""

    def __init__(
        self,
        known: Known,
        noted: Callable[[list[Redaction]], None],
        decided: Callable[[str, Iterable[str]], dict[tuple[Any, ...], str]],
        has_decisions: bool = True,
    ) -> None:
        self.known = known
        self.noted = noted
        self.decided = decided
        self.has_decisions = has_decisions
        self.mark = _("[redacted]")
        self.redacted = 0
        self.pending = 0
        self._names = (known.staff | known.others) - known.own_words
        self._words = self._names | set(_COLLEAGUES)
        self._own_phones = {phone[-9:] for phone in known.phones}
        self._foreign: dict[str, bool] = {}
        self._unused = _Unused()
        self._harmless: dict[bool, set[str]] = {True: set(), False: set()}

    def is_harmless(self, texts: Collection[str], prose: bool) -> bool:
        """Whether nothing in these texts can name anybody else; most chunks of most tables are so."""
        if not texts:
            return True
        if self.has_decisions:
            return False
        # None of these patterns but that of a whole phone number reaches over a blank, and most words come often.
        new = set("\n".join(set(texts)).split()) - self._harmless[prose]
        # A figure by itself can only be a customer's number, unless a phone number begins with it.
        figures = {word for word in filter(str.isdecimal, new) if word[0] != "0"}
        new -= figures
        words = "\n".join(new)
        begins = _PHONE_BEGINS.search(words)
        if "@" in words or (begins and _PHONE.search("\n".join(texts))):
            return False
        if prose and (self._names_others(words) or self._of_other_customers(words, figures)):
            return False
        if len(self._harmless[prose]) > MOST_WORDS:
            self._harmless[prose].clear()
        # What a number may begin with is looked at each time, with what follows it.
        self._harmless[prose] |= {word for word in new if not _PHONE_BEGINS.search(word)} if begins else new
        return True

    def _names_others(self, words: str) -> bool:
        """Whether one of these words of free text names somebody else."""
        return bool(self._words.intersection(_WORD.findall(words))) or any(word in words for word in _SMALL)

    def _of_other_customers(self, words: str, figures: set[str]) -> bool:
        """Whether one of the numbers in free words is that of another customer."""
        wanted = {figure for figure in figures if FEWEST_DIGITS <= len(figure) <= MOST_DIGITS}
        wanted.update(_NUMBER.findall(words))
        if not wanted or self._unused.hold(wanted):
            return False
        self._make_room()
        self._ask(wanted)
        return any(self._foreign[number] for number in wanted)

    def screened(self, cells: list[Cell]) -> dict[int, str]:
        """Which of these texts have to be changed, by their place in the list, and into what."""
        suspects = [n for n, cell in enumerate(cells) if cell.prose or _may_hold_address(cell.text)]
        if not suspects and not self.has_decisions:
            return {}
        self._make_room()
        self._ask_numbers(cells[place].text for place in suspects if cells[place].prose)
        self._ask_addresses(cells[place].text for place in suspects if not cells[place].prose)
        found = {place: joined(cells[place].text, self._passages(cells[place])) for place in suspects}
        found = {place: passages for place, passages in found.items() if passages}
        return self.blackened(cells, found)

    def blackened(self, cells: list[Cell], found: dict[int, list[Passage]]) -> dict[int, str]:
        """The texts without these passages and those blackened by hand, but with what was decided to be shown."""
        by_model: dict[str, list[str]] = {}
        for cell in cells if self.has_decisions else ():
            by_model.setdefault(cell.model, []).append(cell.row)
        decisions: dict[tuple[Any, ...], str] = {}
        for model, rows in by_model.items():
            decisions |= self.decided(model, rows)
        changed: dict[int, str] = {}
        fresh: list[Redaction] = []
        for place in sorted({*found, *self._by_hand(cells, decisions)}):
            cell = cells[place]
            kept, new = self._kept(cell, found.get(place, []), decisions)
            fresh += new
            if kept:
                changed[place] = self._cut(cell.text, kept)
                self.redacted += len(kept)
        if fresh:
            self.pending += len(fresh)
            self.noted(fresh)
        return changed

    def _kept(
        self, cell: Cell, passages: list[Passage], decisions: dict[tuple[Any, ...], str]
    ) -> tuple[list[Passage], list[Redaction]]:
        kept, fresh = [], []
        digest = digest_of(cell.text)
        where = (cell.model, cell.row, cell.field, cell.place)
        for passage in passages:
            said = decisions.get((*where, passage.begins, passage.ends, digest))
            if said != Decision.RELEASE:
                kept.append(passage)
            if said is None:
                fresh.append(
                    Redaction(
                        model=cell.model, row=cell.row, field=cell.field, place=cell.place, digest=digest,
                        begins=passage.begins, ends=passage.ends, why=passage.why,
                    )
                )  # fmt: skip
        known = {(passage.begins, passage.ends) for passage in passages}
        for (*place, begins, ends, of), said in decisions.items():
            if tuple(place) == where and of == digest and said == Decision.REDACT and (begins, ends) not in known:
                kept.append(Passage(begins, ends, Why.OWN))
        return kept, fresh

    def _by_hand(self, cells: list[Cell], decisions: dict[tuple[Any, ...], str]) -> set[int]:
        wanted = {key[:4] for key, said in decisions.items() if said == Decision.REDACT}
        if not wanted:
            return set()
        return {n for n, cell in enumerate(cells) if (cell.model, cell.row, cell.field, cell.place) in wanted}

    def _cut(self, text: str, passages: list[Passage]) -> str:
        if any(passage.begins is None for passage in passages):
            return self.mark
        pieces, last = [], 0
        for begins, ends in merged(passages):
            pieces += [text[last:begins], self.mark]
            last = ends
        return "".join([*pieces, text[last:]])

    def _passages(self, cell: Cell) -> Iterator[Passage]:
        text = cell.text
        if "@" in text:
            for match in _EMAIL.finditer(text):
                if self._other_email(match[0].strip(".'"), cell.prose):
                    yield Passage(*match.span(), Why.EMAIL)
        if not _DIGITS.search(text):
            if cell.prose:
                yield from self._named(text)
            return
        for match in _PHONE.finditer(text):
            if self._other_phone(match[0], cell.prose):
                yield Passage(*match.span(), Why.PHONE)
        if cell.prose:
            for match in _NUMBER.finditer(text):
                if self._foreign.get(match[0]):
                    yield Passage(*match.span(), Why.NUMBER)
            yield from self._named(text)

    def _named(self, text: str) -> Iterator[Passage]:
        for match in _NAMED_COLLEAGUE.finditer(text):
            if not set(_WORD.findall(match["name"])) & self.known.own_words:
                yield Passage(*match.span("name"), Why.STAFF)
        for word in set(_WORD.findall(text)) & self._names:
            why = Why.STAFF if word in self.known.staff else Why.PERSON
            for match in re.finditer(rf"{_BEFORE}\b{re.escape(word)}\b", text):
                yield Passage(*match.span(), why)

    def _other_email(self, text: str, prose: bool) -> bool:
        key = email_key(text)
        if key is None or key in self.known.emails:
            return False
        return prose or self._foreign.get(key, False)

    def _other_phone(self, text: str, prose: bool) -> bool:
        digits = re.sub(r"\D", "", text)
        if digits[-9:].lstrip("0") in {own.lstrip("0") for own in self._own_phones} or len(digits) < 7:
            return False
        return prose or self._foreign.get(digits, False)

    def _ask_numbers(self, texts: Iterable[str]) -> None:
        """Which of the numbers in free words are those of other customers; one query for the chunk."""
        self._ask({number for text in texts if _DIGITS.search(text) for number in _NUMBER.findall(text)})

    def _ask(self, wanted: set[str]) -> None:
        self._remember(wanted, _numbers_among)
        if self.known.number:
            self._foreign[self.known.number] = False

    def _ask_addresses(self, texts: Iterable[str]) -> None:
        """Which of the addresses in other values are known as another customer's."""
        keys: dict[str, str] = {}
        for text in texts:
            for email in _EMAIL.findall(text):
                if (key := email_key(email)) and key not in self.known.emails:
                    keys[key] = email
            for phone in _PHONE.findall(text):
                if key := phone_key(phone):
                    keys[key] = phone
        self._remember(set(keys), lambda new: self._of_others({key: keys[key] for key in new}))

    def _of_others(self, keys: dict[str, str]) -> set[str]:
        index: Any = ContactPoint._meta.get_field("whole_index")
        hashes = {blind: key for key, value in keys.items() for blind in index.candidates(value)}
        rows = ContactPoint.objects.filter(whole_index__in=list(hashes)).exclude(customer=self.known.customer_id)
        return {hashes[bytes(found)] for found in rows.values_list("whole_index", flat=True) if found}

    def _make_room(self) -> None:
        """Forget numbers and addresses once they are many; before any is asked for that is needed afterwards."""
        if len(self._foreign) > MOST_NUMBERS:
            self._foreign.clear()

    def _remember(self, wanted: set[str], among: Callable[[set[str]], set[str]]) -> None:
        if new := wanted - self._foreign.keys():
            of_others = among(new)
            self._foreign.update({key: key in of_others for key in new})


def _numbers_among(numbers: set[str]) -> set[str]:
    """Those of the texts that are customer numbers."""
    # None holds a blank; one text is handed over faster than a list of many.
    return {number for (number,) in ask(_NUMBERS, [" ".join(numbers)])}


class _Unused:
    """Stretches of figures in which no customer is numbered: one look is enough for many texts."""

    def __init__(self) -> None:
        # Between the number of a customer and the next, both left out.
        self._stretches: list[tuple[int, int]] = []

    def hold(self, numbers: set[str]) -> bool:
        """Whether all of these lie in one of them, which the database is asked where it is not known yet; what holds
        letters lies in none."""
        if not _FIGURES.fullmatch("".join(numbers)):
            return False
        figures = set(map(int, numbers))
        least, greatest = min(figures), max(figures)
        known = any(low < least and greatest < high for low, high in self._stretches)
        return known or self._look(least, greatest)

    def _look(self, least: int, greatest: int) -> bool:
        """Whether nobody is numbered from the one to the other; how far it is so around them is remembered."""
        written = {"least": f"{least:0{_DIGITS_SORTED}}", "greatest": f"{greatest:0{_DIGITS_SORTED}}"}
        ((is_used, below, above),) = ask(_AROUND, written)
        if is_used:
            return False
        # Where a number with letters stands among figures is for the database to say: as far as it is asked about. So
        # it is with figures of other scripts.
        low = -1 if below is None else int(below) if _FIGURES.fullmatch(below) else least - 1
        high = 10**_DIGITS_SORTED if above is None else int(above) if _FIGURES.fullmatch(above) else greatest + 1
        self._stretches = [(low, high), *self._stretches][:MOST_STRETCHES]
        return True


def _may_hold_address(text: str) -> bool:
    return "@" in text or (len(text) > 6 and _PHONE.search(text) is not None)


def joined(text: str, passages: Iterable[Passage]) -> list[Passage]:
    """Those that overlap, or that stand side by side for the same reason, as one: a full name is one decision."""
    found: list[Passage] = []
    for one in sorted(passages, key=lambda passage: (passage.begins or 0, -(passage.ends or 0))):
        last = found[-1] if found else None
        if last is None or one.begins is None or last.ends is None or not _reaches(text, last, one):
            found.append(one)
        else:
            found[-1] = Passage(last.begins, max(last.ends, one.ends or 0), last.why)
    return found


def _reaches(text: str, last: Passage, one: Passage) -> bool:
    between = text[last.ends : one.begins]
    return not between or (between.isspace() and one.why == last.why)


def merged(passages: Iterable[Passage]) -> list[tuple[int, int]]:
    """Their positions in order, overlapping ones as one."""
    found: list[tuple[int, int]] = []
    for begins, ends in sorted((p.begins or 0, p.ends or 0) for p in passages if p.begins is not None):
        if found and begins <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], ends)
        else:
            found.append((begins, ends))
    return found


def digest_of(text: str) -> str:
    """A keyed fingerprint of a text, so that a decision counts for these words only."""
    return salted_hmac("privacy.redaction", text, algorithm="sha256").hexdigest()[:32]


def words_of(*names: str) -> set[str]:
    """The words of names that are worth looking for."""
    return {word for name in names for word in _WORD.findall(name) if len(word) >= SHORTEST}
