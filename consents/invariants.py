"""What must always be true of the ledger; `doctor` asks."""

from __future__ import annotations

from consents.rebuilding import compare_states
from consents.verifying import verify
from datamap.diagnosis import Finding, Options


def check_ledger(options: Options) -> Finding:
    """The ledger is as it was sealed, and as it was signed outside the database."""
    found = verify()
    if found.ok:
        return Finding(True, f"{found.entries} entries, {found.seals} seals, {found.erased} erased")
    return Finding(False, f"entry {found.first_broken}: {found.why}")


def check_states(options: Options) -> Finding:
    """The states say what the ledger says."""
    found = compare_states()
    detail = f"{found.consents} consents, {found.missing} missing, {found.wrong} wrong, {found.surplus} too many, "
    mend = "" if found.ok else "; rebuild_consent_state mends them"
    return Finding(found.ok, f"{detail}{found.wrongly_open} wrongly open or closed{mend}")
