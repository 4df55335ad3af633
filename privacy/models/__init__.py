"""What the rights of people need to remember, one module a subject."""

from privacy.models.erasing import Erasure, ErasureStep, FileRemoval
from privacy.models.holding import Hold
from privacy.models.packaging import Package, Redaction
from privacy.models.policy import Policy
from privacy.models.requests import Request
from privacy.models.running import DeletionLog, RetentionBatch, RetentionRun

__all__ = [
    "DeletionLog",
    "Erasure",
    "ErasureStep",
    "FileRemoval",
    "Hold",
    "Package",
    "Policy",
    "Redaction",
    "Request",
    "RetentionBatch",
    "RetentionRun",
]
