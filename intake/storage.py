"""Where uploaded files lie: sealed, under random names, outside the web root."""

from vault.files import SealedFileStorage

LABEL = "intake.files"


def sealed_files() -> SealedFileStorage:
    """The storage of import files."""
    return SealedFileStorage(LABEL)
