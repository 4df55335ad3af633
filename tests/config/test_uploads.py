"""Bodies of uploads are bounded before anybody has looked who sends them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from staff.models import Role, User

pytestmark = pytest.mark.django_db


def _file(size: int) -> SimpleUploadedFile:
    return SimpleUploadedFile("people.csv", b"e-mail\n" + b"x" * size, content_type="text/csv")


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
