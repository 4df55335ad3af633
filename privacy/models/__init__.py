"""What the rights of people need to remember, one module a subject."""

from privacy.models.erasing import Erasure, ErasureStep, FileRemoval
from privacy.models.holding import Hold
from privacy.models.policy import Policy
from privacy.models.requests import IdentityCopy, Rectification, Request, RequestEvent, RequestLetter
from privacy.models.restricting import Restriction
from privacy.models.running import DeletionLog, RetentionBatch, RetentionRun

__all__ = [
    "DeletionLog",
    "Erasure",
    "ErasureStep",
    "FileRemoval",
    "Hold",
    "IdentityCopy",
    "Policy",
    "Rectification",
    "Request",
    "RequestEvent",
    "RequestLetter",
    "Restriction",
    "RetentionBatch",
    "RetentionRun",
]
