"""Refuses bodies of uploads that are too large, before a byte of them lies on a disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# An import may bring two files, and the form around them.
FILES = 2
FRAME = 1024 * 1024


class BoundedUpload(FileUploadHandler):
    """Stands before the handlers that store.

    A form is read before any view asks who sends it (the CSRF check looks into it): a stranger's body would fill the
    disk of temporary files, so strangers may send no more than a form without files holds.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803  (Django's name)
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Raises RequestDataTooBig (400)."""
        user = getattr(self.request, "user", None)
        known = user is not None and user.is_authenticated
        limit = FILES * settings.INTAKE_MAX_BYTES + FRAME if known else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if content_length > limit:
            raise RequestDataTooBig("The body of this upload is larger than any form here needs.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """On to the next handler."""
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The next handler has the file."""
