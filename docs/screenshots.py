"""Takes the pictures of the README from a running demo: `make run`, then `python docs/screenshots.py`."""

from __future__ import annotations

import argparse
import os
import shutil
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import django
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESK: ViewportSize = {"width": 1360, "height": 860}
PHONE: ViewportSize = {"width": 390, "height": 844}
MOST_BYTES = 250 * 1024
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def main() -> int:
    """Sign in as the demo's people, take every picture, and say which."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where `make run` answers")
    url = parser.parse_args().url.rstrip("/")
    passwords = {login.email: login.password for login in logins()}
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for email, pictures in PICTURES.items():
            take(browser, url, email, passwords[email], pictures)
        browser.close()
    return 0


def logins() -> list:
    """The demo's people; Django is set up only for their names."""
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from ops.logins import demo_logins  # noqa: PLC0415 - needs the line above

    return demo_logins()


def take(browser: Browser, url: str, email: str, password: str, pictures: dict[str, str]) -> None:
    """All pictures of one person, signed in once."""
    context = browser.new_context(viewport=DESK, locale="de-DE", reduced_motion="reduce", color_scheme="light")
    page = context.new_page()
    page.goto(f"{url}/accounts/login/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_selector("#ob-search")
    for name, address in pictures.items():
        page.set_viewport_size(PHONE if name.endswith("-phone") else DESK)
        page.emulate_media(color_scheme="dark" if name.endswith("-dark") else "light", reduced_motion="reduce")
        page.goto(url + (busiest(page, url) if address == CUSTOMER else address))
        target = IMAGES / f"{name}.png"
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=target)
        target.write_bytes(smaller(target.read_bytes()))
        size = target.stat().st_size
        print(f"{target.relative_to(ROOT)} {size // 1024} KB")
        if size > MOST_BYTES:
            raise SystemExit(f"{target.name} is larger than {MOST_BYTES // 1024} KB.")
    context.close()


def busiest(page: Page, url: str) -> str:
    """The address of somebody with much to see: the first who bought for most."""
    page.goto(f"{url}/customers/?o=-revenue")
    return page.locator("tbody a.who").nth(3).get_attribute("href") or "/customers/"


def smaller(png: bytes) -> bytes:
    """The same picture with its pixels packed as hard as they go; everything beside pixels is left out."""
    kept, pixels = [], b""
    for kind, data in chunks(png):
        if kind == b"IDAT":
            pixels += data
        elif kind in (b"IHDR", b"PLTE"):
            kept.append(chunk(kind, data))
    packed = zlib.compress(zlib.decompress(pixels), 9)
    return SIGNATURE + b"".join([*kept, chunk(b"IDAT", min(packed, pixels, key=len)), chunk(b"IEND", b"")])


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of every chunk of a PNG (ISO/IEC 15948, 5.3)."""
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


CUSTOMER = "a customer"
PICTURES = {
    "manager@obhut.example": {
        "dashboard": "/",
        "customers": "/customers/",
        "customer": CUSTOMER,
        "customer-dark": CUSTOMER,
        "customer-phone": CUSTOMER,
        "import": "/import/new/",
    },
    "privacy@obhut.example": {"data-map": "/datamap/"},
}

if __name__ == "__main__":
    raise SystemExit(main())
