"""Takes an erased person out of the files that imports brought: a file that names them is discarded as a whole.

What was told from it, columns and sentences, goes with it; the counts of the import stay. A file of which a worker has
still rows to read is left until that is done: its rows about the person meet their tombstone meanwhile.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q

from customers.reading import phone_pattern
from datamap.subjects import Subject, spellings
from intake.models import Batch
from intake.reading import open_table
from intake.storage import opener_of
from intake.tables import Broken, Opener, UnreadableFile

BLOCK = 1 << 20
# Bytes of a phone number as people write it, with blanks and brackets, in UTF-16.
LONGEST_NUMBER = 128
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252")


class StillRead(Exception):
    """A file that names the person is being read: ask again when the import is done."""


def forget_in_files(subject: Subject) -> int:
    """Discard the files that hold an e-mail, phone or long id of this person; answers how many imports lost theirs.

    Raises StillRead, after all others are gone, and UnreadableFile for a file that lies on another machine.
    """
    sought = Sought.of(subject)
    discarded, waiting = 0, False
    for batch in Batch.objects.exclude(file="", lines_file="").order_by("created_at") if sought.texts else ():
        if not any(_names(stored, sought) for stored in (batch.file, batch.lines_file)):
            continue
        if _discard(batch):
            discarded += 1
        else:
            waiting = True
    if waiting:
        raise StillRead
    return discarded


@dataclass(frozen=True)
class Sought:
    """What a file names the person by: texts in small letters, and phone numbers however they are written."""

    texts: set[str]
    numbers: re.Pattern[str] | None

    @classmethod
    def of(cls, subject: Subject) -> Sought:
        patterns = [pattern for phone in subject.phones if (pattern := phone_pattern(phone))]
        texts = {form.lower() for text in subject.sure() for form in spellings(text)}
        return cls(texts, re.compile("|".join(patterns)) if patterns else None)

    def stands_in(self, text: str) -> bool:
        """Whether a cell holds one of them."""
        return any(one in text.lower() for one in self.texts) or bool(self.numbers and self.numbers.search(text))

    def as_bytes(self) -> set[bytes]:
        """The texts as they stand in a file whose ASCII letters were made small; of others it has no small ones."""
        found = set()
        for form in (changed for text in self.texts for changed in spellings(text)):
            for encoding in ENCODINGS:
                with suppress(UnicodeEncodeError):
                    found.add(form.encode(encoding).lower())
        return found


def _discard(batch: Batch) -> bool:
    with transaction.atomic():
        free = Batch.objects.select_for_update().filter(~Q(state__in=Batch.WORKING), pk=batch.pk).first()
        if free is not None:
            free.discard_files()
    return free is not None


def _names(stored: Any, sought: Sought) -> bool:
    if not stored:
        return False
    opener = opener_of(stored)
    with opener() as file:
        packed = file.read(2) == b"PK"
    return _in_sheet(opener, sought) if packed else _in_text(opener, sought)


def _in_text(opener: Opener, sought: Sought) -> bool:
    """Whatever delimits the columns, and in whichever encoding files come."""
    needles = sought.as_bytes()
    overlap = max(LONGEST_NUMBER, *map(len, needles))
    before = b""
    with opener() as file:
        while block := file.read(BLOCK):
            window = (before + block).lower()
            if any(needle in window for needle in needles):
                return True
            # Digits are ASCII: in UTF-16 each stands beside a zero byte.
            if sought.numbers and sought.numbers.search(window.replace(b"\0", b"").decode("latin-1")):
                return True
            before = window[-overlap:]
    return False


def _in_sheet(opener: Opener, sought: Sought) -> bool:
    """A spreadsheet is packed: its cells have to be read; one that cannot be opened went through no import."""
    try:
        table = open_table(opener)
        for _line, cells in table.records():
            if not isinstance(cells, Broken) and any(map(sought.stands_in, cells)):
                return True
    except UnreadableFile:
        return _in_text(opener, sought)
    return False
