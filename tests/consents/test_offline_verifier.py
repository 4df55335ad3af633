"""A receipt proves itself to anybody with a checkpoint and the public key, and with one altered byte it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents import checkpoints, notes
from consents.checkpoints import sign_checkpoint
from consents.models import Record
from consents.receipts import Erased, Receipt, public_key, receipt_of
from consents.sealing import seal_pending
from consents.verify import NotProved, verify
from consents.withdrawing import withdraw
from privacy.erasing import ask_erasure, run_erasure
from tests.consents.making import say
from tests.privacy.making import make_person

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def receipt() -> Receipt:
    """Of the fourth of seven entries in the second of three seals."""
    people = [make_person(str(4700 + n)) for n in range(10)]
    say(people[0])
    seal_pending()
    entries = [say(person, purpose="birthday") for person in people[1:8]]
    seal_pending()
    say(people[9])
    seal_pending()
    sign_checkpoint()
    return receipt_of(entries[3])


def run(folder: Path, content: bytes, note: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
    (folder / "receipt").write_bytes(content)
    (folder / "checkpoint").write_text(note, encoding="utf-8")
    script = "import sys; sys.modules['django'] = None; from consents.verify import main; sys.exit(main())"
    arguments = [str(folder / "receipt"), str(folder / "checkpoint"), "--key", key or public_key()]
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )


def test_it_needs_no_django_and_no_database(receipt: Receipt, tmp_path: Path) -> None:
    done = run(tmp_path, receipt.content, receipt.checkpoint)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\n") == 1
    assert "birthday, email" in done.stdout and "given" in done.stdout


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["CRLF", "BOM and CRLF"])
def test_files_that_a_program_of_windows_has_saved_again_prove_the_same(
    receipt: Receipt, tmp_path: Path, mark: bytes
) -> None:
    files = {"receipt": receipt.content, "checkpoint": receipt.checkpoint.encode()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(mark + content.replace(b"\n", b"\r\n"))
    command = [
        sys.executable,
        "-m",
        "consents.verify",
        *(str(tmp_path / name) for name in files),
        "--key",
        public_key(),
    ]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "receipt").write_bytes(mark + receipt.content[:-20].replace(b"\n", b"\r\n"))
    assert subprocess.run(command, cwd=ROOT, env={}, capture_output=True, check=False).returncode == 1


def test_the_module_is_a_command(receipt: Receipt, tmp_path: Path) -> None:
    (tmp_path / "mail.txt").write_text(f"Guten Tag,\n\n{receipt.lines}\n\nIhr Laden\n", encoding="utf-8")
    place = str(tmp_path / "mail.txt")
    command = [sys.executable, "-m", "consents.verify", place, place, "--key", public_key()]
    done = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_whole_file_of_checkpoints_will_do(receipt: Receipt) -> None:
    say(make_person("4800"))
    seal_pending()
    sign_checkpoint()
    text = checkpoints.place().read_text(encoding="utf-8")
    assert len(checkpoints.written()) == 2
    assert verify(receipt.content, text, checkpoints.verifying_key()).purpose == "birthday"
    later = checkpoints.written()[1]
    with pytest.raises(NotProved, match="not that one"):
        verify(receipt.content, later, checkpoints.verifying_key())


def test_one_altered_byte_anywhere_fails(receipt: Receipt) -> None:
    key = checkpoints.verifying_key()
    verify(receipt.content, receipt.checkpoint, key)
    for place in range(len(receipt.content)):
        altered = bytearray(receipt.content)
        altered[place] ^= 1
        with pytest.raises(NotProved):
            verify(bytes(altered), receipt.checkpoint, key)
    note = receipt.checkpoint.encode()
    for place in range(len(note)):
        changed = bytearray(note)
        changed[place] ^= 1
        text = changed.decode(errors="replace")
        with pytest.raises(NotProved):
            verify(receipt.content, text, key)


def test_another_key_proves_nothing(receipt: Receipt, tmp_path: Path) -> None:
    other = notes.public_text(Ed25519PrivateKey.generate().public_key())
    done = run(tmp_path, receipt.content, receipt.checkpoint, other)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[1]", b'{"receipt":{},"signature":""}\n', b"\xff\xfe"])
def test_what_is_no_receipt_is_said_to_be_none(receipt: Receipt, tmp_path: Path, content: bytes) -> None:
    done = run(tmp_path, content, receipt.checkpoint)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("Not proved: ")


def test_a_bad_argument_is_not_a_failed_proof(receipt: Receipt, tmp_path: Path) -> None:
    assert run(tmp_path, receipt.content, receipt.checkpoint, "no key").returncode == 2
    missing = [sys.executable, "-m", "consents.verify", "/nowhere/a", "/nowhere/b", "--key", public_key()]
    assert subprocess.run(missing, cwd=ROOT, env={}, capture_output=True, check=False).returncode == 2
    assert subprocess.run(missing[:3], cwd=ROOT, env={}, capture_output=True, check=False).returncode == 2


def test_it_proves_after_the_erasure_of_everything(receipt: Receipt) -> None:
    customer = Record.objects.filter(purpose__key="birthday").order_by("pk")[3].customer
    assert customer is not None
    withdraw(customer, "birthday", "email", source="rfc8058")
    erasure = run_erasure(ask_erasure(customer).pk)
    assert erasure.state == "done", erasure.holds
    seal_pending()
    assert verify(receipt.content, receipt.checkpoint, checkpoints.verifying_key()).kind == "given"


def test_of_an_erased_record_the_shop_has_nothing_left() -> None:
    with pytest.raises(Erased):
        receipt_of(1)
