"""Refuses bodies of uploads that are too large, and seals the others before a byte of them lies on a disk."""

from __future__ import annotations

import tempfile
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from vault.files import StreamSealer, open_sealed

# An import may bring two files, and the form around them.
FILES = 2
FRAME = 1024 * 1024
LABEL = "config.uploads"


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


class SealedUpload(FileUploadHandler):
    """Stands last: what does not fit into memory lies sealed in a file without a name, until the request ends."""

    _kept: BinaryIO | None = None
    _sealer: StreamSealer

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file of the form begins."""
        super().new_file(*args, **kwargs)
        self._kept = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115  (read by the view)
        self._sealer = StreamSealer(LABEL, self._kept)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal the next piece."""
        self._sealer.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        """The file as a view reads it: opened piece by piece."""
        assert self._kept is not None
        kept, self._kept = self._kept, None
        size = self._sealer.finish()
        kept.seek(0)
        return UploadedFile(
            open_sealed(LABEL, kept), self.file_name, self.content_type, size, self.charset, self.content_type_extra
        )

    def upload_interrupted(self) -> None:
        """The browser went away in the middle."""
        if self._kept is not None:
            self._kept.close()
