"""What the rights of people need to remember, one module a subject."""

from privacy.models.breaches import Breach, BreachEntry, BreachRule
from privacy.models.erasing import Erasure, ErasureStep, FileRemoval
from privacy.models.holding import Hold, HoldReview
from privacy.models.packaging import Package, Redaction
from privacy.models.papers import PaperVersion
from privacy.models.policy import Policy
from privacy.models.recipients import Disclosure, Notice, Recipient, Safeguard
from privacy.models.requests import (
    IdentityCopy,
    PublishedData,
    Rectification,
    Request,
    RequestEvent,
    RequestLetter,
)
from privacy.models.restricting import Restriction
from privacy.models.running import DeletionLog, RetentionBatch, RetentionRun

__all__ = [
    "Breach",
    "BreachEntry",
    "BreachRule",
    "DeletionLog",
    "Disclosure",
    "Erasure",
    "ErasureStep",
    "FileRemoval",
    "Hold",
    "HoldReview",
    "IdentityCopy",
    "Notice",
    "Package",
    "PaperVersion",
    "Policy",
    "PublishedData",
    "Recipient",
    "Rectification",
    "Redaction",
    "Request",
    "RequestEvent",
    "RequestLetter",
    "Restriction",
    "RetentionBatch",
    "RetentionRun",
    "Safeguard",
]
