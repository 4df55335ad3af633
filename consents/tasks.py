"""What the workers do for the ledger: seal every minute, sign every hour, prove what an import asserts; and what goes
with a consent."""

from __future__ import annotations

import logging

from celery import shared_task

from consents import birthdays, checkpoints, notes, receipts
from consents.proving import prove_import
from consents.sealing import seal_pending

logger = logging.getLogger(__name__)


@shared_task
def seal_ledger() -> None:
    """Seal what waits; beat wakes it every minute."""
    seal_pending()


@shared_task
def sign_ledger() -> None:
    """Sign the last seal, where anything is new; a ledger that lacks what was signed is an alarm, not a new start."""
    seal_pending()
    try:
        checkpoints.sign_checkpoint()
    except (checkpoints.LedgerBehind, notes.NoteForged) as error:
        logger.error("The ledger of consents was not signed: %s", error)


@shared_task
def send_receipts() -> None:
    """Tell people what has changed and is signed by now; beat asks every ten minutes."""
    receipts.send_receipts()


@shared_task
def send_checkpoint() -> None:
    """The newest checkpoint to the privacy officer; beat asks every morning."""
    receipts.send_checkpoint()


@shared_task
def forget_birthdays() -> None:
    """Delete birthdays of people who want no greetings any more, whoever brought them; beat wakes it every night."""
    birthdays.sweep()


@shared_task
def prove_claims(origin_id: int, actor: str) -> None:
    """Enter the opt-ins of one import that its own columns prove."""
    prove_import(origin_id, actor)
