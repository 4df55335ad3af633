"""The access log names every page in words: whoever reads it, the person concerned too, knows no keys."""

import re
from importlib import import_module

import pytest
from django.conf import settings

from datamap.models import PAGE_NAMES, AccessLog
from tests.messages import ROOT

APPS = ("customers", "mail", "interactions", "orders", "privacy", "intake", "portal")
_NAMED = re.compile(r"""(?:\bpage=|(?:accesslog\.record|note_listed)\([^"]*)"([a-z_.:]+)\"""")


def pages() -> set[str]:
    return {key for app in APPS for path in (ROOT / app).rglob("*.py") for key in _NAMED.findall(path.read_text())}


def test_the_pages_that_write_the_access_log_are_found():
    assert {"customer_detail", "customer_export", "customers:held_decide", "orders.detail"} <= pages()


@pytest.mark.parametrize("key", sorted(pages()))
def test_every_page_of_the_access_log_has_a_name(key):
    import_module(settings.ROOT_URLCONF)  # as the first request does; the names stand beside the doors
    assert key in PAGE_NAMES
    assert AccessLog(page=key).page_name != key
