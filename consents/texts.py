"""Legal texts from draft to publication, which of them are due where, and who passed under which version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from unicodedata import normalize

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext

from consents.models import Acceptance, LegalText, LegalTextVersion, Placement
from customers.models import Customer
from customers.placing import KeptText, Passage, PlacedText
from datamap.controlling import legal_zone
from datamap.preparing import Standing
from datamap.workdays import local_date
from staff.models import User

LANGUAGES = ("de", "en")
_SHOWN = Standing(
    lambda hashes: published().filter(Q(sha256_de__any_of=hashes) | Q(sha256_en__any_of=hashes)).order_by("pk"),
    ["\x01"],
)


class NotPublished(ValueError):
    """Nobody can accept, or have been shown, a draft."""


class TextRefused(ValueError):
    """What was asked for is not possible; says why, in the reader's language."""


class DraftChanged(ValueError):
    """Somebody has changed, published or discarded the draft since it was read; `now` is the draft there is, if any."""

    def __init__(self, now: LegalTextVersion | None) -> None:
        super().__init__("The draft is not the one that was read.")
        self.now = now


@dataclass(frozen=True)
class Due:
    """A version that is due at a place, and whether it must be accepted there or shown."""

    version: LegalTextVersion
    demand: str

    @property
    def title(self) -> str:
        """What the text is called, in the language of the reader."""
        return self.version.title(reader_language())

    @property
    def must_accept(self) -> bool:
        """Whether being shown it is not enough."""
        return self.demand == Placement.Demand.ACCEPT


def fingerprint(title: str, body: str) -> str:
    """SHA-256 (hexadecimal) of a text as shown: title, line feed and body in NFC, as UTF-8."""
    return sha256(normalize("NFC", f"{title}\n{body}").encode()).hexdigest()


def tidy(text: str) -> str:
    """A text as it is stored and shown: NFC, line feeds alone, no blanks at the ends of lines."""
    lines = normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def as_read(draft: LegalTextVersion | None) -> str:
    """What a page sends back of a draft, to tell whether it is still the one that its reader has seen."""
    if draft is None:
        return "none"
    said = (draft.title_de, draft.body_de, draft.title_en, draft.body_en)
    return sha256(repr((draft.pk, said, draft.valid_from.isoformat())).encode()).hexdigest()


def draft_of(text: LegalText) -> LegalTextVersion | None:
    """The draft of the next version, if there is one."""
    return text.versions.filter(published_at__isnull=True).first()


@transaction.atomic
def save_draft(text: LegalText, said: dict[str, str], valid_from: date, *, read: str | None = None) -> LegalTextVersion:
    """Write the draft of the next version, of which there is one at a time; `said` holds titles and bodies.

    `read`: the draft that the writer began with (`as_read`). Raises DraftChanged where it is another by now.
    """
    LegalText.objects.select_for_update().get(pk=text.pk)
    draft = draft_of(text)
    if read is not None and read != as_read(draft):
        raise DraftChanged(draft)
    if draft is None:
        last = text.versions.order_by("-number").values_list("number", flat=True).first() or 0
        draft = LegalTextVersion(text=text, number=last + 1)
    for name in ("title_de", "title_en", "body_de", "body_en"):
        setattr(draft, name, tidy(said[name]))
    draft.valid_from = valid_from
    draft.save()
    return draft


@transaction.atomic
def publish(pk: int, by: User | None, *, read: str | None = None) -> tuple[LegalTextVersion, bool]:
    """Publish a draft for ever; answers the version and whether it was one still.

    Raises LegalTextVersion.DoesNotExist, DraftChanged where it is not what was read (`as_read`), and TextRefused where
    a title or a body is missing in either language, or another version says the same from the same day on.
    """
    _lock_text_of(pk)
    version = LegalTextVersion.objects.select_for_update(of=("self",)).select_related("text").get(pk=pk)
    if version.published_at is not None:
        return version, False
    if read is not None and read != as_read(version):
        raise DraftChanged(version)
    if not all((version.title_de, version.title_en, version.body_de, version.body_en)):
        raise TextRefused(gettext("A text is published with title and body in both languages."))
    version.sha256_de = fingerprint(version.title_de, version.body_de)
    version.sha256_en = fingerprint(version.title_en, version.body_en)
    same = published(version.text).filter(sha256_de=version.sha256_de, sha256_en=version.sha256_en)
    if same.exists():
        raise TextRefused(gettext("A published version says the same, word for word."))
    version.published_at, version.published_by = timezone.now(), by
    version.save()
    return version, True


@transaction.atomic
def discard(pk: int) -> bool:
    """Throw a draft away; False where it is published and stands."""
    _lock_text_of(pk)
    gone, _per_model = LegalTextVersion.objects.filter(pk=pk, published_at__isnull=True).delete()
    return bool(gone)


def _lock_text_of(version: int) -> None:
    """Whoever writes, publishes or discards a draft waits for whoever does so just now."""
    list(LegalText.objects.filter(versions=version).select_for_update(of=("self",)))


def published(text: LegalText | None = None) -> QuerySet[LegalTextVersion]:
    """The published versions, of one text or of all, the one that is valid last first."""
    versions = LegalTextVersion.objects.filter(published_at__isnull=False)
    if text is not None:
        versions = versions.filter(text=text)
    return versions.select_related("text").order_by("text_id", "-valid_from", "-number")


def versions_valid(texts: Iterable[int], on: date) -> dict[int, LegalTextVersion]:
    """By text (ids) the version that is valid on a day; a text without any is left out."""
    found = published().filter(text__in=list(texts), valid_from__lte=on)
    return {version.text_id: version for version in found.distinct("text_id")}


def version_shown(sha: str) -> tuple[LegalTextVersion, str] | None:
    """Which published version, in which language, has this fingerprint."""
    return versions_shown([sha]).get(sha) if sha else None


def versions_shown(hashes: Iterable[str]) -> dict[str, tuple[LegalTextVersion, str]]:
    """By fingerprint the published version and the language in which it says that; unknown ones are left out."""
    wanted = sorted({sha for sha in hashes if sha})
    if not wanted:
        return {}
    found: dict[str, tuple[LegalTextVersion, str]] = {}
    for version in _SHOWN(wanted):
        for language in LANGUAGES:
            sha = version.wording(language).sha256
            if sha in wanted:
                found.setdefault(sha, (version, language))
    return found


def today() -> date:
    """The day by which texts are valid: that of the shop's zone."""
    return local_date(timezone.now(), legal_zone())


def texts_for(place: str, on: date | None = None) -> list[Due]:
    """The versions that are due at a place on a day (today by default), in the order of the table of places.

    A text that has no valid version yet is left out.
    """
    placements = list(Placement.objects.filter(place=place).order_by("position", "pk"))
    valid = versions_valid([one.text_id for one in placements], on or today()) if placements else {}
    return [Due(valid[one.text_id], one.demand) for one in placements if one.text_id in valid]


def accept(
    customer_id: int,
    due: Sequence[Due],
    place: str,
    *,
    language: str,
    source: str,
    at: datetime | None = None,
    order_number: str = "",
) -> int:
    """Note, in the caller's transaction, that somebody passed a place under these versions; answers how many are new.

    Said twice, the first note stands, but for one who was shown a text before and accepts it now. Raises NotPublished
    for a draft, IntegrityError for a customer who is not there.
    """
    if any(one.version.published_at is None for one in due):
        raise NotPublished("A draft cannot be accepted.")
    now = at or timezone.now()
    with transaction.atomic():
        here = Acceptance.objects.filter(customer=customer_id, place=place, order_number=order_number)
        known = set(here.values_list("version", flat=True))
        new = [one for one in due if one.version.pk not in known]
        accepted = [one.version for one in due if one.must_accept and one.version.pk in known]
        raised = here.filter(version__in=accepted, demand=Placement.Demand.SHOW).update(
            demand=Placement.Demand.ACCEPT, language=language, source=source, at=now
        )
        Acceptance.objects.bulk_create(
            [
                Acceptance(
                    customer_id=customer_id,
                    version=one.version,
                    place=place,
                    order_number=order_number,
                    demand=one.demand,
                    language=language,
                    source=source,
                    at=now,
                )
                for one in new
            ],
            ignore_conflicts=True,
        )
    return len(new) + raised


def due_here(place: str, on: date | None = None) -> list[PlacedText]:
    """What `customers.placing` asks: the texts of a place on a day, in words of the reader."""
    language = reader_language()
    return [
        PlacedText(
            one.version.pk,
            one.version.title(language),
            one.version.number,
            one.must_accept,
            reverse("consents:version", args=[one.version.pk]),
            "consents.view",
        )
        for one in texts_for(place, on)
    ]


def keep_passage(passage: Passage) -> int:
    """What `customers.placing` tells: somebody passed a place. Raises NotPublished for ids of no published version."""
    demands = dict(Placement.objects.filter(place=passage.place).values_list("text", "demand"))
    versions = list(published().filter(pk__in=passage.texts))
    if len(versions) < len(set(passage.texts)):
        raise NotPublished("A text that somebody passed under is not published.")
    due = [Due(version, demands.get(version.text_id, Placement.Demand.SHOW)) for version in versions]
    spoken = Customer.objects.filter(pk=passage.customer_id).values_list("language", flat=True).first()
    return accept(
        passage.customer_id,
        due,
        passage.place,
        language="en" if spoken == "en" else "de",
        source=passage.source,
        at=passage.at,
        order_number=passage.order_number,
    )


def kept_of_order(customer_id: int, number: str) -> list[KeptText]:
    """The versions that one order of a customer stands under."""
    language = reader_language()
    rows = Acceptance.objects.filter(customer=customer_id, order_number=number).exclude(order_number="")
    return [
        KeptText(
            row.version.title(language),
            row.version.number,
            row.demand == Placement.Demand.ACCEPT,
            row.at,
            reverse("consents:version", args=[row.version_id]),
            "consents.view",
        )
        for row in rows.select_related("version").order_by("pk")
    ]


def reader_language() -> str:
    """German or English, as the reader of the page has it."""
    return "en" if get_language() == "en" else "de"
