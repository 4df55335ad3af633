"""Purposes and texts, the ledger, and what is waited for."""

from consents.models.acceptances import Acceptance, Scan
from consents.models.ledger import (
    Entry,
    ErasedRecord,
    ErasureProof,
    Position,
    Record,
    Seal,
    State,
    Unsealed,
)
from consents.models.pending import PendingOptIn
from consents.models.purposes import LegalText, LegalTextVersion, Placement, Purpose, PurposeVersion
from consents.models.receipts import ReceiptMark

__all__ = [
    "Acceptance",
    "Entry",
    "ErasedRecord",
    "ErasureProof",
    "LegalText",
    "LegalTextVersion",
    "PendingOptIn",
    "Placement",
    "Position",
    "Purpose",
    "PurposeVersion",
    "ReceiptMark",
    "Record",
    "Scan",
    "Seal",
    "State",
    "Unsealed",
]
