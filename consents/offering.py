"""What people may be asked to agree to now, each with the wording that they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from consents.events import Channel, Wording
from consents.models import LegalText, LegalTextVersion, Purpose
from datamap.controlling import legal_zone
from datamap.workdays import local_date


class NotOffered(ValueError):
    """A purpose that nobody can agree to here: unknown, no longer used, on another channel, or without a wording."""


@dataclass(frozen=True)
class Offer:
    """A purpose and the version of its wording that holds today, in one language."""

    purpose: Purpose
    version: LegalTextVersion
    language: str

    @property
    def name(self) -> str:
        """What the purpose is called in this language."""
        return self.purpose.name_en if self.language == "en" else self.purpose.name_de

    @property
    def title(self) -> str:
        """The title of the wording."""
        return self.version.title(self.language)

    @property
    def body(self) -> str:
        """The wording, in full."""
        return self.version.body(self.language)

    @property
    def wording(self) -> Wording:
        """How the ledger names it."""
        return self.version.wording(self.language)


def offers(language: str, *, channel: str = Channel.EMAIL, keys: Iterable[str] | None = None) -> list[Offer]:
    """What may be agreed to on this channel, in the order of the purposes; only `keys` where given.

    A purpose whose wording is not published is not offered: nobody could prove what was agreed to (Art. 7(1) GDPR).
    Raises NotOffered where one of `keys` is not among them.
    """
    purposes = Purpose.objects.filter(
        basis=Purpose.Basis.CONSENT, channels__contains=[channel], retired_at__isnull=True
    )
    if keys is not None:
        purposes = purposes.filter(key__in=set(keys))
    versions = current_versions(LegalText.Kind.CONSENT).filter(text__purpose__in=purposes)
    by_purpose = {version.text.purpose_id: version for version in versions}
    found = [Offer(purpose, by_purpose[purpose.pk], language) for purpose in purposes if purpose.pk in by_purpose]
    if keys is not None and {offer.purpose.key for offer in found} != set(keys):
        raise NotOffered("Nobody is asked for this here.")
    return found


def current_versions(kind: str) -> QuerySet[LegalTextVersion]:
    """Of each purpose the version of this kind of text that is published and holds today."""
    today = local_date(timezone.now(), legal_zone())
    published = LegalTextVersion.objects.filter(text__kind=kind, published_at__isnull=False, valid_from__lte=today)
    newest = published.order_by("text__purpose_id", "-valid_from", "-number").distinct("text__purpose_id")
    return newest.select_related("text")
