"""Bodies of uploads are bounded before anybody has looked who sends them."""

import os
import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.test import Client
from django.urls import reverse

from config.uploads import SealedUpload
from intake.models import Batch
from staff.models import Role, User
from vault.files import CHUNK

pytestmark = pytest.mark.django_db


def _file(size: int) -> SimpleUploadedFile:
    return SimpleUploadedFile("people.csv", b"e-mail\n" + b"x" * size, content_type="text/csv")


def _handled(content: bytes, piece: int) -> UploadedFile:
    """What the handler makes of a file that arrives in pieces."""
    handler = SealedUpload()
    handler.new_file("file", "people.csv", "text/csv", len(content), "utf-8", {})
    for start in range(0, len(content), piece):
        assert handler.receive_data_chunk(content[start : start + piece], start) is None
    return handler.file_complete(len(content))


def test_a_stranger_may_not_fill_the_disk_before_the_sign_in(settings: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    page = reverse("account_login")
    client.get(page)  # the cookie without which the form would not even be read
    assert client.post(page, {"file": _file(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)}).status_code == 400
    # Within the bound the usual answer comes: the CSRF token is missing.
    assert client.post(page, {"file": _file(10)}).status_code == 403


def test_staff_may_send_files_up_to_the_bound(signed_in: Callable[[User], Client], settings: Any) -> None:
    user = User.objects.create_user("m@obhut.example", name="M", roles=[Role.MANAGER])
    settings.INTAKE_MAX_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000, 50_000
    client, page = signed_in(user), reverse("intake:upload")
    # More than a stranger may send, and more than an import may be: the form says so.
    assert client.post(page, {"kind": "customers", "file": _file(900_000)}).status_code == 422
    assert client.post(page, {"kind": "customers", "file": _file(2_000_000)}).status_code == 400


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
@pytest.mark.parametrize("piece", [1000, 65_536, CHUNK])
def test_an_upload_is_read_as_it_was_sent(size: int, piece: int) -> None:
    content = (b"Annette von Droste-H\xc3\xbclshoff;" * (size // 20 + 1))[:size]
    file = _handled(content, piece)
    assert (file.size, file.read()) == (size, content)
    file.seek(max(size - 5, 0))
    assert file.read() == content[-5:]
    assert b"".join(file.chunks()) == content
    file.close()


def test_no_byte_of_a_large_upload_lies_in_clear_on_the_disk(
    signed_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    user = User.objects.create_user("m@obhut.example", name="M", roles=[Role.MANAGER])
    word, laid = b"kanarienvogel@laden.example", []
    made = tempfile.TemporaryFile

    def watched(*args: Any, **kwargs: Any) -> Any:
        laid.append(made(*args, **kwargs))
        laid.append(os.fdopen(os.dup(laid[-1].fileno()), "rb"))  # outlives the request
        return laid[-2]

    monkeypatch.setattr(tempfile, "TemporaryFile", watched)
    text = b"E-Mail;Vorname;Nachname\n" + b"".join(b"%d%s;A;B\n" % (n, word) for n in range(60_000))
    file = SimpleUploadedFile("people.csv", text, content_type="text/csv")
    assert len(text) > 2_000_000
    answer = signed_in(user).post(reverse("intake:upload"), {"kind": "customers", "file": file})

    assert answer.status_code == 302
    (on_disk,) = laid[1::2]
    with on_disk:
        on_disk.seek(0)
        sealed = on_disk.read()
    assert len(sealed) > len(text)
    assert word not in sealed
    with Batch.objects.get().file.open() as stored:
        assert stored.read() == text
